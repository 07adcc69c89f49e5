export {
  errorCodes,
  type ErrorCode,
  type ErrorDetails,
  type WireError,
  RivuletError,
  errorFromWire,
  toRivuletError,
  messageOfThrown,
} from './errors.ts'
export {
  type Namespace,
  ROOT,
  formatNamespace,
  parseNamespace,
  taskSegment,
  callSegment,
  parseSegment,
  sameNamespace,
  isWithin,
} from './namespace.ts'
export { streamModes, type StreamMode, isStreamMode, alwaysRecorded } from './modes.ts'
export type { Commit, RunOptions, GraphState, StateOptions, StreamableGraph, TaskState } from './graph.ts'
export type { GraphTypes, TypedGraph, TypesOf, UntypedGraph } from './graph-types.ts'
export type { Frame } from './frame.ts'
export type {
  Role,
  Message,
  MessageStatus,
  ToolCall,
  Part,
  MessageMeta,
  Usage,
  MessageInput,
} from './messages/message.ts'
export {
  PROTOCOL_VERSION,
  type Envelope,
  type Stamp,
  type RunStatus,
  type RunStart,
  type RunEnd,
  type ListChange,
  type Values,
  type Updates,
  type TaskStart,
  type TaskOutcome,
  type TaskEnd,
  type CheckpointEvent,
  type MessageStart,
  type StreamedKind,
  type MessageDelta,
  type MessageEnd,
  type MessagePut,
  type MessageRemove,
  type ToolStart,
  type ToolEnd,
  type Custom,
  type Interrupt,
  type RewindTask,
  type RewindTo,
  type ErrorEvent,
  type Sync,
  type RunEvent,
  type StampedEvent,
  type RivuletEvent,
} from './events/event.ts'
export { formatCursor, parseCursor, type AppendOptions, type EventLog, type LogBatch } from './log/event-log.ts'
export { fold, foldAll, foldNews, skipGap, type News } from './fold/fold.ts'
export {
  activeTasks,
  currentRun,
  interruptsOf,
  messageIdsOf,
  messageOf,
  messagesOf,
  progressOf,
  valuesOf,
  type MessageFilter,
} from './fold/read.ts'
export { deserializeState, serializeState, type SerializedEntry, type SerializedState } from './fold/snapshot.ts'
export {
  emptyState,
  type CustomEntry,
  type Entry,
  type Gap,
  type OpenEntry,
  type OpenPart,
  type Origin,
  type PendingInterrupt,
  type Run,
  type Space,
  type TaskRun,
  type ThreadState,
  type ToolRun,
} from './fold/state.ts'
export { toolCallOf, toolCallsOf, type ToolCallState } from './fold/tool-calls.ts'
export { toJson } from './json.ts'
export { normalizeMessage } from './messages/normalize.ts'
export {
  createSseDecoder,
  MAX_EVENT_BYTES,
  type SseDecoder,
  type SseDecoderOptions,
  type SseEvent,
} from './sse/decode-sse.ts'
export { encodeSse, type SseFields } from './sse/encode-sse.ts'
export { createBlockReader, type BlockReader } from './sse/block-reader.ts'
export { mismatch, parseJson } from './sse/parse-json.ts'
export { createFrameDecoder, type FrameDecoder, type FrameDecoderOptions } from './sse/decode-frame.ts'
export {
  encodeFatal,
  encodeFrame,
  encodeSocketFatal,
  encodeSocketFrame,
  wireState,
  type WireState,
} from './sse/encode-frame.ts'
export { memoryLog, type MemoryLogOptions } from './log/memory-log.ts'
export { compactRun } from './log/compact.ts'
export { foldHeld } from './log/fold-held.ts'
export { Shelf } from './log/shelf.ts'
export { Waiters } from './log/waiters.ts'
export { randomId } from './random-id.ts'
export { type ReadFilter } from './events/filter.ts'
export { readLog, type LogReader, type ReadQuery } from './log/reader.ts'
export { recordRun, type RecordOptions } from './log/record-run.ts'
export { nextTurn } from './log/turn.ts'
