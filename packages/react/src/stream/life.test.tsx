// @vitest-environment jsdom
import { createClient, type Client } from '@rivulet/client'
import { act, cleanup, render, waitFor } from '@testing-library/react'
import { StrictMode, useState, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi, type MockInstance } from 'vitest'
import { overEveryTransport, type Deliver } from '../../test/deliveries.ts'
import { haltingGraph } from '../../test/halting.ts'
import { useStream } from './use-stream.ts'
import type { StreamResult } from './use-tracked.ts'

let complaints: MockInstance

beforeEach(() => {
  complaints = vi.spyOn(console, 'error')
})

afterEach(() => {
  cleanup()
  // React warns there of what renders outside of `act`, and of state that is set after a component has left.
  if (complaints.mock.calls.length > 0) throw new Error(`React complains: ${complaints.mock.calls.join('; ')}`)
  vi.restoreAllMocks()
})

/** A backend whose answers stop in their middle until the test lets them go on. */
function halting(deliver: Deliver) {
  const { graph, goOn } = haltingGraph()
  return { transport: deliver(graph).transport, goOn }
}

/** What the hooks returned, render by render. */
const results: StreamResult[] = []

/** One hook on a thread; what it returns is noted in `results`. */
function Chat({ client, threadId }: { client: Client; threadId?: string | undefined }): ReactNode {
  const own = useStream({ client, graph: 'g', threadId })
  results.push(own)
  return <p>{[own.threadId, ...own.messages.map(({ content }) => content)].join(' | ')}</p>
}

function show(page: ReactNode) {
  const { container, unmount, rerender } = render(<StrictMode>{page}</StrictMode>)
  return {
    unmount,
    rerender: (next: ReactNode) => rerender(<StrictMode>{next}</StrictMode>),
    shown: () => [...container.querySelectorAll('p')].map(({ textContent }) => textContent),
  }
}

overEveryTransport((deliver) => {
  test('a page that was reloaded in the middle of an answer finds it there, and its end', async () => {
    const { transport, goOn } = halting(deliver)
    const first = show(<Chat client={createClient({ transport })} threadId="t" />)
    act(() => void results.at(-1)!.submit({ messages: 'one' }))
    await waitFor(() => expect(first.shown()).toEqual(['t | one | half of one']))
    first.unmount()
    const second = show(<Chat client={createClient({ transport })} threadId="t" />)
    await waitFor(() => expect(second.shown()).toEqual(['t | one | half of one']))
    expect(results.at(-1)!.status).toBe('streaming')
    await act(async () => goOn())
    await waitFor(() => expect(second.shown()).toEqual(['t | one | half of one, and the rest']))
    await waitFor(() => expect(results.at(-1)!.status).toBe('idle'))
  })

  test('two hooks on one thread show the same, whichever of them submits', async () => {
    const { transport, goOn } = halting(deliver)
    const client = createClient({ transport })
    const page = show(
      <>
        <Chat client={client} threadId="t" />
        <Chat client={client} threadId="t" />
      </>,
    )
    goOn()
    await act(async () => void results.at(-1)!.submit({ messages: 'one' }))
    const both = Array<string>(2).fill('t | one | half of one, and the rest')
    await waitFor(() => expect(page.shown()).toEqual(both))
    goOn()
    await act(async () => void results.at(-1)!.submit({ messages: 'two' }))
    const all = 't | one | half of one, and the rest | two | half of two, and the rest'
    await waitFor(() => expect(page.shown()).toEqual([all, all]))
  })

  test('a second tab shows the answer as it streams, and can stop it for both', async () => {
    const { transport } = halting(deliver)
    const clients = [createClient({ transport }), createClient({ transport })] as const
    const tabs = clients.map((client) => show(<Chat client={client} threadId="t" />))
    const inTab = (client: Client) => results.findLast(({ handle }) => handle.client === client)!
    act(() => void inTab(clients[0]).submit({ messages: 'one' }))
    for (const { shown } of tabs) await waitFor(() => expect(shown()).toEqual(['t | one | half of one']))
    let stopped: Promise<void>
    act(() => void (stopped = inTab(clients[1]).stop()))
    await act(() => stopped)
    for (const client of clients) {
      await waitFor(() => expect(inTab(client).status).toBe('idle'))
      expect(inTab(client).messages.at(-1)).toMatchObject({ content: 'half of one', status: 'cut' })
    }
  })

  test('a run goes on while another thread is on the page', async () => {
    const { transport, goOn } = halting(deliver)
    const client = createClient({ transport })
    const page = show(<Chat client={client} threadId="a" />)
    act(() => void results.at(-1)!.submit({ messages: 'one' }))
    await waitFor(() => expect(page.shown()).toEqual(['a | one | half of one']))
    page.rerender(<Chat client={client} threadId="b" />)
    expect(page.shown()).toEqual(['b'])
    await act(async () => goOn())
    page.rerender(<Chat client={client} threadId="a" />)
    await waitFor(() => expect(page.shown()).toEqual(['a | one | half of one, and the rest']))
  })

  test('the id of a thread that is made here does not start the page anew', async () => {
    const { transport, goOn } = halting(deliver)
    const client = createClient({ transport })
    const seen: string[] = []
    function App(): ReactNode {
      const [threadId, setThreadId] = useState<string>()
      const own = useStream({ client, graph: 'g', threadId, onThreadId: setThreadId })
      results.push(own)
      const text = own.messages.map(({ content }) => content).join(' | ')
      if (seen.at(-1) !== text) seen.push(text)
      return <p>{`${String(threadId === own.threadId)} ${text}`}</p>
    }
    const page = show(<App />)
    goOn()
    await act(async () => void results.at(-1)!.submit({ messages: 'one' }))
    await waitFor(() => expect(page.shown()).toEqual(['true one | half of one, and the rest']))
    // Nothing that was on the page was gone in between.
    for (const [i, text] of seen.entries()) expect(text.startsWith(seen[i - 1] ?? '')).toBe(true)
  })
})
