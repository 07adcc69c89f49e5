import type { ThreadSnapshot, ThreadView } from '@rivulet/client'
import {
  currentRun,
  emptyState,
  foldAll,
  interruptsOf,
  messagesOf,
  valuesOf,
  type Message,
  type RivuletEvent,
  type ThreadState,
} from '@rivulet/protocol'
import type { MatcherState } from 'vitest'

/** What a thread must look like; what is left out may be anything. */
export type ThreadExpectation =
  /** Its messages in order: the content, or fields of the message. */
  | readonly (string | Partial<Message>)[]
  | {
      messages?: readonly (string | Partial<Message>)[]
      values?: Readonly<Record<string, unknown>>
      /** Values of the questions that wait. */
      interrupts?: readonly unknown[]
      /** Of a page: `idle`, `streaming` and so on. Of a state, a tape or events: of the run that began last. */
      status?: string
    }

/** What {@link matchers} add to `expect`. */
export interface StreamMatchers<R = void> {
  /**
   * At most this many renders. Of what `renderStream` gave, or of one of its messages; or of a number.
   */
  toHaveRenderedAtMost(renders: number, options?: { message?: string }): R
  /** The thread shows this: of a thread, a snapshot of one, what `useStream` gave, a state, a tape, or events. */
  toMatchThread(expected: ThreadExpectation): R
  /** Nothing is missing of the thread, and nothing that came had to be ignored. Of the same things. */
  toHaveNoGaps(): R
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/no-explicit-any -- must be declared as vitest declares it
  interface Matchers<T = any> extends StreamMatchers<T extends never ? never : void> {}
}

/** What a matcher answers, as `expect.extend` wants it. */
interface Outcome {
  pass: boolean
  message: () => string
  actual?: unknown
  expected?: unknown
}

/** What `expect.extend` gives matchers, as much of it as is used here. */
type MatcherContext = Pick<MatcherState, 'equals'>

/** Matchers for streams: `expect.extend(matchers)` in a set-up file or a test. */
export const matchers: {
  toHaveRenderedAtMost(received: unknown, renders: number, options?: { message?: string }): Outcome
  toMatchThread(this: MatcherContext, received: unknown, expected: ThreadExpectation): Outcome
  toHaveNoGaps(received: unknown): Outcome
} = {
  toHaveRenderedAtMost(received, most, { message } = {}) {
    const renders = rendersIn(received, message)
    const who = message === undefined ? 'the page' : `message ${message}`
    return {
      pass: renders <= most,
      message: () => `${who} rendered ${renders} times, the bound is ${most}`,
    }
  },
  toMatchThread(received, expected) {
    const { messages, ...rest } = 'length' in expected ? { messages: expected } : expected
    const named: View = { ...rest, ...(messages && { messages: messages.map(asFields) }) }
    const shown = shownOf(viewOf(received), named)
    return {
      pass: this.equals(shown, named),
      message: () => 'the thread does not look as expected, or it does and must not',
      actual: shown,
      expected: named,
    }
  },
  toHaveNoGaps(received) {
    const { gap, ignored } = stateOf(received)
    return {
      pass: gap === undefined && ignored === 0,
      message: () =>
        gap === undefined
          ? `${ignored} events were ignored`
          : `something is missing before event ${gap.seq}: ${gap.reason}`,
    }
  },
}

/** Of what is shown, what the expectation speaks of. */
function shownOf(view: View, { messages, values, interrupts, status }: View): View {
  return {
    ...(messages && { messages: view.messages?.map((message, i) => picked(message, messages[i])) ?? [] }),
    ...(values && { values: picked(view.values ?? {}, values) }),
    ...(interrupts && { interrupts: view.interrupts ?? [] }),
    ...(status !== undefined && { status: view.status ?? 'none' }),
  }
}

function asFields(expected: string | Partial<Message>): Partial<Message> {
  return typeof expected === 'string' ? { content: expected } : expected
}

function picked(from: object, like: object = { content: '' }): Readonly<Record<string, unknown>> {
  const keys = Object.keys(like)
  return Object.fromEntries(keys.map((key) => [key, Reflect.get(from, key)]))
}

function rendersIn(received: unknown, message: string | undefined): number {
  if (typeof received === 'number') return received
  const { renders, messageRenders } = fieldsOf(received)
  const found = message === undefined ? renders : (fieldsOf(messageRenders)[message] ?? 0)
  if (typeof found === 'number') return found
  throw new TypeError('toHaveRenderedAtMost is for what renderStream gave, or for a number')
}

/** What there is to see of a thread. */
interface View {
  messages?: readonly object[]
  values?: object
  interrupts?: readonly unknown[]
  status?: string
}

function viewOf(received: unknown): View {
  const found = threadIn(received)
  if ('snapshot' in found) {
    const { messages, values, interrupts, status } = found.snapshot
    return { messages, values, interrupts: interrupts.map(({ value }) => value), status }
  }
  const { state } = found
  const run = currentRun(state)
  return {
    messages: messagesOf(state),
    values: valuesOf(state),
    interrupts: interruptsOf(state).map(({ value }) => value),
    ...(run && { status: run.status }),
  }
}

function stateOf(received: unknown): ThreadState {
  const found = threadIn(received)
  return 'snapshot' in found ? found.snapshot.state : found.state
}

/** The thread in whatever shows one: what is on the page where there is a page, else the state. */
function threadIn(received: unknown): { snapshot: ThreadSnapshot } | { state: ThreadState } {
  // Each is told by a field that only it has; what the field's owner promises of the others holds then.
  if (Array.isArray(received)) return { state: foldAll(emptyState(), received as RivuletEvent[]) }
  const fields = fieldsOf(received)
  if (Array.isArray(fields['events'])) return threadIn(fields['events'])
  if (fields['lineage'] !== undefined || fields['settled'] instanceof Map) return { state: received as ThreadState }
  if (typeof fields['messagesWhere'] === 'function') return { snapshot: received as ThreadSnapshot }
  if (typeof fields['getSnapshot'] === 'function') return { snapshot: (received as ThreadView).getSnapshot() }
  for (const name of ['handle', 'current']) if (fields[name] !== undefined) return threadIn(fields[name])
  throw new TypeError('this is no thread, nothing that shows one, no state, no tape and no events')
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  // Looked into by name only; what is there is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
