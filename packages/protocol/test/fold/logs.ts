import fc from 'fast-check'
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
import { simulate } from './simulate.ts'
import { Tape } from './tape.ts'

/** How long a property may look for a case, and then for a shorter one, in milliseconds. */
const limit = Number(process.env['FOLD_LIMIT_MS'] ?? 60_000)

/** Time for one test, in milliseconds. */
export const timeout: number = limit * 2

/** Cases of each property. `FOLD_RUNS=5000` looks longer. */
const numRuns = Number(process.env['FOLD_RUNS'] ?? 300)

/** The usual number of cases, or a share of it where each takes long. */
export function cases(share: number = 1): { numRuns: number; interruptAfterTimeLimit: number } {
  return { numRuns: Math.ceil(numRuns * share), interruptAfterTimeLimit: limit }
}

/** Legal threads, as a log stamps them: now and then a number is left out, as after a filter. */
export const logs: fc.Arbitrary<StampedEvent[]> = logsOf(240)

/** The same, shorter: for what looks at everything after every event. */
export const shortLogs: fc.Arbitrary<StampedEvent[]> = logsOf(100)

function logsOf(maxLength: number): fc.Arbitrary<StampedEvent[]> {
  const tapes = fc.noBias(fc.array(fc.nat({ max: 9999 }), { maxLength, size: 'max' }))
  return fc
    .tuple(tapes, fc.nat({ max: 6 }))
    .map(([numbers, every]) => stamp(simulate(new Tape(numbers)), (i) => every > 0 && i % (every + 3) === 0))
    .filter((events) => events.length > 1)
}

/** A number below `size`, chosen by `luck`. */
export function below(size: number, luck: number): number {
  return luck % Math.max(1, size)
}

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
