import type { Client, ThreadPage } from '@rivulet/client'
import type { GraphState } from '@rivulet/protocol'
import {
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type QueryClient,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from '@tanstack/react-query'
import { useEffect } from 'react'
import { queryKeys } from './query-keys.ts'
import {
  historyQueryOptions,
  threadsQueryOptions,
  type HistoryOptions,
  type ThreadsPageOptions,
} from './query-options.ts'

/** A page of threads, kept up to date: fetched again when a run begins or ends on a thread of this client. */
export function useThreads(client: Client, options: ThreadsPageOptions = {}): UseQueryResult<ThreadPage> {
  useRunInvalidation(client)
  return useQuery(threadsQueryOptions(client, options))
}

/**
 * A thread's states, the last first, kept up to date: fetched again when a run begins or ends on it. `fetchNextPage`
 * adds older ones to `data` while `hasNextPage`.
 */
export function useThreadHistory(
  client: Client,
  id: string,
  options: HistoryOptions = {},
): UseInfiniteQueryResult<readonly GraphState[]> {
  useRunInvalidation(client)
  return useInfiniteQuery({ ...historyQueryOptions(client, id, options), select: statesOf })
}

function statesOf({ pages }: InfiniteData<readonly GraphState[], string | undefined>): readonly GraphState[] {
  return pages.flat()
}

function useRunInvalidation(client: Client): void {
  const queryClient = useQueryClient()
  useEffect(() => invalidateWithRuns(client, queryClient), [client, queryClient])
}

const watched = new WeakMap<QueryClient, Map<Client, { count: number; stop: () => void }>>()

/**
 * Marks what is cached of a thread, and the lists, as outdated whenever a run begins or ends on it, until the returned
 * function is called. However many ask for the same, it is done once.
 */
export function invalidateWithRuns(client: Client, queryClient: QueryClient): () => void {
  const clients = watched.get(queryClient) ?? new Map<Client, { count: number; stop: () => void }>()
  watched.set(queryClient, clients)
  const known = clients.get(client) ?? { count: 0, stop: startInvalidating(client, queryClient) }
  known.count++
  clients.set(client, known)
  return () => {
    known.count--
    if (known.count > 0) return
    known.stop()
    clients.delete(client)
  }
}

function startInvalidating(client: Client, queryClient: QueryClient): () => void {
  return client.onRun((threadId) => {
    // What cannot be fetched again shows in the queries themselves.
    void queryClient.invalidateQueries({ queryKey: queryKeys.threads(client) })
    void queryClient.invalidateQueries({ queryKey: queryKeys.thread(client, threadId) })
  })
}
