// @vitest-environment jsdom
import { createClient, inProcess, type Client } from '@rivulet/client'
import type { GraphState, RunEvent, StreamableGraph } from '@rivulet/protocol'
import { dehydrate, hydrate, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { historyQueryOptions, threadsQueryOptions } from './query-options.ts'
import { useThreadHistory, useThreads } from './use-threads.ts'

afterEach(cleanup)

/** A graph with this many states behind it, numbered from 1. */
function pastOf(count: number): StreamableGraph {
  return {
    async *events(_input, { runId } = {}): AsyncGenerator<RunEvent> {
      yield { type: 'run.start', run: runId!, protocol: 1 }
      yield { type: 'run.end', run: runId!, status: 'done' }
    },
    async *getStateHistory(_thread, { before = `c${count + 1}` } = {}): AsyncGenerator<GraphState> {
      for (let n = Number(before.slice(1)) - 1; n > 0; n--) yield { values: { n }, next: [], checkpointId: `c${n}` }
    },
  }
}

function show(page: ReactNode, queryClient: QueryClient = new QueryClient()): void {
  render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>{page}</QueryClientProvider>
    </StrictMode>,
  )
}

function History({ client }: { client: Client }): ReactNode {
  const { data = [], hasNextPage, fetchNextPage, isPending } = useThreadHistory(client, 't', { limit: 2 })
  return (
    <>
      <output>{isPending ? 'loading' : data.map(({ values }) => String(values['n'])).join(' ')}</output>
      {hasNextPage && (
        <button type="button" onClick={() => void fetchNextPage()}>
          older
        </button>
      )}
    </>
  )
}

test('older states come page by page, until there are none', async () => {
  show(<History client={createClient({ transport: inProcess(pastOf(5)) })} />)
  const shown = () => screen.getByRole('status').textContent
  await waitFor(() => expect(shown()).toBe('5 4'))
  act(() => screen.getByText('older').click())
  await waitFor(() => expect(shown()).toBe('5 4 3 2'))
  act(() => screen.getByText('older').click())
  await waitFor(() => expect(shown()).toBe('5 4 3 2 1'))
  expect(screen.queryByText('older')).toBeNull()
})

test('history that was prefetched is on the first paint', async () => {
  const queryClient = new QueryClient()
  const client = createClient({ transport: inProcess(pastOf(3)) })
  await queryClient.prefetchInfiniteQuery(historyQueryOptions(client, 't', { limit: 2 }))
  show(<History client={client} />, queryClient)
  expect(screen.getByRole('status').textContent).toBe('3 2')
  await act(async () => {})
})

test('a cache that was persisted is found again by a client of the same name', async () => {
  const transport = inProcess(pastOf(1))
  const before = createClient({ transport, id: 'agents' })
  await before.thread({ graph: 'g', threadId: 't' }).submit().result
  const queryClient = new QueryClient()
  await queryClient.prefetchQuery(threadsQueryOptions(before))
  const stored = JSON.stringify(dehydrate(queryClient))
  const list = vi.fn<() => Promise<never>>(() => new Promise<never>(() => {}))
  const after = createClient({ transport: { ...transport, threads: { ...transport.threads!, list } }, id: 'agents' })
  const restored = new QueryClient()
  hydrate(restored, JSON.parse(stored))
  function Threads(): ReactNode {
    return (
      <output>
        {useThreads(after)
          .data?.threads.map(({ id }) => id)
          .join(' ')}
      </output>
    )
  }
  show(<Threads />, restored)
  expect(screen.getByRole('status').textContent).toBe('t')
})
