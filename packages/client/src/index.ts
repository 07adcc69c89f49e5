export { createClient, type Client, type ClientOptions, type ClientThreads } from './client.ts'
export { defaultRetryPolicy, type RetryPolicy } from './connection/connection.ts'
export type { ConnectionHealth } from './connection/health.ts'
export { systemTiming, type Timing } from './connection/timing.ts'
export type { ThreadFacts } from './store/facts.ts'
export { agUi, type AgUiOptions } from './foreign/ag-ui.ts'
export { aiSdk, type AiSdkOptions } from './foreign/ai-sdk.ts'
export type { ChatRequest, ChatStreamOptions } from './foreign/chat.ts'
export { openAiStream, type OpenAiStreamOptions } from './foreign/open-ai.ts'
export { plain, type PlainOptions } from './foreign/plain.ts'
export { langgraph, type LangGraphOptions } from './foreign/langgraph.ts'
export { isolate } from './store/isolate.ts'
export { createObservers, type Observers, type ThreadView } from './store/observers.ts'
export type { Outgoing, ShownMessage } from './store/outbox.ts'
export type { RunHandle, RunResult } from './store/run-handle.ts'
export {
  sameItems,
  type CustomEntryOf,
  type PendingInterruptOf,
  type QueuedRun,
  type ThreadSnapshot,
  type ThreadStatus,
  type ValuesOf,
} from './store/snapshot.ts'
export type { SubmitOptions, ThreadOptions, ThreadStore } from './store/thread-store.ts'
export { fetchTransport, type FetchTransportOptions } from './transports/fetch-transport.ts'
export type { SocketLike, SocketOptions } from './transports/socket.ts'
export { webSocketTransport, type WebSocketTransportOptions } from './transports/web-socket-transport.ts'
export { inProcess, type InProcessOptions } from './transports/in-process.ts'
export type {
  CallOptions,
  ForkRequest,
  HistoryOptions,
  Multitask,
  OnInterrupted,
  OpenRequest,
  StartRequest,
  StateRequest,
  ThreadFilter,
  ThreadInfo,
  ThreadPage,
  ThreadsApi,
  Transport,
  UpdateOptions,
} from './transports/transport.ts'
