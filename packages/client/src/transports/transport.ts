import type { Frame, GraphState, Namespace, StreamMode } from '@rivulet/protocol'

/**
 * What a run does to the one under way: nothing, as it is refused; wait for its end; stop it and keep what it said; stop
 * it and take the thread back to where it began.
 */
export type Multitask = 'reject' | 'enqueue' | 'interrupt' | 'rollback'

/** What a new input does to a question that waits for its answer: nothing, as it is refused; give it up. */
export type OnInterrupted = 'reject' | 'discard'

/** A run to be started. */
export interface StartRequest {
  /** Id made by the client; the same id again joins the same run, so that a start may be repeated safely. */
  run: string
  /** Name of the graph. */
  graph: string
  input: unknown
  /** Modes to record beyond the ones that always are. */
  modes?: readonly StreamMode[] | undefined
  /** Answer to the thread's interrupt, or answers by interrupt id. */
  resume?: unknown
  /** Nodes to run next besides what follows from where the thread stands; an input beside them updates the state. */
  goto?: readonly string[] | undefined
  /** Checkpoint to go on from instead of the thread's last. */
  checkpointId?: string | undefined
  /** What to do while another run is under way on the thread. Default `reject`. */
  multitask?: Multitask | undefined
  /** What a new input does on a thread that waits for an answer. Default `reject`. */
  onInterrupted?: OnInterrupted | undefined
  metadata?: Readonly<Record<string, unknown>> | undefined
  tags?: readonly string[] | undefined
  /** What nodes read as `ctx.context`. */
  context?: unknown
  /** Supersteps before `RECURSION_LIMIT`. */
  recursionLimit?: number | undefined
}

/** Whether a run only brings something new, and does not say itself what it means on a thread that asks. */
export function isPlainInput({ input, resume, goto, checkpointId }: StartRequest): boolean {
  const saysMore = resume !== undefined || goto !== undefined || checkpointId !== undefined
  return input !== undefined && input !== null && !saysMore
}

/**
 * Which of a thread's events to read; lists are alternatives, fields add up. What is left out is not filtered by. The
 * starts and ends of runs, interrupts and errors always come.
 */
export interface ThreadFilter {
  /** Only these namespaces and those below them. */
  namespaces?: readonly Namespace[] | undefined
  /** Of what nodes produce, only that of these. */
  nodes?: readonly string[] | undefined
  /** Of messages, only those with one of these tags. */
  tags?: readonly string[] | undefined
}

/** What to open: with `start` a run, read until its end; without it the thread, until `until` ends or for ever. */
export interface OpenRequest {
  thread: string
  start?: StartRequest | undefined
  /** Id of the run whose end ends the stream. */
  until?: string | undefined
  /** Default: everything that was recorded. */
  filter?: ThreadFilter | undefined
}

/** How a call on a transport is stopped. */
export interface CallOptions {
  signal?: AbortSignal | undefined
}

/** A thread as lists show it. Times are milliseconds since the epoch. */
export interface ThreadInfo {
  id: string
  /** Graph of its last run. */
  graph?: string
  /** `busy` while a run is under way, else how the last one left it; `idle` when it is done, cancelled or never was. */
  status: 'idle' | 'busy' | 'interrupted' | 'error'
  createdAt: number
  updatedAt: number
  metadata?: Readonly<Record<string, unknown>>
}

/** One page of threads, the one used last first. */
export interface ThreadPage {
  threads: readonly ThreadInfo[]
  /** Hand it in to get the next page; left out on the last. */
  cursor?: string
}

/** Which of a thread's states is fetched. */
export interface StateRequest extends CallOptions {
  /** Checkpoint; default: the newest. */
  checkpointId?: string | undefined
  /** Namespace of a graph below the root, as events and interrupts name it. Default: the root. */
  ns?: Namespace | undefined
  /** Also the `tasks` of the next step, each with the state of the graph below it, at any depth. Default `false`. */
  subgraphs?: boolean | undefined
}

