import type { Client, ThreadInfo, ThreadPage } from '@rivulet/client'
import type { GraphState } from '@rivulet/protocol'
import type { DataTag, QueryFunctionContext } from '@tanstack/react-query'
import { queryKeys } from './query-keys.ts'

/** What `useQuery`, `prefetchQuery` and the like take; the key knows the type of what is cached under it. */
export interface QuerySpec<T> {
  queryKey: DataTag<readonly unknown[], T, Error>
  queryFn: (context: Pick<QueryFunctionContext, 'signal'>) => Promise<T>
}

/** Which page of threads. */
export interface ThreadsPageOptions {
  /** Threads on a page. Default: the backend's. */
  limit?: number | undefined
  /** Where the page begins: the `cursor` of the one before. */
  cursor?: string | undefined
}

/** Which part of a thread's history. */
export interface HistoryOptions {
  /** States at most. Default: the backend's. */
  limit?: number | undefined
  /** Id of the checkpoint below which it begins. */
  before?: string | undefined
}

/** A page of the client's threads, the one used last first. */
export function threadsQueryOptions(client: Client, options: ThreadsPageOptions = {}): QuerySpec<ThreadPage> {
  return spec([...queryKeys.threads(client), options], (signal) => client.threads.list({ ...options, signal }))
}

/** What the backend says of one thread. */
export function threadQueryOptions(client: Client, id: string): QuerySpec<ThreadInfo> {
  return spec([...queryKeys.thread(client, id), 'info'], (signal) => client.threads.get(id, { signal }))
}

/** A thread's states, the last first. */
export function historyQueryOptions(
  client: Client,
  id: string,
  options: HistoryOptions = {},
): QuerySpec<readonly GraphState[]> {
  return spec([...queryKeys.thread(client, id), 'history', options], (signal) =>
    client.threads.history(id, { ...options, signal }),
  )
}

function spec<T>(queryKey: readonly unknown[], fetch: (signal: AbortSignal) => Promise<T>): QuerySpec<T> {
  // The tag is for the compiler alone: it says what `fetch` puts under this key.
  return { queryKey: queryKey as QuerySpec<T>['queryKey'], queryFn: ({ signal }) => fetch(signal) }
}
