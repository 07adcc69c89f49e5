import type { Frame, RivuletEvent, RunEvent } from '@rivulet/protocol'
import type { OpenRequest, Transport } from '../src/transports/transport.ts'

/** One body that the code under test opened. The test decides what comes over it. */
export interface Body {
  readonly request: OpenRequest
  readonly after: string | undefined
  readonly signal: AbortSignal
  send(...frames: Frame[]): void
  end(): void
  fail(error: unknown): void
}

/** A transport whose bodies a test feeds by hand. */
export interface Pump {
  readonly transport: Transport
  /** Every body that was opened, in order. */
  readonly bodies: readonly Body[]
  /** The body opened last. Throws when there is none. */
  readonly body: Body
}

export function createPump(more: Partial<Transport> = {}): Pump {
  const bodies: Body[] = []
  const transport: Transport = {
    open(request, { signal, after }) {
      const { iterable, ...feed } = createFeed(signal)
      bodies.push({ request, after, signal, ...feed })
      return iterable
    },
    ...more,
  }
  return {
    transport,
    bodies,
    get body() {
      const last = bodies.at(-1)
      if (last === undefined) throw new Error('nothing was opened')
      return last
    },
  }
}

type Step = { frame: Frame } | { end: true } | { error: unknown }

function createFeed(signal: AbortSignal) {
  const steps: Step[] = []
  let wake = () => {}
  const push = (step: Step) => {
    steps.push(step)
    wake()
  }
  signal.addEventListener('abort', () => push({ error: signal.reason }))
  async function* frames(): AsyncGenerator<Frame> {
    for (;;) {
      const step = steps.shift()
      if (step === undefined) await new Promise<void>((resolve) => (wake = resolve))
      else if ('frame' in step) yield step.frame
      else if ('error' in step) throw step.error
      else return
    }
  }
  return {
    iterable: frames(),
    send: (...sent: Frame[]) => sent.forEach((frame) => push({ frame })),
    end: () => push({ end: true }),
    fail: (error: unknown) => push({ error }),
  }
}

/** The log that test events come from. */
export const LOG = 'log1'

/** A frame of events as they stand in the log. */
export function eventsFrame(...events: readonly RivuletEvent[]): Frame {
  return { type: 'events', log: LOG, events }
}

/** Events numbered from `from`, as the log stamps them. */
export function stamped(events: readonly RunEvent[], from = 1): RivuletEvent[] {
  return events.map((event, i) => ({ ...event, seq: from + i }))
}

/** What a reader is told before it is sent what it missed, and before what comes live. */
export function sync(phase: 'replay' | 'live', seq = 0, log: string = LOG): RivuletEvent {
  return { type: 'sync', phase, log, seq }
}

/** A short run: the user's message, an answer of these pieces, and its end. */
export function chatRun(run: string, question: { id: string; content: string }, answer: readonly string[]): RunEvent[] {
  const id = `${run}-answer`
  const step = { run, node: 'agent', step: 1, task: `${run}-task` }
  let at = 0
  const deltas = answer.map((text): RunEvent => {
    const delta = { ...step, type: 'message.delta', id, part: 0, at, text } as const
    at += text.length
    return delta
  })
  return [
    { type: 'run.start', run, graph: 'agent', protocol: 1 },
    { type: 'message', run, step: 0, message: { id: question.id, role: 'user', content: question.content } },
    { type: 'values', run, step: 0, full: true, lists: { messages: { append: [question.id] } } },
    { ...step, type: 'task.start' },
    { ...step, type: 'message.start', id, role: 'assistant' },
    ...deltas,
    { ...step, type: 'message.end', id, lengths: [at] },
    { ...step, type: 'task.end', outcome: 'ok' },
    { type: 'values', run, step: 1, lists: { messages: { append: [id] } } },
    { type: 'run.end', run, status: 'done' },
  ]
}
