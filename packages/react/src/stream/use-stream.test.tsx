// @vitest-environment jsdom
import { faults, pump, script, type Connection, type FaultPlan, type Pump } from '@rivulet/testing'
import { mswHandlers } from '@rivulet/testing/msw'
import { act, cleanup, render, screen } from '@testing-library/react'
import { setupServer } from 'msw/node'
import { StrictMode, type ReactNode } from 'react'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { useStream } from './use-stream.ts'
import type { StreamOptions } from './use-instance.ts'
import type { StreamResult } from './use-tracked.ts'

const url = 'http://backend.test'
const server = setupServer()

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance'],
  })
})

afterEach(() => {
  cleanup()
  server.resetHandlers()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

afterAll(() => server.close())

type Options = Partial<Omit<StreamOptions, 'url' | 'transport' | 'client'>>

/** A page that shows every message of what the pump plays, and remembers what it was given. */
function page(p: Pump, options: Options = {}, plan: FaultPlan = []) {
  server.use(...mswHandlers(p, { url, faults: plan }))
  const results: StreamResult[] = []
  function Page(props: Options): ReactNode {
    const stream = useStream({ url, graph: 'agent', ...props })
    results.push(stream)
    return (
      <ul data-status={stream.status}>
        {stream.messages.map(({ id, content }) => (
          <li key={id}>{content}</li>
        ))}
      </ul>
    )
  }
  const shown = (props: Options) => (
    <StrictMode>
      <Page {...props} />
    </StrictMode>
  )
  const { rerender, unmount } = render(shown(options))
  return {
    results,
    get stream() {
      return results.at(-1)!
    },
    texts: () => screen.queryAllByRole('listitem').map((item) => item.textContent),
    show: (props: Options) => rerender(shown(props)),
    unmount,
  }
}

const question = { id: 'q', role: 'user', content: 'hi' } as const
/** One turn that somebody else began. */
const turn = script().run({ messages: question }).token('Hel', { id: 'a' }).token('lo').end()
/** One turn that the page begins. */
const answer = script().run().token('Hel').token('lo').end()

function open(p: Pump): readonly Connection[] {
  return p.connections.filter(({ isOpen }) => isOpen)
}

test('a page shows a conversation as it streams, over one connection, in StrictMode', async () => {
  const p = pump(answer)
  const { texts, stream } = page(p, { threadId: 't' })
  await p.settle()
  expect(p.connections).toHaveLength(1)
  act(() => void stream.submit({ messages: question }))
  await p.until('message.delta')
  expect(open(p).map(({ start }) => start?.input)).toEqual([{ messages: [question] }])
  expect(texts()).toEqual(['hi', 'Hel'])
  await p.drain()
  expect(texts()).toEqual(['hi', 'Hello'])
  expect(open(p).map(({ start }) => start)).toEqual([undefined])
})

test('the user’s message is on the page in the render of its submit', async () => {
  const p = pump(answer)
  const { texts, stream } = page(p, { threadId: 't' })
  await p.settle()
  act(() => void stream.submit({ messages: 'hi' }))
  expect(texts()).toEqual(['hi'])
})

test('leaving the page closes the connection', async () => {
  const p = pump(answer)
  const { unmount } = page(p, { threadId: 't' })
  await p.settle()
  expect(open(p)).toHaveLength(1)
  unmount()
  await p.settle()
  expect(open(p)).toHaveLength(0)
  expect(p.cancelled).toEqual([])
})

test('a thread that is made here keeps its page when its id comes back', async () => {
  const ids: string[] = []
  const p = pump(answer)
  const { show, stream, texts, results } = page(p, { onThreadId: (id) => ids.push(id) })
  await p.settle()
  expect(p.connections).toEqual([])
  act(() => void stream.submit({ messages: question }))
  await p.until('message.delta')
  const { handle } = results.at(-1)!
  show({ threadId: ids[0] })
  await p.settle()
  expect(texts()).toEqual(['hi', 'Hel'])
  expect(results.at(-1)!.handle).toBe(handle)
  expect(p.connections).toHaveLength(1)
  expect(ids).toHaveLength(1)
})

test('another thread takes the page in one step, and coming back shows all of the first', async () => {
  const p = pump({
    a: script().run('to a').token('from a').token(', still'),
    b: script().run('to b').token('from b').end(),
  })
  await p.until('message.delta', { thread: 'a' })
  await p.drain({ thread: 'b' })
  const { show, texts, results } = page(p, { threadId: 'a' })
  await p.settle()
  expect(texts()).toEqual(['to a', 'from a'])
  show({ threadId: 'b' })
  expect(texts()).toEqual([])
  await p.next({ thread: 'a' })
  expect(texts()).toEqual(['to b', 'from b'])
  expect(open(p).map(({ thread }) => thread)).toEqual(['b'])
  show({ threadId: 'a' })
  await p.settle()
  expect(texts()).toEqual(['to a', 'from a, still'])
  for (const { threadId, messages } of results) {
    for (const { content } of messages) expect(content).toMatch(new RegExp(`(to|from) ${threadId}`))
  }
})

test('a new chat is an empty page', async () => {
  const p = pump({ t: turn })
  await p.drain()
  const { show, texts } = page(p, { threadId: 't' })
  await p.settle()
  expect(texts()).toEqual(['hi', 'Hello'])
  show({ threadId: null })
  expect(texts()).toEqual([])
  await p.settle()
  expect(open(p)).toEqual([])
})

test('methods are the same for the life of the component and act on the thread it shows', async () => {
  const p = pump(answer)
  const { results, show } = page(p, { threadId: 'a' })
  await p.settle()
  const { submit, stop, retry, respond, regenerate, edit } = results[0]!
  show({ threadId: 'b' })
  await p.settle()
  for (const [name, method] of Object.entries({ submit, stop, retry, respond, regenerate, edit })) {
    expect(results.at(-1)).toHaveProperty(name)
    expect(results.every((result) => result[name as 'submit'] === (method as unknown))).toBe(true)
  }
  act(() => void submit({ messages: 'hi' }))
  await p.settle()
  expect(open(p).map(({ thread }) => thread)).toEqual(['b'])
})

test('a result is a snapshot: it never changes', async () => {
  const p = pump({ t: turn })
  const { results } = page(p, { threadId: 't' })
  await p.drain()
  const [first] = results
  expect(first?.messages).toEqual([])
  expect(results.at(-1)?.messages).toHaveLength(2)
  expect(new Set(results.map(({ messages }) => messages)).size).toBeGreaterThan(1)
})

test('stop cancels the run and keeps what was said', async () => {
  const p = pump({ t: turn })
  const { stream, texts } = page(p, { threadId: 't' })
  await p.until('message.delta')
  const stopped = stream.stop()
  await p.settle()
  await stopped
  expect(p.cancelled).toEqual(['run1'])
  expect(texts()).toEqual(['hi', 'Hel'])
  expect(screen.getByRole('list').dataset['status']).toBe('idle')
})

test('a refused message stays, tells why, and can be sent again', async () => {
  const onError = vi.fn<(error: Error) => void>()
  const body = { error: { code: 'RUN_CONFLICT', message: 'the thread is busy' } }
  const p = pump(answer)
  const { results, stream, texts } = page(p, { threadId: 't', onError }, [[], faults.status(409, { body })])
  await p.settle()
  act(() => void stream.submit({ messages: 'hi' }))
  await p.settle()
  expect(results.at(-1)).toMatchObject({
    status: 'error',
    error: { code: 'RUN_CONFLICT' },
    messages: [{ delivery: 'failed' }],
  })
  expect(onError).toHaveBeenCalledOnce()
  act(() => void stream.retry())
  await p.settle()
  expect(texts()).toEqual(['hi'])
  expect(results.at(-1)).toMatchObject({ status: 'connecting', messages: [{ delivery: 'sending' }] })
})

test('an answer to an interrupt is sent, by id when asked to', async () => {
  const asking = script().run({}).interrupt('sure?', { id: 'i1' })
  const p = pump({ t: asking.resume().interrupt('really?', { id: 'i2' }).resume().end() })
  const { stream, results } = page(p, { threadId: 't' })
  await p.drain()
  expect(results.at(-1)).toMatchObject({ status: 'interrupted', interrupts: [{ id: 'i1', value: 'sure?' }] })
  act(() => void stream.respond('yes'))
  await p.settle()
  expect(open(p)[0]?.start).toMatchObject({ resume: 'yes' })
  await p.drain()
  act(() => void stream.respond('no', { id: 'i2' }))
  await p.settle()
  expect(open(p)[0]?.start).toMatchObject({ resume: { i2: 'no' } })
})

test('a message is edited and answered anew from its checkpoint', async () => {
  const p = pump({ t: turn })
  const { stream } = page(p, { threadId: 't' })
  await p.drain()
  act(() => void stream.edit('a', { messages: 'better' }))
  await p.settle()
  const start = { checkpointId: 'run1-checkpoint0', input: { messages: [{ content: 'better' }] } }
  expect(open(p)[0]?.start).toMatchObject(start)
  act(() => void stream.regenerate('a'))
  expect(() => stream.regenerate('q')).toThrow('message q has no checkpoint to go back to')
})

test('callbacks are those of the last render and hear of everything that happens', async () => {
  const early = vi.fn<() => void>()
  const p = pump({ t: script().run({}).custom({ done: 1 }).end() })
  const { show } = page(p, { threadId: 't', onEvent: early, onCustomEvent: early, onFinish: early })
  await p.settle()
  early.mockClear()
  const heard: unknown[] = []
  show({
    threadId: 't',
    onEvent: ({ type }) => heard.push(type),
    onCustomEvent: (data) => heard.push(data),
    onFinish: ({ status }, run) => heard.push(`${run} ${status}`),
  })
  await p.drain()
  expect(early).not.toHaveBeenCalled()
  expect(heard).toEqual(['run.start', 'task.start', 'custom', { done: 1 }, 'task.end', 'run.end', 'run1 done'])
})

test('initial values are on the page before the thread is', async () => {
  const initialValues = { messages: [{ id: 'w', role: 'assistant', content: 'welcome' }] }
  const p = pump({ t: turn })
  const { texts } = page(p, { threadId: 't', initialValues })
  expect(texts()).toEqual(['welcome'])
  await p.drain()
  expect(texts()).toEqual(['hi', 'Hello'])
})

test('messages may stand under another key', async () => {
  const p = pump(script({ messagesKey: 'chat' }).run().token('Hello').end())
  const { texts, stream } = page(p, { threadId: 't', messagesKey: 'chat' })
  await p.settle()
  act(() => void stream.submit({ chat: question }))
  expect(texts()).toEqual(['hi'])
  await p.drain()
  expect(texts()).toEqual(['hi', 'Hello'])
})
