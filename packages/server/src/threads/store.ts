import type { Checkpointer } from '@rivulet/core'
import type { EventLog, RunStatus, StreamMode, WireError } from '@rivulet/protocol'
import type { RunRequest } from '../runs/run-request.ts'

/** Where a thread stands: `busy` while a run is under way, else how the last one left it. */
export type ThreadStatus = 'idle' | 'busy' | 'interrupted' | 'error'

/** A conversation. Times are milliseconds since the epoch. */
export interface Thread {
  readonly id: string
  /** Graph of the last run; `undefined` before the first. */
  readonly graph: string | undefined
  /** What its maker said of it, such as a `title`. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly createdAt: number
  readonly updatedAt: number
  readonly status: ThreadStatus
  /**
   * Name under which graphs keep the thread's state. Random and made anew with the thread, so that neither another
   * tenant nor a later thread of the same id ever reads it.
   */
  readonly memory: string
}

/** What may change of a thread. */
export type ThreadChange = Partial<Pick<Thread, 'graph' | 'metadata' | 'status' | 'updatedAt'>>

/** A run as the server remembers it; what happened in it is in the thread's log. */
export interface Run {
  readonly id: string
  readonly graph: string
  /** `queued`: it waits for the runs before it, and has no events yet. */
  readonly status: 'queued' | 'running' | RunStatus
  readonly error: WireError | undefined
  /** Modes recorded beyond the ones that always are. */
  readonly modes: readonly StreamMode[]
  /** Cursor of the log's head before this run. */
  readonly after: string
  /** Digest of what was asked: the same id with another one is a conflict, not the same run. */
  readonly fingerprint: string
  readonly createdAt: number
  /** What was asked, so that it can be carried out after the runs before it, or by another process; gone with its end. */
  readonly request: RunRequest | undefined
  /** Which try this is, from 1: above 1 a process stopped during the ones before. */
  readonly attempt: number
  /** Tries in a row, before this one, that a process stopped during and that wrote no checkpoint. */
  readonly stalls: number
  /** Newest checkpoint of the thread when this try began. */
  readonly from: string | undefined
  /** Newest checkpoint of the thread when the run began. */
  readonly base: string | undefined
  /** What the adapter it was started by keeps with it. */
  readonly adapter?: RunRequest['adapter']
}

/** What may change of a run. */
export type RunChange = Partial<Pick<Run, 'status' | 'error' | 'attempt' | 'stalls' | 'from' | 'base' | 'request'>>

/** How a run ended, and what that changes of its thread. */
export interface RunOutcome {
  readonly status: RunStatus
  readonly error: WireError | undefined
  readonly thread?: ThreadChange
}

/** What came of keeping a run: it may begin, it waits behind `run`, its id is taken by `run`, or the thread is busy with `run`. */
export type StartOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'queued' | 'exists' | 'busy'; readonly run: Run }

/** Which threads are listed. */
export interface ThreadQuery {
  readonly limit: number
  readonly cursor: string | undefined
  /** Only threads whose metadata have all of these, with equal values; values are text, numbers, booleans or `null`. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly status?: ThreadStatus | undefined
}

/** A page of threads, the one used last first. */
export interface ThreadPage {
  readonly threads: readonly Thread[]
  /** Where the next page begins; `undefined` on the last. */
  readonly cursor: string | undefined
}

/** A run that a process before this one left under way. */
export interface LostRun {
  readonly tenant: string
  readonly thread: Thread
  readonly run: Run
}

/**
 * Where threads, runs, logs and checkpoints live. Every call names the tenant, which comes from `auth` and never from a
 * request's body: what belongs to another tenant is not there. Ids are unique within a tenant.
 */
export interface Store {
  /** Keeps the state of graphs that have no memory of their own. */
  readonly checkpointer: Checkpointer
  /** Keeps a new thread; resolves with the one that is there already when its id is taken. */
  createThread(tenant: string, thread: Thread): Promise<{ thread: Thread; created: boolean }>
  getThread(tenant: string, thread: string): Promise<Thread | undefined>
  /** Throws `INVALID_INPUT` for a cursor that no page gave. */
  listThreads(tenant: string, query: ThreadQuery): Promise<ThreadPage>
  /** Changes a thread; does nothing when it is gone. */
  changeThread(tenant: string, thread: string, change: ThreadChange): Promise<void>
  /** Drops a thread with its runs, its log and its checkpoints; `false` when it is not there. */
  deleteThread(tenant: string, thread: string): Promise<boolean>
  /** The thread's log. Throws `NOT_FOUND` without the thread. */
  openLog(tenant: string, thread: string): Promise<EventLog>
  /**
   * Keeps a new run, unless its id is taken: all in one step. On a thread where nothing is under way it is `running`,
   * whatever it says; on a busy one it is kept only when it says `queued`. Throws `LIMIT_EXCEEDED` when more than
   * `maxQueued` would wait.
   */
  startRun(tenant: string, thread: string, run: Run, maxQueued: number): Promise<StartOutcome>
  getRun(tenant: string, thread: string, run: string): Promise<Run | undefined>
  /** The run that is under way. */
  activeRun(tenant: string, thread: string): Promise<Run | undefined>
  /** Runs of a thread, the last first; those under way and waiting, with `inFlight`. */
  listRuns(tenant: string, thread: string, options: { limit: number; inFlight?: boolean }): Promise<readonly Run[]>
  /** Changes a run; does nothing when it or its thread is gone. */
  changeRun(tenant: string, thread: string, run: string, change: RunChange): Promise<void>
  /**
   * Notes how a run ended and how that leaves its thread, in one step, and answers the run that waited behind it longest,
   * which is `running` from now on; does nothing when the run or its thread is gone.
   */
  endRun(tenant: string, thread: string, run: string, end: RunOutcome): Promise<Run | undefined>
  /** Runs that were `running` when the store was opened: those of a process that stopped. */
  lostRuns(): Promise<readonly LostRun[]>
  /**
   * Number for a worker that is about to write a thread's log, higher than any before: a log refuses those it has seen a
   * higher one than.
   */
  nextFence(): Promise<number>
  /**
   * Refuses every write from now on, so that runs under way are left as they are for whoever opens the store next. A
   * store without it forgets: its runs have to be ended.
   */
  handOver?(): Promise<void>
  /** Finishes what is being written and lets go of what is open. */
  close?(): Promise<void>
}
