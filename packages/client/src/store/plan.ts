import type { StartRequest } from '../transports/transport.ts'

/** The one connection a thread has at a time. */
export type Wanted =
  /** Starts a run and reads it to its end. */
  | { kind: 'start'; start: StartRequest }
  /** Reads the thread: until a run's end, or as long as somebody follows. */
  | { kind: 'read'; until: string | undefined }

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
export function wantedConnection(plan: Plan, standing: Standing | undefined): Wanted | undefined {
  if (plan.threadId === undefined) return undefined
  const current = standing?.wanted
  if (current?.kind === 'start' && !standing?.begun) return current
  const next = plan.starts[0]
  if (next !== undefined) return { kind: 'start', start: next }
  if (plan.gaveUp) return undefined
  const isCared = (run: string) => plan.followers > 0 || plan.watched.includes(run)
  if (current?.kind === 'start' && isCared(current.start.run)) return current
  if (plan.followers > 0) return { kind: 'read', until: undefined }
  const until = plan.watched.at(-1)
  return until === undefined ? undefined : { kind: 'read', until }
}

/** Whether two wishes are met by one connection. */
export function isSameConnection(a: Wanted | undefined, b: Wanted | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.kind === 'start' || b.kind === 'start') {
    return a.kind === 'start' && b.kind === 'start' && a.start.run === b.start.run
  }
  return a.until === b.until
}
