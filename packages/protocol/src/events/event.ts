import type { WireError } from '../errors.ts'
import type { Message, MessageMeta, Part, Role, Usage } from '../messages/message.ts'
import type { StreamMode } from '../modes.ts'
import type { Namespace } from '../namespace.ts'

/** Version of the event model; `run.start` carries it. */
export const PROTOCOL_VERSION = 1

/** What every event of a run says about itself. */
export interface Envelope {
  /** Id of the run. */
  run: string
  /** Graph it came from; left out at the root. */
  ns?: Namespace
  /** Node that produced it. */
  node?: string
  /** Superstep, from 0 for the input and 1 for the first step. */
  step?: number
  /** Task id: node names repeat under `Send` and in loops, task ids do not. */
  task?: string
  /** Which try of the task, from 1; left out when 1. */
  attempt?: number
}

/** What a log adds: the place in the thread's one total order. */
export interface Stamp {
  /** Strictly increasing over the whole thread, across runs. Counted from 1. */
  seq: number
  /** `seq` of the event this reader was sent before this one; left out when it is `seq - 1`. */
  prev?: number
}

/** How a run ended. */
export type RunStatus = 'done' | 'interrupted' | 'cancelled' | 'error'

/** A run begins; for the same run again after a crash, with a higher `attempt`. */
export interface RunStart extends Envelope {
  type: 'run.start'
  graph?: string
  protocol: number
  /** Modes recorded beyond the ones that always are. */
  modes?: readonly StreamMode[]
  /** Ids of the interrupts this run answers. */
  resume?: readonly string[]
}

/** A run is over. Exactly once a run. */
export interface RunEnd extends Envelope {
  type: 'run.end'
  status: RunStatus
  error?: WireError
  /** Last checkpoint the run wrote. */
  checkpoint?: string
  usage?: Usage
  /** The backend does not say that it ended; a clean close was taken for it. */
  assumed?: boolean
}

/** How a message list of the state changed: ids appended, or the whole new order. */
export type ListChange = { append: readonly string[] } | { ids: readonly string[] }

/** What changed in a namespace's state since its last `values`. Message bodies travel in message events; here stand their ids. */
export interface Values extends Envelope {
  type: 'values'
  set?: Readonly<Record<string, unknown>>
  unset?: readonly string[]
  /** By state key, for keys that hold message lists. */
  lists?: Readonly<Record<string, ListChange>>
  /** Everything not named here is gone: the first of a run, and what foreign wires send. */
  full?: boolean
  /**
   * On the first of a graph that is a node: keys of its message lists that the graph above has too. What streams into them
   * is on the page of that graph at once, until that graph's own `values` say what it took of it.
   */
  shared?: readonly string[]
}

/** What one node returned. */
export interface Updates extends Envelope {
  type: 'updates'
  update: unknown
  /** The task had ended before its run was interrupted; it did not run again. */
  cached?: boolean
}

/** A task begins. `input` and `triggers` only when the run records tasks. */
export interface TaskStart extends Envelope {
  type: 'task.start'
  task: string
  node: string
  input?: unknown
  triggers?: readonly string[]
}

/** How a task ended. */
export type TaskOutcome = 'ok' | 'error' | 'interrupted' | 'cached' | 'aborted'

/** A task is over; every start has exactly one end. `result` only when the run records tasks. */
export interface TaskEnd extends Envelope {
  type: 'task.end'
  task: string
  node: string
  outcome: TaskOutcome
  result?: unknown
  error?: WireError
  interrupts?: readonly { id: string; value: unknown }[]
}

/** A checkpoint was written. `values` only for `debug`. */
export interface CheckpointEvent extends Envelope {
  type: 'checkpoint'
  id: string
  parent?: string
  source: 'input' | 'loop' | 'update' | 'fork'
  next: readonly string[]
  values?: unknown
}

/** A message begins to stream. What is known of it is said once, here. */
export interface MessageStart extends Envelope {
  type: 'message.start'
  id: string
  role: Role
  name?: string
  toolCallId?: string
  meta?: MessageMeta
}

