import type { GraphTypes, Message, Namespace, Role, StreamMode, ToolCall, WireError } from '@rivulet/protocol'
import type { MessageChunk } from '../models/chunk.ts'

/** A chunk of the `messages` mode: a piece of a streaming message, or a whole one that came without streaming. */
export interface StreamedMessage extends MessageChunk {
  id: string
  role: Role
  /** What is new of the text; the whole text of a message that did not stream. */
  content: string
  name?: string
  toolCallId?: string
  toolCalls?: readonly ToolCall[]
  status?: Message['status']
}

/** What comes with each chunk of the `messages` mode: the same object for all chunks of one message. */
export interface MessageMetadata {
  langgraph_node: string
  langgraph_step: number
  tags: readonly string[]
  /** Name of the model call, or of the node that returned the message. */
  name: string | undefined
  namespace: Namespace
  run: string
  attempt: number
  readonly [key: string]: unknown
}

/** A chunk of the `tasks` mode. */
export type TaskChunk =
  | { id: string; name: string; input: unknown; triggers: readonly string[]; interrupts: readonly [] }
  | {
      id: string
      name: string
      result: unknown
      error: WireError | null
      interrupts: readonly { id: string; value: unknown }[]
      outcome: string
    }

/** A chunk of the `checkpoints` mode. */
export interface CheckpointChunk {
  id: string
  parentId: string | undefined
  values: unknown
  next: readonly string[]
  metadata: { source: string; step: number }
}

/** A chunk of the `debug` mode: checkpoints and tasks with their time. */
export interface DebugChunk {
  type: 'checkpoint' | 'task' | 'task_result'
  step: number
  /** ISO 8601. */
  timestamp: string
  payload: TaskChunk | CheckpointChunk
}

/** A chunk of the `tools` mode. `input` and `output` are values, not text. */
export type ToolChunk =
  | { event: 'on_tool_start'; toolCallId: string; name: string; input: unknown }
  | { event: 'on_tool_event'; toolCallId: string; name: string; data: unknown }
  | { event: 'on_tool_end'; toolCallId: string; name: string; output: unknown }
  | { event: 'on_tool_error'; toolCallId: string; name: string; error: WireError }

/** Interrupts as the `updates` mode shows them. */
export interface InterruptUpdate<Value = unknown> {
  __interrupt__: readonly { id: string; value: Value }[]
}

/** What each mode yields for a graph of these types. */
export interface Chunks<T extends GraphTypes> {
  values: T['state']
  updates: { [N in T['nodes']]?: T['update'] } & Partial<InterruptUpdate<T['interrupt']>>
  custom: T['custom']
  messages: [message: StreamedMessage, metadata: MessageMetadata]
  tasks: TaskChunk
  checkpoints: CheckpointChunk
  debug: DebugChunk
  tools: ToolChunk
}

/** The same below the root, where the graph is another one. */
interface ChunksBelow extends Omit<Chunks<GraphTypes>, 'values' | 'updates' | 'custom'> {
  values: unknown
  updates: unknown
  custom: unknown
}

type Below = readonly [string, ...string[]]

/** One entry of a stream by its options: `chunk`, `[mode, chunk]`, `[ns, chunk]`, `[ns, mode, chunk]`. */
export type StreamEntry<T extends GraphTypes, M, Sub extends boolean> = M extends readonly StreamMode[]
  ? { [K in M[number]]: Sub extends true ? Nested<T, K, true> : [mode: K, chunk: Chunks<T>[K]] }[M[number]]
  : M extends StreamMode
    ? Sub extends true
      ? Nested<T, M, false>
      : Chunks<T>[M]
    : never

type Nested<T extends GraphTypes, K extends StreamMode, Named> = Named extends true
  ? [ns: readonly [], mode: K, chunk: Chunks<T>[K]] | [ns: Below, mode: K, chunk: ChunksBelow[K]]
  : [ns: readonly [], chunk: Chunks<T>[K]] | [ns: Below, chunk: ChunksBelow[K]]

/** Whether an entry of a stream with subgraphs comes from the root: narrows its chunk. */
export function isRoot<E extends readonly [ns: readonly string[], ...rest: unknown[]]>(
  entry: E,
): entry is Extract<E, readonly [ns: readonly [], ...rest: unknown[]]> {
  return entry[0].length === 0
}
