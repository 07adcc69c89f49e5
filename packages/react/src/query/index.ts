export { queryKeys } from './query-keys.ts'
export {
  historyQueryOptions,
  threadQueryOptions,
  threadsQueryOptions,
  type HistoryOptions,
  type HistoryQuerySpec,
  type QuerySpec,
  type ThreadsPageOptions,
} from './query-options.ts'
export { invalidateWithRuns, useThreadHistory, useThreads } from './use-threads.ts'