/** What a streamed part is: text, reasoning, or a tool call's arguments as JSON text. */
export type StreamedKind = 'text' | 'reasoning' | 'tool'

/** Text appended to one part of a streaming message. */
export interface MessageDelta extends Envelope {
  type: 'message.delta'
  id: string
  /** Index of the part, counted over all streamed parts of the message in order of appearance. */
  part: number
  /** Length of the part before this text, in UTF-16 code units. */
  at: number
  text: string
  /** On a part's first delta; left out for text. */
  kind?: StreamedKind
  /** On the first delta of a tool call. */
  callId?: string
  /** On the first delta of a tool call: the tool's name. */
  name?: string
}

/** A message is complete. */
export interface MessageEnd extends Envelope {
  type: 'message.end'
  id: string
  /** Length of each part in UTF-16 code units: a mismatch is a gap. */
  lengths: readonly number[]
  usage?: Usage
  finishReason?: string
  providerId?: string
  /** What else the provider said of its answer; laid over the metadata the message began with. */
  metadata?: Readonly<Record<string, unknown>>
  /** Parts that arrive whole: images, files, data. */
  parts?: readonly Part[]
}

/** A whole message that entered or changed without streaming: inserted or replaced by id. */
export interface MessagePut extends Envelope {
  type: 'message'
  message: Message
  /** Id it follows in its namespace's list, when it is not the last. */
  after?: string
}

/** A message was removed from the state. */
export interface MessageRemove extends Envelope {
  type: 'message.remove'
  id: string
}

/** A tool begins to run. `id` is the call's id. */
export interface ToolStart extends Envelope {
  type: 'tool.start'
  id: string
  name: string
  input?: unknown
}

/** A tool ended, with its output or its error. */
export interface ToolEnd extends Envelope {
  type: 'tool.end'
  id: string
  name: string
  output?: unknown
  error?: WireError
}

/** What a node or a tool wrote with its writer. `progress` is the name of `ctx.progress`. */
export interface Custom extends Envelope {
  type: 'custom'
  name?: string
  data: unknown
  /** Tool call it was written in. */
  toolCallId?: string
}

/** The graph waits for a person. */
export interface Interrupt extends Envelope {
  type: 'interrupt'
  id: string
  value: unknown
  /** JSON Schema of the answer. */
  schema?: unknown
}

/** Everything that one attempt of a task emitted is withdrawn, in its namespace and below. */
export interface RewindTask extends Envelope {
  type: 'rewind'
  task: string
  node: string
  attempt: number
}

/** Root state and its message lists become `state`. */
export interface RewindTo extends Envelope {
  type: 'rewind'
  /** Checkpoint id; `null` is the empty state before the first. */
  to: string | null
  reason: 'fork' | 'rollback' | 'recovery'
  state: {
    values: Readonly<Record<string, unknown>>
    lists: Readonly<Record<string, readonly string[]>>
    messages: readonly Message[]
  }
}

/** Something failed and the run goes on. */
export interface ErrorEvent extends Envelope {
  type: 'error'
  error: WireError
}

/**
 * Where a reader stands: a snapshot replaces its state; `replay` and `live` bracket what it already missed. `state` is
 * what `serializeState` wrote; it is unknown here because the fold, which reads it, stands above the events.
 */
export type Sync =
  | { type: 'sync'; phase: 'snapshot'; log: string; state: unknown }
  | { type: 'sync'; phase: 'replay'; log: string }
  | { type: 'sync'; phase: 'live'; log: string }

/** What a run emits, before a log has given it a place. */
export type RunEvent =
  | RunStart
  | RunEnd
  | Values
  | Updates
  | TaskStart
  | TaskEnd
  | CheckpointEvent
  | MessageStart
  | MessageDelta
  | MessageEnd
  | MessagePut
  | MessageRemove
  | ToolStart
  | ToolEnd
  | Custom
  | Interrupt
  | RewindTask
  | RewindTo
  | ErrorEvent

/** An event with its place in the thread. */
export type StampedEvent = RunEvent & Stamp

/** All a reader can be sent. `seq` of a `sync` is the cursor it stands at. */
export type RivuletEvent = StampedEvent | (Sync & Stamp)
