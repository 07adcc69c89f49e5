import { RivuletError } from '@rivulet/protocol/model'

/** Longest delay of a timer in ms, some 24 days: platforms fire one with a longer delay at once. */
export const MAX_TIMER_MS = 2_147_483_647

/**
 * A limit of time in ms as a timer can keep it; `undefined` where there is none, as with `Infinity`. Throws
 * `INVALID_GRAPH` for what is no time; `what` says whose it is.
 */
export function timeLimit(ms: number | undefined, what: string): number | undefined {
  if (ms === undefined) return undefined
  if (!(ms > 0)) throw new RivuletError('INVALID_GRAPH', `${what} must be more than 0 ms, not ${ms}`)
  return ms > MAX_TIMER_MS ? undefined : ms
}
