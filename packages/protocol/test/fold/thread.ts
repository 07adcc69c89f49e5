import {
  emptyState,
  fold,
  foldAll,
  serializeState,
  type RivuletEvent,
  type RunEvent,
  type StampedEvent,
  type Sync,
  type ThreadState,
} from '../../src/index.ts'

/** Gives events their places; where `skips` says so, a number is left out before. */
export function stamp(events: readonly RunEvent[], skips: (index: number) => boolean = () => false): StampedEvent[] {
  let last = 0
  return events.map((event, i) => {
    const prev = last
    last += skips(i) ? 2 : 1
    return last === prev + 1 ? { ...event, seq: last } : { ...event, seq: last, prev }
  })
}

/** Events of a log of which some were left out: each says what it follows. */
export function linked(events: readonly StampedEvent[]): StampedEvent[] {
  return events.map((event, i) => ({ ...event, prev: events[i - 1]?.seq ?? 0 }))
}

/** The state before the first event and after each. */
export function statesOf(events: readonly RivuletEvent[], from: ThreadState = emptyState()): ThreadState[] {
  const states = [from]
  for (const event of events) states.push(fold(states.at(-1)!, event))
  return states
}

/** The state after all of them, one by one. */
export function told(events: readonly RivuletEvent[], from: ThreadState = emptyState()): ThreadState {
  return events.reduce(fold, from)
}

/** All that is in a state, as text: for comparing. */
export function textOf(state: ThreadState): string {
  const { log, cursor, gap } = state
  return JSON.stringify({ log, cursor, gap, ...serializeState(state) })
}

/** A snapshot as it comes off the wire. */
export function snapshotOf(state: ThreadState, log: string = state.log): RivuletEvent {
  const sync: Sync = { type: 'sync', phase: 'snapshot', log, state: JSON.parse(JSON.stringify(serializeState(state))) }
  return { ...sync, seq: state.cursor }
}

/** Cuts a list into batches whose sizes come from `sizes`, again and again. */
export function inBatches<T>(items: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = []
  for (let i = 0, n = 0; i < items.length; n++) {
    const size = 1 + (sizes[n % Math.max(1, sizes.length)] ?? 0)
    batches.push(items.slice(i, i + size))
    i += size
  }
  return batches
}

/** Folds batch by batch. */
export function toldInBatches(batches: readonly (readonly RivuletEvent[])[]): ThreadState {
  return batches.reduce(foldAll, emptyState())
}
