import type { WireError } from '../errors.ts'
import type { RunEvent, RunStatus, StreamedKind, TaskOutcome } from '../events/event.ts'
import type { Message, MessageMeta, Role } from '../messages/message.ts'
import type { Namespace } from '../namespace.ts'

/**
 * Everything a thread's events add up to. Immutable: {@link fold} returns a new state that shares what did not change,
 * so an unchanged part keeps its identity. Read it with the functions of `read.ts`, not by its fields: where a message
 * stands (`settled`, `live`) is a matter of cost, not of meaning.
 */
export interface ThreadState {
  /** Id of the log these events came from; `""` before the first. */
  readonly log: string
  /** `seq` of the last event applied; 0 before the first. */
  readonly cursor: number
  /** Set when an event is missing; nothing but a `sync` is applied until then. */
  readonly gap: Gap | undefined
  /** Runs by id, the last {@link KEPT_RUNS}, in order of their start. */
  readonly runs: ReadonlyMap<string, Run>
  /** Id of the run that started last. */
  readonly current: string | undefined
  /** By wire form of the namespace. */
  readonly spaces: ReadonlyMap<string, Space>
  /** Messages that are not streaming, by id. */
  readonly settled: ReadonlyMap<string, Entry>
  /** Messages that are streaming, by id. */
  readonly live: ReadonlyMap<string, OpenEntry>
  /** Provider's id to ours, for finding a message that a foreign wire names by it. */
  readonly aliases: ReadonlyMap<string, string>
  /** Tool calls that ran or run, by call id, the last {@link KEPT_TOOLS}. */
  readonly tools: ReadonlyMap<string, ToolRun>
  /** Tasks of the current run: all that run, and the last {@link KEPT_TASKS} that ended. */
  readonly tasks: ReadonlyMap<string, TaskRun>
  /** Last custom value and count per task or tool call and name. */
  readonly custom: ReadonlyMap<string, CustomEntry>
  /** The last {@link KEPT_CUSTOM} customs, oldest first. */
  readonly recent: readonly CustomEntry[]
  /** Interrupts nobody has answered yet, by id. */
  readonly interrupts: ReadonlyMap<string, PendingInterrupt>
  /** Errors that did not end a run, the last {@link KEPT_ERRORS}. */
  readonly errors: readonly WireError[]
  /** Events seen but not used: late ones of an ended run, unknown types, malformed ones. */
  readonly ignored: number
  /** The same object in all states of a thread: readers remember under it what they answered last. Says nothing. */
  readonly lineage: object | undefined
  /** The last state of which nothing can be withdrawn any more; the empty one at first. */
  readonly base: ThreadState | undefined
  /** What messages and lists were made of since then, newest first: a `rewind` folds what remains of it again. */
  readonly since: Since | undefined
}

/** Something told since the base, and what was told before it. */
export interface Since {
  readonly told: Told
  readonly before: Since | undefined
}

/**
 * An event that bears on messages and lists, without what the state holds anyway: the values of a `values`, texts. A
 * message that streamed is `closed` when it ended or was cut.
 */
export type Told =
  | Extract<RunEvent, { type: 'message.start' | 'message' | 'message.remove' | 'run.start' | 'run.end' }>
  | Extract<RunEvent, { type: 'values' | 'task.start' | 'task.end' }>
  | ClosedMessage

/** A message that streamed and does not any more, as it stands. Its meta says where it came from. */
export interface ClosedMessage {
  type: 'closed'
  message: Message
}

/**
 * How much is kept of what may grow. Maps are trimmed in bulk, when they hold twice as many; of tasks only those that
 * ended count.
 */
export const KEPT_RUNS = 32
export const KEPT_TOOLS = 1000
export const KEPT_TASKS = 256
export const KEPT_CUSTOM = 256
export const KEPT_CUSTOM_KEYS = 1000
export const KEPT_ERRORS = 32

/** What is missing, in one sentence, and the first event that could not be applied. */
export interface Gap {
  reason: string
  seq: number
}

