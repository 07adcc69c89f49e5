export {
  type ErrorCode,
  type GraphState,
  type Message,
  type MessageInput,
  type MessageMeta,
  type Namespace,
  type Part,
  RivuletError,
  type RunEvent,
  type StateOptions,
  type StreamMode,
  type TaskState,
  type ToolCall,
  type Usage,
  type WireError,
} from '@rivulet/protocol/model'
export { type Answer, type CallOptions, Graph, type GraphInput, type StreamOptions } from './graph/compiled.ts'
export { Command, type CommandOptions, END, Send, START } from './graph/command.ts'
export type { GraphDescription } from './graph/describe.ts'
export type { CallableGraph, NodeContext, Progress } from './graph/node-context.ts'
export type { NodeOptions, RetryPolicy, TimeoutPolicy } from './graph/plan.ts'
export { type CompileOptions, type GraphOptions, StateGraph, type TypesOfGraph } from './graph/state-graph.ts'
export { type Field, type FieldOptions, reduced, value } from './state/field.ts'
export { messages } from './state/messages.ts'
export {
  type MessageLike,
  type MessageListUpdate,
  type MessageRemoval,
  removeAllMessages,
  removeMessage,
} from './state/message-list.ts'
export {
  type FieldInputs,
  type FieldLike,
  type FieldUpdates,
  type FieldValues,
  type InputOf,
  type Overwrite,
  overwrite,
  state,
  type StateSchema,
  type UpdateOf,
  type ValueOf,
} from './state/schema.ts'
export { jsonSchemaOf, type StandardIssue, type StandardResult, type StandardSchema } from './state/standard-schema.ts'
export type {
  Checkpoint,
  Checkpointer,
  InterruptRecord,
  PendingStep,
  SavedCheckpoint,
  StateChange,
  TaskRecord,
} from './checkpoint/checkpointer.ts'
export { keepingLog } from './checkpoint/keeping-log.ts'
export { MemoryCheckpointer } from './checkpoint/memory.ts'
export { type CheckpointWrite, isCheckpointWrite, writeTo } from './checkpoint/write.ts'
export {
  callSignal,
  type ChatModel,
  type ChatSource,
  fromAsyncIterable,
  type MessagesInput,
} from './models/chat-model.ts'
export type { ChatOptions, Citation, MessageChunk, ToolCallChunk, ToolSpec } from './models/chunk.ts'
export { type Clock, systemClock, wait } from './models/clock.ts'
export {
  type ScriptedCallRecord,
  scriptedModel,
  type ScriptedModel,
  type ScriptedOptions,
} from './models/scripted-model.ts'
export type { ScriptedAnswer, ScriptedCall, ScriptedTurn } from './models/scripted-turn.ts'
export { getContext, getWriter, interrupt } from './runtime/task-context.ts'
export {
  type CheckpointChunk,
  type Chunks,
  type DebugChunk,
  type InterruptUpdate,
  isRoot,
  type MessageMetadata,
  type StreamedMessage,
  type StreamEntry,
  type TaskChunk,
  type ToolChunk,
} from './stream/chunks.ts'
export type { StreamFilter } from './stream/project.ts'
export {
  type AgentOptions,
  type AgentState,
  type AgentTypes,
  createAgent,
  type NoState,
} from './agents/create-agent.ts'
export type { Prompt, PromptAnswer } from './agents/prompt.ts'
export type { ResponseFormat } from './agents/response-format.ts'
export type { ApprovalAnswer, ApprovalPolicy, ApprovalRequest, Decision, InterruptOn } from './tools/approval.ts'
export { tool, type Tool, type ToolContext, type ToolOptions, type ToolResult } from './tools/tool.ts'
export { toolNode, type ToolNodeOptions, type ToolNodeState } from './tools/tool-node.ts'
export {
  Entrypoint,
  entrypoint,
  type EntrypointOptions,
  type EntryTypes,
  Final,
  final,
  getPreviousState,
} from './functional/entrypoint.ts'
export { task, type TaskFunction } from './functional/task.ts'
