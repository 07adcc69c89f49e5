import { emptyState, fold, foldAll, RivuletError, type RivuletEvent, type ThreadState } from '@rivulet/protocol'

/**
 * What happened on a thread, as JSON: the events in their order, each with its `seq`. Where recording began on a thread
 * with a past, the first is the snapshot of it.
 */
export interface Tape {
  readonly version: 1
  readonly events: readonly RivuletEvent[]
}

/** A tape of these events. Throws `INVALID_INPUT` when their `seq` does not grow. */
export function tapeOf(events: readonly RivuletEvent[]): Tape {
  const wrong = events.findIndex(({ seq }, i) => i > 0 && seq <= events[i - 1]!.seq)
  if (wrong === -1) return { version: 1, events }
  throw new RivuletError('INVALID_INPUT', `event ${wrong} of the tape does not come after the one before it`)
}

/** A tape of its first `count` events: a story of the moment after them. */
export function cutTape(tape: Tape, count: number): Tape {
  return { ...tape, events: tape.events.slice(0, count) }
}

/** The state after the first `count` events: equal to folding them. */
export function scrub(tape: Tape, count: number): ThreadState {
  return foldAll(emptyState(), tape.events.slice(0, count))
}

/** What must be true of a thread at every moment. It breaks by answering `false` or by throwing. */
export type Invariant = (state: ThreadState, event: RivuletEvent) => boolean | void

/** Where an invariant broke. */
export interface Break {
  /** Index of the event in the tape; `scrub(tape, index)` is the last good state. */
  readonly index: number
  readonly event: RivuletEvent
  /** The state after it. */
  readonly state: ThreadState
  /** What the invariant threw; `undefined` when it answered `false`. */
  readonly error: unknown
}

/**
 * The first event after which the invariant no longer holds; `undefined` when it holds to the end. Folds the tape once
 * and asks after every event, so that an invariant which breaks and holds again is found, too.
 */
export function bisect(tape: Tape, invariant: Invariant): Break | undefined {
  let state = emptyState()
  for (const [index, event] of tape.events.entries()) {
    state = fold(state, event)
    const failure = failureOf(invariant, state, event)
    if (failure !== undefined) return { index, event, state, error: failure.error }
  }
  return undefined
}

/** How the invariant breaks here; `undefined` when it holds. */
export function failureOf(
  invariant: Invariant,
  state: ThreadState,
  event: RivuletEvent,
): { error: unknown } | undefined {
  try {
    return invariant(state, event) === false ? { error: undefined } : undefined
  } catch (error) {
    return { error }
  }
}
