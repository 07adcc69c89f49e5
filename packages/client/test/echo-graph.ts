import type { Message, RunEvent, RunOptions, StreamableGraph } from '@rivulet/protocol'

/** A graph that repeats what it is told, piece by piece, as a test lets it. */
export interface EchoGraph extends StreamableGraph {
  /** Inputs it was run with, in order. */
  readonly inputs: readonly unknown[]
  /** Options it was run with, in order. */
  readonly options: readonly RunOptions[]
  /** Lets every run go on to its end. */
  release(): void
}

/** It waits after its first piece until it is released or aborted; `isOpen` lets it run through. */
export function echoGraph({ isOpen = false }: { isOpen?: boolean } = {}): EchoGraph {
  const inputs: unknown[] = []
  const options: RunOptions[] = []
  let release: () => void = () => {}
  const released = isOpen ? Promise.resolve() : new Promise<void>((resolve) => (release = resolve))
  return {
    inputs,
    options,
    release: () => release(),
    async *events(input, given = {}) {
      inputs.push(input)
      options.push(given)
      yield* echo(input, given, released)
    },
  }
}

async function* echo(input: unknown, { runId, signal }: RunOptions, released: Promise<void>): AsyncGenerator<RunEvent> {
  // A run that is recorded has its id.
  const run = runId!
  const id = `${run}-answer`
  const step = { run, node: 'echo', step: 1, task: `${run}-task` }
  // Tests submit lists of messages of ours.
  const messages = (input as { messages?: Message[] } | undefined)?.messages ?? []
  const text = messages.map(({ content }) => content).join(' ') || 'nothing'
  yield { type: 'run.start', run, graph: 'echo', protocol: 1 }
  for (const message of messages) yield { type: 'message', run, step: 0, message }
  yield { type: 'values', run, step: 0, lists: { messages: { append: messages.map((message) => message.id) } } }
  yield { ...step, type: 'message.start', id, role: 'assistant' }
  yield { ...step, type: 'message.delta', id, part: 0, at: 0, text: 'you said ' }
  await Promise.race([released, aborted(signal)])
  if (signal?.aborted) {
    yield { type: 'run.end', run, status: 'cancelled' }
    return
  }
  yield { ...step, type: 'message.delta', id, part: 0, at: 9, text }
  yield { ...step, type: 'message.end', id, lengths: [9 + text.length] }
  yield { type: 'values', run, step: 1, lists: { messages: { append: [id] } } }
  yield { type: 'run.end', run, status: 'done' }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
}
