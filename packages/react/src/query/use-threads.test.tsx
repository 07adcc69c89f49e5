// @vitest-environment jsdom
import { createClient, inProcess, type Client } from '@rivulet/client'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import type { GraphState, RunEvent, StreamableGraph } from '@rivulet/protocol'
import { act, cleanup, configure, render, screen, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'
import { historyQueryOptions, threadQueryOptions, threadsQueryOptions } from './query-options.ts'
import { useThreadHistory, useThreads } from './use-threads.ts'

// What is waited for comes by itself, on a busy machine later than within the second that is the default.
configure({ asyncUtilTimeout: 10_000 })

afterEach(cleanup)

/** A graph that remembers how often it ran on a thread. */
function countingGraph(): StreamableGraph {
  const runs = new Map<string, number>()
  return {
    async *events(_input, { runId, threadId } = {}): AsyncGenerator<RunEvent> {
      // Runs on threads have both.
      runs.set(threadId!, (runs.get(threadId!) ?? 0) + 1)
      yield { type: 'run.start', run: runId!, protocol: 1 }
      yield { type: 'run.end', run: runId!, status: 'done' }
    },
    async *getStateHistory(threadId): AsyncGenerator<GraphState> {
      for (let run = runs.get(threadId) ?? 0; run > 0; run--) yield { values: { run }, next: [] }
    },
  }
}

/** Its clock never stands still, so that no two threads were used last at once. */
function newClient(): Client {
  let now = 0
  return createClient({ transport: inProcess(countingGraph(), { now: () => now++ }) })
}

function show(page: ReactNode): QueryClient {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>{page}</QueryClientProvider>
    </StrictMode>,
  )
  return queryClient
}

function ThreadList({ client }: { client: Client }): ReactNode {
  const { data, status } = useThreads(client)
  return <output>{status === 'success' ? data.threads.map(({ id }) => id).join(' ') : status}</output>
}

function shown(): string | null {
  return screen.getByRole('status').textContent
}

test('the list of threads is fetched again when a run begins or ends', async () => {
  const client = newClient()
  show(<ThreadList client={client} />)
  await waitFor(() => expect(shown()).toBe(''))
  await act(() => client.thread({ graph: 'g', threadId: 'a' }).submit().result)
  await waitFor(() => expect(shown()).toBe('a'))
  await act(() => client.thread({ graph: 'g', threadId: 'b' }).submit().result)
  await waitFor(() => expect(shown()).toBe('b a'))
})

test('a thread’s history is fetched again when a run ends on it', async () => {
  const client = newClient()
  function History(): ReactNode {
    const { data = [] } = useThreadHistory(client, 'a', { limit: 2 })
    return <output>{data.map(({ values }) => String(values['run'])).join(' ')}</output>
  }
  show(<History />)
  await waitFor(() => expect(shown()).toBe(''))
  for (const expected of ['1', '2 1', '3 2']) {
    await act(() => client.thread({ graph: 'g', threadId: 'a' }).submit().result)
    await waitFor(() => expect(shown()).toBe(expected))
  }
})

test('two clients do not share what is cached', async () => {
  const [one, two] = [newClient(), newClient()]
  expect(threadsQueryOptions(one).queryKey).not.toEqual(threadsQueryOptions(two).queryKey)
  expect(threadsQueryOptions(one).queryKey).toEqual(threadsQueryOptions(one).queryKey)
  expect(threadsQueryOptions(one, { limit: 5 }).queryKey).not.toEqual(threadsQueryOptions(one).queryKey)
})

test('what was unmounted invalidates nothing', async () => {
  const client = newClient()
  const queryClient = show(<ThreadList client={client} />)
  await waitFor(() => expect(shown()).toBe(''))
  cleanup()
  await client.thread({ graph: 'g', threadId: 'a' }).submit().result
  expect(queryClient.getQueryState(threadsQueryOptions(client).queryKey)?.isInvalidated).toBe(false)
})

test('the options are fit for fetching outside of components, and typed', async () => {
  const client = newClient()
  await client.thread({ graph: 'g', threadId: 'a' }).submit().result
  const queryClient = new QueryClient()
  const { threads } = await queryClient.fetchQuery(threadsQueryOptions(client))
  expect(threads.map(({ id }) => id)).toEqual(['a'])
  expect((await queryClient.fetchQuery(threadQueryOptions(client, 'a'))).status).toBe('idle')
  const { pages } = await queryClient.fetchInfiniteQuery(historyQueryOptions(client, 'a'))
  expect(pages.flat()).toHaveLength(1)
  expect(queryClient.getQueryData(threadsQueryOptions(client).queryKey)?.threads).toBe(threads)
})
