export {
  createApp,
  type App,
  type AppOptions,
  type CloseOptions,
  type Limits,
  type ServedGraph,
} from './app/create-app.ts'
export type { Api } from './app/api.ts'
export type { Identity } from './app/deps.ts'
export type { CorsOptions } from './http/origin.ts'
export type { LangGraphLike } from './langgraph/langgraph-graph.ts'
export { jsonLines } from './telemetry/json-lines.ts'
export type { Log, LogEntry } from './telemetry/log-entry.ts'
export { memoryStore, type MemoryStoreOptions } from './threads/memory-store.ts'
export type { RunRequest } from './runs/run-request.ts'
export type {
  LostRun,
  Run,
  RunChange,
  RunOutcome,
  StartOutcome,
  Store,
  Thread,
  ThreadChange,
  ThreadPage,
  ThreadQuery,
  ThreadStatus,
} from './threads/store.ts'
