import type { Client, ThreadInfo, ThreadPage } from '@rivulet/client'
import type { GraphState } from '@rivulet/protocol'
import type { DataTag, InfiniteData, QueryFunctionContext } from '@tanstack/react-query'
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

/** How a thread's history is fetched. */
export interface HistoryOptions {
  /** States on a page. Default 20. */
  limit?: number | undefined
}

/** What `useInfiniteQuery`, `prefetchInfiniteQuery` and the like take for a thread's history. */
export interface HistoryQuerySpec {
  queryKey: DataTag<readonly unknown[], InfiniteData<readonly GraphState[], string | undefined>, Error>
  queryFn: (
    context: Pick<QueryFunctionContext<readonly unknown[], string | undefined>, 'signal' | 'pageParam'>,
  ) => Promise<readonly GraphState[]>
  initialPageParam: string | undefined
  /** Id of the checkpoint below which the next page begins; `undefined` after the last page. */
  getNextPageParam: (page: readonly GraphState[]) => string | undefined
}

/** A page of the client's threads, the one used last first. */
export function threadsQueryOptions(client: Client, options: ThreadsPageOptions = {}): QuerySpec<ThreadPage> {
  return spec([...queryKeys.threads(client), options], (signal) => client.threads.list({ ...options, signal }))
}

/** What the backend says of one thread. */
export function threadQueryOptions(client: Client, id: string): QuerySpec<ThreadInfo> {
  return spec([...queryKeys.thread(client, id), 'info'], (signal) => client.threads.get(id, { signal }))
}

/** A thread's states in pages, the last first. */
export function historyQueryOptions(client: Client, id: string, { limit = 20 }: HistoryOptions = {}): HistoryQuerySpec {
  const queryKey = [...queryKeys.thread(client, id), 'history', { limit }]
  return {
    // The tag is for the compiler alone: it says what the pages below are.
    queryKey: queryKey as readonly unknown[] as HistoryQuerySpec['queryKey'],
    queryFn: ({ signal, pageParam: before }) => client.threads.history(id, { limit, before, signal }),
    initialPageParam: undefined,
    getNextPageParam: (page) => (page.length < limit ? undefined : page.at(-1)?.checkpointId),
  }
}

function spec<T>(queryKey: readonly unknown[], fetch: (signal: AbortSignal) => Promise<T>): QuerySpec<T> {
  // The tag is for the compiler alone: it says what `fetch` puts under this key.
  return { queryKey: queryKey as QuerySpec<T>['queryKey'], queryFn: ({ signal }) => fetch(signal) }
}