/** A run as its events tell it. */
export interface Run {
  id: string
  graph: string | undefined
  attempt: number
  status: 'running' | RunStatus
  error: WireError | undefined
  checkpoint: string | undefined
  assumed: boolean
}

/** One graph's state: the root's, or a subgraph call's. */
export interface Space {
  readonly ns: Namespace
  /** State without its message lists. */
  readonly values: Readonly<Record<string, unknown>>
  /** Message lists of the state by key: ids in order. */
  readonly lists: Readonly<Record<string, readonly string[]>>
  /** Ids that are in no list (yet), in order of arrival. */
  readonly pending: readonly string[]
  /** Of those, the ones that are off its page: the `values` of their step came and no list took them. */
  readonly aside: readonly string[]
  /** Of all these, the ones whose message is not the committed one: it streams, or came after its last `values`. */
  readonly touched: readonly string[]
  /** Ids that a list names and of which nothing has come. */
  readonly awaited: readonly string[]
  /** Keys of message lists that the namespace above has too. */
  readonly shared?: readonly string[]
  /** Namespaces directly below, by key, whose shared lists this one's page shows until its next `values`. */
  readonly showing?: readonly string[]
}

/** Who emitted something: what a `rewind` names. */
export interface Origin {
  readonly run: string
  readonly ns: Namespace
  readonly task: string | undefined
  readonly attempt: number
}

/** A message with what the fold must know of it. */
export interface Entry {
  readonly message: Message
  readonly origin: Origin
  readonly step: number | undefined
  /** Where it was committed, the last place last. */
  readonly held: readonly Held[]
}

/** A message as a namespace committed it: the one that holds this, or another that was there before. */
export interface Held {
  readonly ns: Namespace
  readonly message?: Message
}

/** A message that is streaming. Text grows by appending; a {@link Message} is built when somebody reads it. */
export interface OpenEntry {
  readonly id: string
  readonly role: Role
  readonly name: string | undefined
  readonly toolCallId: string | undefined
  readonly meta: MessageMeta
  readonly parts: readonly OpenPart[]
  readonly origin: Origin
  readonly step: number | undefined
  readonly held: readonly Held[]
}

/** One growing part of a streaming message. */
export interface OpenPart {
  readonly kind: StreamedKind
  readonly text: string
  readonly callId: string | undefined
  readonly name: string | undefined
}

/** A tool call that ran or runs. */
export interface ToolRun {
  readonly id: string
  readonly name: string
  readonly status: 'running' | 'done' | 'error' | 'cut'
  readonly input: unknown
  readonly output: unknown
  readonly error: WireError | undefined
  readonly node: string | undefined
  readonly origin: Origin
}

/** A task that ran or runs. */
export interface TaskRun {
  readonly id: string
  readonly node: string
  readonly step: number | undefined
  readonly status: 'running' | TaskOutcome
  readonly error: WireError | undefined
  readonly origin: Origin
}

/** A custom value with where it came from. */
export interface CustomEntry {
  readonly name: string | undefined
  readonly data: unknown
  readonly node: string | undefined
  readonly toolCallId: string | undefined
  readonly seq: number
  /** How many of its key there have been. */
  readonly count: number
  readonly origin: Origin
}

/** A question to a person that nobody has answered yet. */
export interface PendingInterrupt {
  readonly id: string
  readonly value: unknown
  readonly schema: unknown
  readonly node: string | undefined
  readonly origin: Origin
}

/** The state before any event. */
export function emptyState(): ThreadState {
  return EMPTY
}

const EMPTY: ThreadState = Object.freeze({
  log: '',
  cursor: 0,
  gap: undefined,
  runs: new Map(),
  current: undefined,
  spaces: new Map(),
  settled: new Map(),
  live: new Map(),
  aliases: new Map(),
  tools: new Map(),
  tasks: new Map(),
  custom: new Map(),
  recent: [],
  interrupts: new Map(),
  errors: [],
  ignored: 0,
  lineage: undefined,
  base: undefined,
  since: undefined,
})
