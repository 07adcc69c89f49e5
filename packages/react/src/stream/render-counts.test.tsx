// @vitest-environment jsdom
import { memoryTransport, pump, script, type Pump, type Script } from '@rivulet/testing'
import { cleanup, render } from '@testing-library/react'
import { memo, Profiler, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useMessage, useMessageIds } from '../selectors/use-messages.ts'
import { StreamProvider, useStreamContext } from './provider.tsx'
import type { StreamHandle } from './stream.ts'
import { useStream } from './use-stream.ts'

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

const old = Array.from({ length: 20 }, (_, i) => ({ id: `old${i}`, role: 'user' as const, content: `old ${i}` }))
const conversation = Array.from({ length: TOKENS }).reduce<Script>(
  (said) => said.token('x', { id: 'live' }),
  script().run({ messages: old }),
)

function backend() {
  const p = pump({ t: conversation.end() })
  return { p, transport: memoryTransport(p) }
}

/** Streams an answer of one token a millisecond below twenty old messages, and ends the run. */
async function streamAnswer(p: Pump, reset: () => void): Promise<void> {
  await p.until('message.start')
  await p.advance(1000)
  reset()
  for (let told = 0; told < TOKENS; told += FRAME_MS) {
    const last = Math.min(told + FRAME_MS, TOKENS) - 1
    // A frame passes after each of these.
    await p.until((event) => event.type === 'message.delta' && event.at === last)
  }
  await p.drain()
}

test('old rows do not render while another streams, the list hardly, the live row once a frame', async () => {
  const { p, transport } = backend()
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
    const { handle, submit, status } = useStream({ transport, graph: 'agent', threadId: 't' })
    count('page')
    submits.add(submit)
    return (
      <section data-status={status}>
        <List handle={handle} />
      </section>
    )
  }
  const { container } = render(<Page />)
  await streamAnswer(p, reset)
  expect(container.querySelector('li:last-child')?.textContent).toBe('x'.repeat(TOKENS))
  expect(counts['old rows']).toBeUndefined()
  expect(counts['list'] ?? 0).toBeLessThanOrEqual(5)
  expect(counts['page'] ?? 0).toBeLessThanOrEqual(2)
  expect(counts['live row']).toBeLessThanOrEqual(Math.ceil(TOKENS / FRAME_MS) + 2)
  expect(counts['live row']).toBeGreaterThan(10)
  expect(submits.size).toBe(1)
})

test('a component renders for the fields it reads and no others', async () => {
  const { p, transport } = backend()
  const { counts, count, reset } = counter()
  function Reads({ name }: { name: 'status' | 'isLoading' | 'messages' | 'connection' | 'toolCalls' }): ReactNode {
    const stream = useStream({ transport, graph: 'agent', threadId: 't' })
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
  await streamAnswer(p, reset)
  expect(counts['status']).toBe(1)
  expect(counts['isLoading']).toBe(1)
  expect(counts['connection']).toBeUndefined()
  expect(counts['toolCalls']).toBeUndefined()
  expect(counts['messages']).toBeGreaterThan(10)
  expect(counts['messages']).toBeLessThanOrEqual(Math.ceil(TOKENS / FRAME_MS) + 2)
})

test('a provider renders nobody below it for a token', async () => {
  const { p, transport } = backend()
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
      <StreamProvider transport={transport} graph="agent" threadId="t">
        <Toolbar />
        <Live />
      </StreamProvider>
    </Profiler>,
  )
  await streamAnswer(p, reset)
  expect(counts['toolbar']).toBe(1)
  expect(counts['anything']).toBeLessThanOrEqual(Math.ceil(TOKENS / FRAME_MS) + 3)
})
