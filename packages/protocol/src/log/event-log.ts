import type { RunEvent, StampedEvent } from '../events/event.ts'
import type { ThreadState } from '../fold/state.ts'

/** Bounds of a log's appends. */
export interface AppendOptions {
  /** Fencing number of the worker that appends; a log refuses one below the highest it has seen with `RUN_CONFLICT`. */
  fence?: number
  /** What a run keeps and becomes durable together with these events, or not at all: see {@link EventLog.keepsFor}. */
  writes?: readonly unknown[]
}

/** Events from a log in order, as one atomic group. */
export interface LogBatch {
  events: readonly StampedEvent[]
  /** `seq` of the last event the log held when this was read: equal to the last of `events` when nothing is left. */
  head: number
}

/**
 * One thread's events in their one total order. The log stamps `seq`; whoever is not in the log has not happened.
 * Implementations keep at least what follows their snapshot.
 */
export interface EventLog {
  /** Random id of this log's lineage; another id means another history. First half of a cursor. */
  readonly id: string
  /**
   * The checkpointer whose writes `append` takes, to make them durable with the events: in one transaction where the store
   * has one. A graph that keeps its threads there does not write them by itself: see `StreamableGraph.journal`.
   */
  readonly keepsFor?: object
  /** `seq` of the last event; 0 when empty. */
  head(): number
  /**
   * Appends as one unit and resolves with the new head once it is as durable as the log promises; readers see it no
   * sooner. Throws `LIMIT_EXCEEDED` when the events cannot be held, `RUN_CONFLICT` when the fence is stale.
   */
  append(events: readonly RunEvent[], options?: AppendOptions): Promise<number>
  /** Up to `limit` events above `after`. Throws `CURSOR_GONE` when some of them were trimmed. */
  read(after: number, limit: number): Promise<LogBatch>
  /**
   * What `read` would answer, at once, where all of it is in memory; `undefined` where it is not. Throws as `read` rejects.
   * A log without it is read through `read`, at the price of some turns for every group of events.
   */
  held?(after: number, limit: number): LogBatch | undefined
  /** The fold of everything up to the head. */
  snapshot(): Promise<ThreadState>
  /** Resolves when the head is above `after`, at once if it already is. Rejects with the signal's reason. */
  waitFor(after: number, signal: AbortSignal): Promise<void>
  /**
   * Calls `listener` each time the head has grown, before the `append` that did it resolves, until the function that it
   * answers is called. What the listener throws is lost. A log without it is waited for through `waitFor`.
   */
  watch?(listener: () => void): () => void
}

/** Splits `<log>.<seq>`; `undefined` when it is not a cursor. Length is bounded at 256. */
export function parseCursor(cursor: string): { log: string; seq: number } | undefined {
  if (cursor.length > 256) return undefined
  const match = /^([A-Za-z0-9_-]+)\.(\d{1,15})$/.exec(cursor)
  return match ? { log: match[1]!, seq: Number(match[2]) } : undefined
}

/** Writes the cursor of an event of this log. Opaque to clients. */
export function formatCursor(log: string, seq: number): string {
  return `${log}.${seq}`
}
