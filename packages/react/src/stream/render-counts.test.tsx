// @vitest-environment jsdom
import { act, cleanup, render } from '@testing-library/react'
import { memo, Profiler, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { settle, mockBackend } from '../../test/backend.ts'
import { answerBegins, runBegins, runEnds, token } from '../../test/conversation.ts'
import { useMessage, useMessageIds } from '../selectors/use-messages.ts'
import { StreamProvider, useStreamContext } from './provider.tsx'
import type { StreamHandle } from './stream.ts'
import { useStream } from './use-stream.ts'

const backend = mockBackend()
const TOKENS = 300
const FRAME_MS = 16

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance'],
  })
})

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

/** Counts renders by name. */
function counter() {
  const counts: Record<string, number> = {}
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  return { counts, count, reset: () => Object.keys(counts).forEach((name) => delete counts[name]) }
}

/** Streams an answer of one token a millisecond below twenty old messages, and ends the run. */
async function streamAnswer(reset: () => void): Promise<void> {
  const old = Array.from({ length: 20 }, (_, i) => ({ id: `old${i}`, content: `old ${i}` }))
  await settle()
  await backend.emit('t', ...runBegins('r', ...old), ...answerBegins('r', 'live'))
  await act(() => vi.advanceTimersByTimeAsync(1000))
  reset()
  for (let at = 0; at < TOKENS; at++) {
    await backend.emit('t', token('r', 'live', at, 'x'))
    await act(() => vi.advanceTimersByTimeAsync(1))
  }
  await backend.emit('t', ...runEnds('r', 'live', TOKENS))
}

test('old rows do not render while another streams, the list hardly, the live row once a frame', async () => {
  const { counts, count, reset } = counter()
  const submits = new Set<unknown>()
  const Row = memo(function Row({ handle, id }: { handle: StreamHandle; id: string }): ReactNode {
    count(id === 'live' ? 'live row' : 'old rows')
    return <li>{useMessage(handle, id)?.content}</li>
  })
  const List = memo(function List({ handle }: { handle: StreamHandle }): ReactNode {
    count('list')
    return useMessageIds(handle).map((id) => <Row key={id} handle={handle} id={id} />)
  })
  function Page(): ReactNode {
    const { handle, submit, status } = useStream({ url: backend.url, graph: 'agent', threadId: 't' })
    count('page')
    submits.add(submit)
    return (
      <section data-status={status}>
        <List handle={handle} />
      </section>
    )
  }
  const { container } = render(<Page />)
  await streamAnswer(reset)
  expect(container.querySelector('li:last-child')?.textContent).toBe('x'.repeat(TOKENS))
  expect(counts['old rows']).toBeUndefined()
  expect(counts['list'] ?? 0).toBeLessThanOrEqual(5)
  expect(counts['page'] ?? 0).toBeLessThanOrEqual(2)
  expect(counts['live row']).toBeLessThanOrEqual(Math.ceil(TOKENS / FRAME_MS) + 2)
  expect(counts['live row']).toBeGreaterThan(10)
  expect(submits.size).toBe(1)
})

test('a component renders for the fields it reads and no others', async () => {
  const { counts, count, reset } = counter()
  function Reads({ name }: { name: 'status' | 'isLoading' | 'messages' | 'connection' | 'toolCalls' }): ReactNode {
    const stream = useStream({ url: backend.url, graph: 'agent', threadId: 't' })
    count(name)
    return <i data-value={typeof stream[name]} />
  }
  render(
    <>
      <Reads name="status" />
      <Reads name="isLoading" />
      <Reads name="messages" />
      <Reads name="connection" />
      <Reads name="toolCalls" />
    </>,
  )
  await streamAnswer(reset)
  expect(counts['status']).toBe(1)
  expect(counts['isLoading']).toBe(1)
  expect(counts['connection']).toBeUndefined()
  expect(counts['toolCalls']).toBeUndefined()
  expect(counts['messages']).toBeGreaterThan(10)
  expect(counts['messages']).toBeLessThanOrEqual(Math.ceil(TOKENS / FRAME_MS) + 2)
})

test('a provider renders nobody below it for a token', async () => {
  const { counts, count, reset } = counter()
  const Toolbar = memo(function Toolbar(): ReactNode {
    const { submit, stop, isLoading } = useStreamContext()
    count('toolbar')
    return (
      <button onClick={() => void (isLoading ? stop() : submit())} type="button">
        go
      </button>
    )
  })
  const Live = memo(function Live(): ReactNode {
    const { handle } = useStreamContext()
    return <p>{useMessage(handle, 'live')?.content}</p>
  })
  render(
    <Profiler id="provider" onRender={() => count('anything')}>
      <StreamProvider url={backend.url} graph="agent" threadId="t">
        <Toolbar />
        <Live />
      </StreamProvider>
    </Profiler>,
  )
  await streamAnswer(reset)
  expect(counts['toolbar']).toBe(1)
  expect(counts['anything']).toBeLessThanOrEqual(Math.ceil(TOKENS / FRAME_MS) + 3)
})
