import { emptyState, fold, type RivuletEvent } from '@rivulet/protocol'
import { seededRandom } from '../faults/random.ts'
import { failureOf, type Invariant, type Tape } from './tape.ts'

/** How a tape is fuzzed. */
export interface FuzzOptions {
  /** The same seed tries the same. Default 1. */
  seed?: number
  /** Deliveries that are tried. Default 200. */
  runs?: number
}

/** The smallest delivery found that breaks the invariant. */
export interface FuzzFailure {
  /** What was delivered: `bisect` on it finds the event again. */
  readonly tape: Tape
  /** What the invariant threw; `undefined` when it answered `false`. */
  readonly error: unknown
  readonly seed: number
  /** Which of the deliveries it was, from 0. */
  readonly run: number
}

/**
 * Delivers a tape as bad connections would: with events lost, sent twice and out of order, and ended anywhere. Answers the
 * first delivery after which the invariant does not hold at every moment, made as small as it gets by leaving out events
 * for as long as it still breaks; `undefined` when none was found. What it answers is the same for the same seed.
 */
export function fuzz(
  { events }: Tape,
  invariant: Invariant,
  { seed = 1, runs = 200 }: FuzzOptions = {},
): FuzzFailure | undefined {
  const random = seededRandom(seed)
  for (let run = 0; run < runs; run++) {
    // The first one is the tape as it is: what breaks without any fault is told without one.
    const delivered = run === 0 ? events : disturbed(events, random)
    if (breaks(delivered, invariant) === undefined) continue
    const smallest = shrink(delivered, (fewer) => breaks(fewer, invariant) !== undefined)
    return { tape: { version: 1, events: smallest }, error: breaks(smallest, invariant)?.error, seed, run }
  }
  return undefined
}

function breaks(events: readonly RivuletEvent[], invariant: Invariant): { error: unknown } | undefined {
  let state = emptyState()
  for (const event of events) {
    state = fold(state, event)
    const failure = failureOf(invariant, state, event)
    if (failure !== undefined) return failure
  }
  return undefined
}

/** The events after one to four things went wrong. */
function disturbed(events: readonly RivuletEvent[], random: () => number): readonly RivuletEvent[] {
  const list = [...events]
  const place = () => Math.floor(random() * list.length)
  for (let faults = 1 + Math.floor(random() * 4); faults > 0 && list.length > 0; faults--) {
    const at = place()
    const kind = Math.floor(random() * 4)
    if (kind === 0) list.splice(at, 1)
    else if (kind === 1) list.splice(place(), 0, list[at]!)
    else if (kind === 2) list.splice(place(), 0, ...list.splice(at, 1))
    else list.splice(at + 1)
  }
  return list
}

/** The list with as much left out as it can be while `fails` holds: halves first, then single events. */
function shrink(
  events: readonly RivuletEvent[],
  fails: (fewer: readonly RivuletEvent[]) => boolean,
): readonly RivuletEvent[] {
  let list = events
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < list.length;) {
      const fewer = [...list.slice(0, at), ...list.slice(at + size)]
      if (fewer.length > 0 && fails(fewer)) list = fewer
      else at += size
    }
  }
  return list
}
