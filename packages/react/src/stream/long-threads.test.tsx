// @vitest-environment jsdom
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Frame, Message, RunEvent } from '@rivulet/protocol'
import { createClient, type Client } from '@rivulet/client'
import { act, cleanup, render } from '@testing-library/react'
import { memo, StrictMode, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answerBegins, runBegins, runEnds, token } from '../../test/conversation.ts'
import { useMessage, useMessageIds } from '../selectors/use-messages.ts'
import { useSelect } from '../selectors/use-select.ts'
import { useValues } from '../selectors/use-values.ts'
import type { StreamHandle } from './stream.ts'
import { useStream } from './use-stream.ts'

const ROWS = 1000

/** Bytes of live objects on the heap. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance'],
  })
})

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

/** A client whose one stream says what the test makes it say. */
function puppet() {
  let send: (frame: Frame) => void = () => {}
  let seq = 0
  const client: Client = createClient({
    transport: {
      heartbeatMs: Infinity,
      async *open(_request, { signal }) {
        while (!signal.aborted) yield await new Promise<Frame>((resolve) => (send = resolve))
      },
    },
  })
  const emit = async (...events: RunEvent[]) => {
    await act(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      send({ type: 'events', log: 'log', events: events.map((event) => ({ ...event, seq: ++seq })) })
      await new Promise((resolve) => setImmediate(resolve))
    })
  }
  return { client, emit, pass: (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms)) }
}

/** A page of a long thread, each row reading its own message; how often anything rendered. */
async function longPage() {
  const counts = { page: 0, list: 0, rows: 0, live: 0, topic: 0 }
  const { client, emit, pass } = puppet()
  const Row = memo(function Row({ handle, id }: { handle: StreamHandle; id: string }): ReactNode {
    counts[id === 'live' ? 'live' : 'rows']++
    return <li>{useMessage(handle, id)?.content}</li>
  })
  const List = memo(function List({ handle }: { handle: StreamHandle }): ReactNode {
    counts.list++
    return useMessageIds(handle).map((id) => <Row key={id} handle={handle} id={id} />)
  })
  const Topic = memo(function Topic({ handle }: { handle: StreamHandle }): ReactNode {
    counts.topic++
    return <h1>{useValues(handle, ({ topic }) => String(topic))}</h1>
  })
  function Page(): ReactNode {
    counts.page++
    const { handle } = useStream({ client, graph: 'g', threadId: 't' })
    return (
      <>
        <Topic handle={handle} />
        <List handle={handle} />
      </>
    )
  }
  const { container } = render(<Page />)
  const old = Array.from({ length: ROWS }, (_, i) => ({ id: `m${i}`, content: `message ${i}` }))
  await emit(...runBegins('r0', ...old), { type: 'run.end', run: 'r0', status: 'done' })
  await pass(100)
  expect(container.querySelectorAll('li')).toHaveLength(ROWS)
  const reset = () => Object.assign(counts, { page: 0, list: 0, rows: 0, live: 0, topic: 0 })
  reset()
  return { counts, reset, emit, pass, container, old }
}

test('a change of values in a thread of 1,000 messages renders what shows the value, and nothing else', async () => {
  const { counts, emit, pass, container } = await longPage()
  await emit({ type: 'run.start', run: 'r1', graph: 'g', protocol: 1 })
  await emit({ type: 'values', run: 'r1', step: 1, set: { topic: 'cats' } })
  await pass(50)
  expect(container.querySelector('h1')?.textContent).toBe('cats')
  expect(counts).toEqual({ page: 0, list: 0, rows: 0, live: 0, topic: 1 })
})

test('a full snapshot of values that says the same renders nothing', async () => {
  const { counts, emit, pass, old } = await longPage()
  const body = ({ id, content }: { id: string; content: string }): Message => ({ id, role: 'user', content })
  await emit({ type: 'run.start', run: 'r1', graph: 'g', protocol: 1 })
  await emit(...old.map((message): RunEvent => ({ type: 'message', run: 'r1', step: 0, message: body(message) })), {
    type: 'values',
    run: 'r1',
    step: 1,
    full: true,
    lists: { messages: { ids: old.map(({ id }) => id) } },
  })
  await pass(50)
  expect(counts).toEqual({ page: 0, list: 0, rows: 0, live: 0, topic: 0 })
})

test('a turn below 1,000 rows: old rows never, the list twice, the live row once a frame', async () => {
  const { counts, emit, pass } = await longPage()
  const tokens = 300
  await emit(...runBegins('r1'), ...answerBegins('r1', 'live'))
  for (let at = 0; at < tokens; at++) {
    await emit(token('r1', 'live', at, 'x'))
    await pass(1)
  }
  await emit(...runEnds('r1', 'live', tokens))
  await pass(50)
  expect(counts.rows).toBe(0)
  expect(counts.list).toBeLessThanOrEqual(2)
  expect(counts.page).toBe(0)
  expect(counts.live).toBeGreaterThan(10)
  expect(counts.live).toBeLessThanOrEqual(Math.ceil(tokens / 16) + 3)
})

test('a token asks no other row whether something changed', async () => {
  const { client, emit, pass } = puppet()
  let asked = 0
  const Row = memo(function Row({ handle, id }: { handle: StreamHandle; id: string }): ReactNode {
    const content = useSelect(handle, (snapshot) => {
      asked++
      return snapshot.message(id)?.content
    })
    return <li>{content}</li>
  })
  function Page(): ReactNode {
    const { handle } = useStream({ client, graph: 'g', threadId: 't' })
    return useMessageIds(handle).map((id) => <Row key={id} handle={handle} id={id} />)
  }
  render(<Page />)
  const old = Array.from({ length: ROWS }, (_, i) => ({ id: `m${i}`, content: `message ${i}` }))
  await emit(...runBegins('r', ...old), ...answerBegins('r', 'live'), token('r', 'live', 0, 'x'))
  await pass(100)
  asked = 0
  await emit(token('r', 'live', 1, 'x'))
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThan(10)
})

test('1,000 pages that come and go leave nothing behind', async () => {
  let open = 0
  const client = createClient({
    transport: {
      heartbeatMs: Infinity,
      async *open(_request, { signal }) {
        open++
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        open--
        yield* []
      },
    },
  })
  function Page(): ReactNode {
    const { messages, handle } = useStream({ client, graph: 'g', threadId: 't' })
    return (
      <p>
        {messages.length} {useMessageIds(handle).length}
      </p>
    )
  }
  const cycle = async () => {
    render(
      <StrictMode>
        <Page />
      </StrictMode>,
    )
    await act(async () => {})
    expect(open).toBe(1)
    cleanup()
    await act(async () => {})
    expect(open).toBe(0)
  }
  const cycles = async (count: number) => {
    for (let i = 0; i < count; i++) await cycle()
  }
  await cycles(200)
  const before = heapUsed()
  await cycles(1000)
  expect(heapUsed()).toBeLessThan(before * 1.05)
  expect(vi.getTimerCount()).toBe(0)
}, 60_000)
