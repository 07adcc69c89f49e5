import type { RivuletError } from './errors.ts'
import type { RunEvent } from './events/event.ts'
import type { StreamMode } from './modes.ts'
import type { Namespace } from './namespace.ts'

/** How a run is asked of a graph. */
export interface RunOptions {
  /** Id of the run; made when left out. */
  runId?: string
  /** Name it is served under, for `run.start`. Default: the one it was compiled with. */
  graph?: string
  /** Thread whose state it continues; without one the run starts empty and nothing is kept. */
  threadId?: string
  /** Checkpoint to go on from instead of the thread's last. */
  checkpointId?: string
  /** Stops the run: its nodes' signals fire and it ends `cancelled`. */
  signal?: AbortSignal
  /** Modes recorded beyond the ones that always are. */
  modes?: readonly StreamMode[]
  tags?: readonly string[]
  metadata?: Readonly<Record<string, unknown>>
  /** What nodes read as `ctx.context`. */
  context?: unknown
  /** Supersteps before `RECURSION_LIMIT`. Default 25. */
  recursionLimit?: number
  maxConcurrency?: number
  durability?: 'sync' | 'async' | 'exit'
  /**
   * Whoever reads the events already has what the thread held before this run. Otherwise, the default, the run begins
   * with a `message` for every message of its state, so that its events stand for themselves.
   */
  historyInLog?: boolean
  /**
   * Which try of the run this is, from 1. Above 1 the process that ran it stopped: readers are taken back to the
   * checkpoint it goes on from by a `rewind` of reason `recovery`. Give `null` as input when the tries before had written
   * a checkpoint, else the same input again.
   */
  attempt?: number
}

/** A thread's state as a graph keeps it. */
export interface GraphState {
  values: Readonly<Record<string, unknown>>
  /** Nodes that would run next; empty at the end. */
  next: readonly string[]
  checkpointId?: string
  parentCheckpointId?: string
  /** Milliseconds since the epoch. */
  createdAt?: number
  /** Superstep it was written after; -1 for the input. */
  step?: number
  source?: 'input' | 'loop' | 'update' | 'fork'
  interrupts?: readonly { id: string; value: unknown }[]
  metadata?: Readonly<Record<string, unknown>>
  /** Tasks of the next step that have not ended; where they were asked for by `subgraphs`. */
  tasks?: readonly TaskState[]
}

/** A task that is still to run, or to go on. */
export interface TaskState {
  id: string
  /** Node that runs. */
  name: string
  /** What it waits for, itself or in graphs below it; `ns` says in which graph. */
  interrupts: readonly { id: string; value: unknown; ns?: Namespace }[]
  /**
   * Where the graph below it keeps its state, once there is one. Of several (a node may call more than one, and its tools
   * may) the first that waits; the others are named by `interrupts`.
   */
  ns?: Namespace
  /** That state. Left out when the graph does not know which one its node calls. */
  state?: GraphState
}

/** Which of a thread's states is meant. */
export interface StateOptions {
  /** Checkpoint; default: the newest. */
  checkpointId?: string
  /** Namespace of a graph below the root, as events and interrupts name it. Default: the root. */
  ns?: Namespace
  /** Also the tasks of the next step, with the states of the graphs below them, at any depth. Default `false`. */
  subgraphs?: boolean
}

/** What a run keeps, in its place among the events: it holds once all events before it do. */
export interface Commit {
  readonly type: 'commit'
  /** For `EventLog.append`; opaque to everybody but the store. */
  readonly writes: readonly unknown[]
  /** To be called once: when the writes are durable with all events before them, or with why they are not. */
  readonly settle: (failure?: RivuletError) => void
}

/**
 * What servers and the in-process transport ask of a graph, by structure: a compiled Rivulet graph has it, and so can
 * anything else that emits the event model.
 */
export interface StreamableGraph {
  /** Runs once and yields every event from `run.start` to `run.end`. Errors of the run are in `run.end`, not thrown. */
  events(input: unknown, options?: RunOptions): AsyncIterable<RunEvent>
  /**
   * As `events`, for a store that keeps a run's events and checkpoints together: what the run keeps comes as
   * {@link Commit} in its place among the events and is not written otherwise. The run waits for it where `durability`
   * says so, and before `run.end`. A failed commit ends the run `error`. `undefined` when the graph does not keep its
   * threads in `checkpointer`.
   */
  journal?(checkpointer: object, input: unknown, options?: RunOptions): AsyncIterable<RunEvent | Commit> | undefined
  /**
   * Throws `INVALID_INPUT` when a run could not take this input, so that a caller is told before anything begins. What
   * depends on the thread's state is judged by that of `threadId`, at `checkpointId` or its newest; without a thread it
   * is left to the run.
   */
  checkInput?(input: unknown, options?: Pick<RunOptions, 'threadId' | 'checkpointId'>): Promise<void>
  /** This graph with a memory of its threads: itself when it has a checkpointer. */
  withMemory?(): StreamableGraph
  /** A text is the checkpoint's id. */
  getState?(threadId: string, at?: string | StateOptions): Promise<GraphState | undefined>
  getStateHistory?(
    threadId: string,
    options?: { limit?: number; before?: string; ns?: Namespace },
  ): AsyncIterable<GraphState>
  updateState?(
    threadId: string,
    update: unknown,
    options?: { asNode?: string; checkpointId?: string; ns?: Namespace },
  ): Promise<string>
  /** Its nodes and edges as JSON. */
  describe?(): object
  /** Forgets a thread: its checkpoints are gone, and a later run on that id starts empty. */
  deleteThread?(threadId: string): Promise<void>
}
