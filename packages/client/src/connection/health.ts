import type { Frame, RivuletError } from '@rivulet/protocol'
import type { Connection } from './connection.ts'

/** How the connection is, as data to show. Times are milliseconds since the epoch. */
export interface ConnectionHealth {
  readonly phase: Connection['phase']
  /** Drops since it last made progress; 0 when all is well. */
  readonly attempt: number
  /** When it will be tried again; only while `waiting` or `offline`. */
  readonly nextRetryAt: number | undefined
  /** When something was last heard, brought up to date by heartbeats and by each change here; not by every token. */
  readonly lastByteAt: number | undefined
  /** Nothing was heard for too long; it is being opened anew. */
  readonly stalled: boolean
  /** What is shown is older than the thread: a replay is under way, or an event is missing. */
  readonly behind: boolean
  /** Why it waits or was given up. */
  readonly error: RivuletError | undefined
}

/** The health of a connection nobody has opened. */
export const idleHealth: ConnectionHealth = Object.freeze({
  phase: 'idle',
  attempt: 0,
  nextRetryAt: undefined,
  lastByteAt: undefined,
  stalled: false,
  behind: false,
  error: undefined,
})

/** The part of a health that the connection's phase tells. */
export function healthOfPhase(
  connection: Connection,
  epochMs: number,
): Pick<ConnectionHealth, 'phase' | 'attempt' | 'nextRetryAt' | 'error'> {
  const { phase, attempt = 0, delayMs, error }: Told = connection
  return { phase, attempt, nextRetryAt: delayMs === undefined ? undefined : epochMs + delayMs, error }
}

/** What any phase may tell. */
interface Told {
  phase: Connection['phase']
  attempt?: number
  delayMs?: number
  error?: RivuletError
}

/** Whether the reader is behind after this frame: from the start of a snapshot or replay until `live`. */
export function behindAfter(frame: Frame, behind: boolean): boolean {
  const sync = frame.type === 'events' ? frame.events.findLast((event) => event.type === 'sync') : undefined
  return sync ? sync.phase !== 'live' : behind
}
