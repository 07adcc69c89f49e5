import type { EventLog, RunStatus, StreamMode, WireError } from '@rivulet/protocol'

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
  readonly status: 'running' | RunStatus
  readonly error: WireError | undefined
  /** Modes recorded beyond the ones that always are. */
  readonly modes: readonly StreamMode[]
  /** Cursor of the log's head before this run. */
  readonly after: string
  /** Digest of what was asked: the same id with another one is a conflict, not the same run. */
  readonly fingerprint: string
  readonly createdAt: number
}

/** What came of starting a run: it is new, its id is taken by `run`, or the thread is busy with `run`. */
export type StartOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists'; readonly run: Run }
  | { readonly kind: 'busy'; readonly run: Run }

/** A page of threads, the one used last first. */
export interface ThreadPage {
  readonly threads: readonly Thread[]
  /** Where the next page begins; `undefined` on the last. */
  readonly cursor: string | undefined
}

/**
 * Where threads, runs and logs live. Every call names the tenant, which comes from `auth` and never from a request's
 * body: what belongs to another tenant is not there. Ids are unique within a tenant.
 */
export interface Store {
  /** Keeps a new thread; resolves with the one that is there already when its id is taken. */
  createThread(tenant: string, thread: Thread): Promise<{ thread: Thread; created: boolean }>
  getThread(tenant: string, thread: string): Promise<Thread | undefined>
  /** Throws `INVALID_INPUT` for a cursor that no page gave. */
  listThreads(tenant: string, page: { limit: number; cursor: string | undefined }): Promise<ThreadPage>
  /** Changes a thread; does nothing when it is gone. */
  changeThread(tenant: string, thread: string, change: ThreadChange): Promise<void>
  /** Drops a thread with its runs and its log; `false` when it is not there. */
  deleteThread(tenant: string, thread: string): Promise<boolean>
  /** The thread's log. Throws `NOT_FOUND` without the thread. */
  openLog(tenant: string, thread: string): Promise<EventLog>
  /** Keeps a new run, unless its id is taken or another one is running: all in one step. */
  startRun(tenant: string, thread: string, run: Run): Promise<StartOutcome>
  getRun(tenant: string, thread: string, run: string): Promise<Run | undefined>
  /** The run that is under way. */
  activeRun(tenant: string, thread: string): Promise<Run | undefined>
  /** Notes how a run ended; does nothing when it or its thread is gone. */
  endRun(
    tenant: string,
    thread: string,
    run: string,
    end: { status: RunStatus; error: WireError | undefined },
  ): Promise<void>
}
