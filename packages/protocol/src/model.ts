/**
 * What runs and messages are, without what reads them: no fold, no log, no wire. The runtime imports this, so that
 * importing it costs no more than it needs. Everything here is in the main entry too.
 */
export { type ErrorCode, type WireError, RivuletError, messageOfThrown, toRivuletError } from './errors.ts'
export {
  callSegment,
  formatNamespace,
  isCallSegment,
  isWithin,
  type Namespace,
  parseSegment,
  ROOT,
  sameNamespace,
  taskSegment,
} from './namespace.ts'
export { alwaysRecorded, isStreamMode, type StreamMode, streamModes } from './modes.ts'
export type { Commit, GraphState, RunOptions, StateOptions, StreamableGraph, TaskState } from './graph.ts'
export type { GraphTypes, TypedGraph } from './graph-types.ts'
export type { Message, MessageInput, MessageMeta, Part, ToolCall, Usage } from './messages/message.ts'
export {
  type Custom,
  type Envelope,
  type ListChange,
  type MessageDelta,
  type MessageEnd,
  type MessagePut,
  type MessageStart,
  PROTOCOL_VERSION,
  type RunEnd,
  type RunEvent,
  type RunStatus,
  type TaskEnd,
  type TaskStart,
  type Updates,
  type Values,
} from './events/event.ts'
export type { AppendOptions, EventLog } from './log/event-log.ts'
export { toJson } from './json.ts'
export { normalizeMessage } from './messages/normalize.ts'
export { nextTurn } from './log/turn.ts'
