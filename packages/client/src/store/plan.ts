import type { StartRequest } from '../transports/transport.ts'

/** The one connection a thread has at a time: it starts a run, or reads. */
export interface Wanted {
  readonly start?: StartRequest
  /** The run at whose end it ends; without one it reads as long as somebody follows. */
  readonly until: string | undefined
}

/** Where the connection there is stands. `begun`: its run's first event came. */
export type Standing = { wanted: Wanted; begun: boolean }

/** What decides which connection a thread needs. */
export interface Plan {
  readonly threadId: string | undefined
  /** Runs asked for and not begun, in order. */
  readonly starts: readonly StartRequest[]
  /** How many follow the thread. */
  readonly followers: number
  /** Runs that have begun and that somebody waits for, in order. */
  readonly watched: readonly string[]
  /** The last connection was given up; nothing is opened by itself until somebody asks. */
  readonly gaveUp: boolean
}

/**
 * The connection to have now; `undefined` is none. A start is never dropped before its run has begun, as nobody could
 * tell then whether it did. A run's own connection is kept to its end: what follows begins at its cursor.
 */
export function wantedConnection(
  { threadId, starts: [next], followers, watched, gaveUp }: Plan,
  { wanted, begun }: Partial<Standing> = {},
): Wanted | undefined {
  if (threadId === undefined) return undefined
  if (wanted?.start && !begun) return wanted
  if (next) return { start: next, until: next.run }
  if (gaveUp) return undefined
  if (wanted?.start && (followers > 0 || watched.includes(wanted.start.run))) return wanted
  const until = followers > 0 ? undefined : watched.at(-1)
  return followers > 0 || until !== undefined ? { until } : undefined
}

/** Whether two wishes are met by one connection. */
export function isSameConnection(a: Wanted | undefined, b: Wanted | undefined): boolean {
  return !a === !b && a?.until === b?.until && !a?.start === !b?.start
}
