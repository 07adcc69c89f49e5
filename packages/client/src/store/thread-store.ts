import type { RivuletError, RivuletEvent, StreamMode, TypedGraph, TypesOf, UntypedGraph } from '@rivulet/protocol'
import type { Multitask, OnInterrupted, ThreadFilter } from '../transports/transport.ts'
import type { ThreadFacts } from './facts.ts'
import type { ThreadView } from './observers.ts'
import type { RunHandle, RunResult } from './run-handle.ts'
import type { ThreadSnapshot, ValuesOf } from './snapshot.ts'

/** What a run may be started with. */
export interface SubmitOptions<G extends TypedGraph = UntypedGraph> {
  /** Stops the run, as {@link RunHandle.stop} does. */
  signal?: AbortSignal | undefined
  /**
   * Id of the run, by which a start that is sent again is the same run: for a page that kept what it had not got through
   * before it was reloaded. A run the thread has, or waits to start, is joined. Default: one that is made.
   */
  run?: string | undefined
  /** Modes to record beyond the ones that always are. Default: those of the thread. */
  modes?: readonly StreamMode[] | undefined
  /** Answers the thread's interrupt, or its interrupts by their ids; an input beside it updates the state. */
  resume?: TypesOf<G>['resume'] | Readonly<Record<string, TypesOf<G>['resume']>> | undefined
  /** Nodes to run next, besides what follows from where the thread stands; an input beside them updates the state. */
  goto?: readonly TypesOf<G>['nodes'][] | undefined
  /** Checkpoint to go on from instead of the thread's last: how an earlier message is edited or answered anew. */
  checkpointId?: string | undefined
  /**
   * What to do while another run is under way: `reject` (the default) fails with `RUN_CONFLICT`; `enqueue` waits for its
   * end; `interrupt` stops it and keeps what it said; `rollback` stops it and takes the thread back to where it began.
   */
  multitask?: Multitask | undefined
  /**
   * What a new input does on a thread that waits for an answer: `reject` (the default) fails with `RUN_CONFLICT`;
   * `discard` gives the question up.
   */
  onInterrupted?: OnInterrupted | undefined
  metadata?: Readonly<Record<string, unknown>> | undefined
  tags?: readonly string[] | undefined
  /** What nodes read as `ctx.context`. */
  context?: unknown
  /** Supersteps before `RECURSION_LIMIT`. */
  recursionLimit?: number | undefined
}

/** Which thread, and what to be told of it. */
export interface ThreadOptions<G extends TypedGraph = UntypedGraph> {
  /** Name of the graph that runs are started on. */
  graph: string
  /** Id of the thread; without one it is made when the first run is submitted. */
  threadId?: string | undefined
  /** State key of the message list. Default `messages`. */
  messagesKey?: string | undefined
  /** Shown as `values`, messages included, until the thread's own are there. */
  initialValues?: ValuesOf<G> | undefined
  /** Modes that its runs record beyond the ones that always are; whatever is recorded is read. */
  modes?: readonly StreamMode[] | undefined
  /** Which of the thread's events to read. Default: all. */
  filter?: ThreadFilter | undefined
  /** Told the id once it is made. */
  onThreadId?: ((threadId: string) => void) | undefined
  /** Told of every event once it is applied, and of each snapshot that takes the place of events. */
  onEvent?: ((event: RivuletEvent) => void) | undefined
  /** Told of what fails: a start, a cancel, the connection once it is given up, a run. */
  onError?: ((error: RivuletError) => void) | undefined
  /** Told of every run's end that is seen to come, whoever started it. */
  onFinish?: ((result: RunResult<G>, run: string) => void) | undefined
}

/**
 * One thread, kept in step with the backend over at most one connection at a time. Methods may be passed around alone.
 */
export interface ThreadStore<G extends TypedGraph = UntypedGraph> extends ThreadView<ThreadSnapshot<G>> {
  /** Id of the thread; `undefined` until the first run is submitted when none was given. */
  readonly id: string | undefined
  /** All it knows at this moment, as one immutable value: what a view with a pace of its own is fed with. */
  readonly facts: ThreadFacts
  /**
   * Starts a run. The user's messages of the input are shown at once; on failure they stay, marked so. Never throws:
   * what fails is in the handle's result, in the snapshot's `error`, and told to `onError`.
   */
  submit(input?: TypesOf<G>['input'], options?: SubmitOptions<G>): RunHandle<G>
  /**
   * Cancels the run that is under way, or this one, which may wait in the queue. Resolves when it ended, its partial
   * answer saved. Never rejects; without a run it does nothing.
   */
  stop(run?: string): Promise<void>
  /**
   * Does again what failed: opens a connection that was given up, sends a start that did not get through (the same run,
   * so nothing happens twice), or goes on where the last run failed: from its checkpoint, or with its input once more
   * when it wrote none. Returns the run's handle when it started one.
   */
  retry(): RunHandle<G> | undefined
  /** Somebody watches: the thread is kept open until the returned function is called. */
  follow(): () => void
  /** Calls back with every event once it is applied. The function it returns ends that. */
  listen(fn: (event: RivuletEvent) => void): () => void
  /** Ends everything on this side. Runs go on where they run. */
  dispose(): void
}