/** How a thread's state is updated. */
export interface UpdateOptions extends CallOptions {
  /** Node in whose name it is written, which decides what runs next. Default: the one that ran last. */
  asNode?: string | undefined
  /** Checkpoint to go on from. Default: the thread's last. */
  checkpointId?: string | undefined
  /** Namespace of a graph below the root, which waits for an answer. Default: the root. */
  ns?: Namespace | undefined
}

/** Which of a thread's states are fetched. */
export interface HistoryOptions extends CallOptions {
  /** At most so many. */
  limit?: number | undefined
  /** Only those older than this checkpoint. */
  before?: string | undefined
  /** Namespace of a graph below the root. Default: the root. */
  ns?: Namespace | undefined
  /** Of lists of messages their ids are enough, and other values are not needed; whole states are an answer, too. */
  outline?: boolean | undefined
}

/** What a thread that begins with another's state is like. */
export interface ForkRequest {
  /** Id of the new thread. Default: one that is made. */
  id?: string | undefined
  /** Checkpoint whose state it begins with. Default: the last. */
  checkpointId?: string | undefined
  metadata?: Readonly<Record<string, unknown>> | undefined
}

/** Threads as a backend keeps them. */
export interface ThreadsApi {
  list(options?: CallOptions & { limit?: number | undefined; cursor?: string | undefined }): Promise<ThreadPage>
  create(
    thread: { id?: string; graph?: string; metadata?: Readonly<Record<string, unknown>> },
    options?: CallOptions,
  ): Promise<ThreadInfo>
  get(id: string, options?: CallOptions): Promise<ThreadInfo>
  delete(id: string, options?: CallOptions): Promise<void>
  /** Makes a thread that begins with this one's state. */
  fork?(id: string, fork?: ForkRequest, options?: CallOptions): Promise<ThreadInfo>
}

/**
 * A way to a backend: the only thing a backend's author implements, and `open` the only part that must be there. What a
 * transport throws should be a `RivuletError`: `retryable` decides whether it is tried again. Anything else it throws
 * counts as a lost connection.
 */
export interface Transport {
  /**
   * The frames of a stream. `after` is the cursor (`<log>.<seq>`) behind which to begin; without it the stream begins
   * with a snapshot of the thread. A stream that ends before the run it was asked for is a lost connection and is
   * opened again. Before it throws, it may yield a `retry` frame that says how long to wait. Ends when `signal` aborts.
   */
  open(request: OpenRequest, options: { signal: AbortSignal; after: string | undefined }): AsyncIterable<Frame>
  /** Stops a run; resolves when its end is in the log. Without it, to stop means to stop reading. */
  cancel?(thread: string, run: string, options: CallOptions): Promise<void>
  /** A thread's state, now or at a checkpoint, of its graph or of one below; `undefined` when there is none. */
  state?(thread: string, options?: StateRequest): Promise<GraphState | undefined>
  /** A thread's states, the last first. */
  history?(thread: string, options?: HistoryOptions): Promise<readonly GraphState[]>
  /** Writes an update into a thread's state, as a node's would be; resolves with the checkpoint it made. */
  update?(thread: string, update: unknown, options?: UpdateOptions): Promise<{ checkpointId: string }>
  /**
   * Starts or joins a run and resolves once it has ended, without streaming: the last resort where streams do not get
   * through. What it did is read afterwards.
   */
  wait?(thread: string, start: StartRequest, options: CallOptions): Promise<void>
  threads?: ThreadsApi
  /** Makes the id of a new thread, for a backend that takes only ids of its own kind. */
  makeThreadId?(): string
  /**
   * Interval of the backend's heartbeats in milliseconds; `Infinity` when silence is never a stall. Without it the retry
   * policy's `maxSilenceMs` counts.
   */
  heartbeatMs?: number
}
