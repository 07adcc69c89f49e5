import { fromAsyncIterable, messages, reduced, START, END, state, StateGraph, value } from '@rivulet/core'
import { PROTOCOL_VERSION, type RunEvent, type RunOptions, type StreamableGraph } from '@rivulet/protocol'

/** A gate that holds back whoever comes, until it is opened. */
export class Gate {
  #open: () => void = () => undefined
  readonly passed: Promise<void> = new Promise((resolve) => (this.#open = resolve))
  open(): void {
    this.#open()
  }
}

/** Streams one message, word by word; at each `gate` of the list it waits for that gate or its signal. */
export function wordGraph(words: readonly (string | Gate)[]): StreamableGraph {
  async function* events(_input: unknown, options: RunOptions = {}): AsyncGenerator<RunEvent> {
    const run = options.runId!
    const id = `${run}-m`
    yield { type: 'run.start', run, protocol: PROTOCOL_VERSION, ...(options.modes && { modes: options.modes }) }
    yield { type: 'message.start', run, node: 'talk', id, role: 'assistant', meta: { tags: options.tags ?? [] } }
    let at = 0
    for (const word of words) {
      if (word instanceof Gate) {
        await passedOrAborted(word, options.signal!)
        if (options.signal!.aborted) {
          yield { type: 'run.end', run, status: 'cancelled' }
          return
        }
      } else {
        yield { type: 'message.delta', run, id, part: 0, at, text: word }
        at += word.length
      }
    }
    yield { type: 'message.end', run, id, lengths: [at] }
    yield { type: 'values', run, step: 1, set: { said: at }, lists: { messages: { append: [id] } } }
    yield { type: 'run.end', run, status: 'done' }
  }
  return { events }
}

function passedOrAborted(gate: Gate, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    void gate.passed.then(resolve)
  })
}

/** A real graph: a model that streams what it was told, a step that counts, an optional question in between. */
export function chatGraph({ ask = false, fail = false }: { ask?: boolean; fail?: boolean } = {}): StreamableGraph {
  const model = fromAsyncIterable(async function* (history) {
    for (const word of `you said ${history.at(-1)!.content}`.split(' ')) yield `${word} `
  })
  return new StateGraph(
    state({
      messages: messages(),
      turns: reduced<number>({ initial: () => 0, reduce: (a, b) => a + b }),
      note: value<string>(),
    }),
  )
    .addNode('talk', async ({ messages: history }, ctx) => {
      ctx.progress({ done: 1, total: 2 })
      return { messages: [await model.invoke(history)], turns: 1 }
    })
    .addNode('review', (_state, ctx) => {
      if (fail) throw new Error('the reviewer is ill')
      if (!ask) return {}
      return { note: String(ctx.interrupt({ question: 'ok?' })) }
    })
    .addEdge(START, 'talk')
    .addEdge('talk', 'review')
    .addEdge('review', END)
    .compile()
}
