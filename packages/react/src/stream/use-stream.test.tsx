// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { settle, mockBackend } from '../../test/backend.ts'
import { answerBegins, runBegins, runEnds, token, turn } from '../../test/conversation.ts'
import { useStream } from './use-stream.ts'
import type { StreamOptions } from './use-instance.ts'
import type { StreamResult } from './use-tracked.ts'

const backend = mockBackend()

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance'],
  })
})

afterEach(() => {
  cleanup()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Time goes on, and with it the frames. */
async function pass(ms: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms))
}

type Options = Partial<Omit<StreamOptions, 'url' | 'transport' | 'client'>>

/** A page that shows every message and remembers what it was given. */
function page(options: Options = {}) {
  const results: StreamResult[] = []
  function Page(props: Options): ReactNode {
    const stream = useStream({ url: backend.url, graph: 'agent', ...props })
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

test('a page shows a conversation as it streams, over one connection, in StrictMode', async () => {
  const { texts, stream } = page({ threadId: 't' })
  await settle()
  expect(backend.streams).toHaveLength(1)
  await act(async () => void stream.submit({ messages: { id: 'q', role: 'user', content: 'hi' } }))
  await settle()
  expect(backend.open).toHaveLength(1)
  expect(backend.open[0]?.start?.input).toEqual({ messages: [{ id: 'q', role: 'user', content: 'hi' }] })
  const run = backend.open[0]!.start!.run
  await backend.emit(
    't',
    ...runBegins(run, { id: 'q', content: 'hi' }),
    ...answerBegins(run, 'a'),
    token(run, 'a', 0, 'Hel'),
  )
  await pass(20)
  expect(texts()).toEqual(['hi', 'Hel'])
  await backend.emit('t', token(run, 'a', 3, 'lo'), ...runEnds(run, 'a', 5))
  expect(texts()).toEqual(['hi', 'Hello'])
  expect(backend.open).toHaveLength(1)
  expect(backend.open[0]?.start).toBeUndefined()
})

test('the user’s message is on the page in the render of its submit', async () => {
  const { texts, stream } = page({ threadId: 't' })
  await settle()
  act(() => void stream.submit({ messages: 'hi' }))
  expect(texts()).toEqual(['hi'])
})

test('leaving the page closes the connection', async () => {
  const { unmount } = page({ threadId: 't' })
  await settle()
  expect(backend.open).toHaveLength(1)
  unmount()
  await settle()
  expect(backend.open).toHaveLength(0)
  expect(backend.cancelled).toEqual([])
})

test('a thread that is made here keeps its page when its id comes back', async () => {
  const ids: string[] = []
  const { show, stream, texts, results } = page({ onThreadId: (id) => ids.push(id) })
  await settle()
  expect(backend.streams).toEqual([])
  act(() => void stream.submit({ messages: { id: 'q', role: 'user', content: 'hi' } }))
  await settle()
  const run = backend.streams[0]!.start!.run
  await backend.emit(
    ids[0]!,
    ...runBegins(run, { id: 'q', content: 'hi' }),
    ...answerBegins(run, 'a'),
    token(run, 'a', 0, 'Hel'),
  )
  await pass(20)
  const { handle } = results.at(-1)!
  show({ threadId: ids[0] })
  await settle()
  expect(texts()).toEqual(['hi', 'Hel'])
  expect(results.at(-1)!.handle).toBe(handle)
  expect(backend.streams).toHaveLength(1)
  expect(ids).toHaveLength(1)
})

test('another thread takes the page in one step, and coming back shows all of the first', async () => {
  await backend.emit(
    'a',
    ...runBegins('ra', { id: 'qa', content: 'to a' }),
    ...answerBegins('ra', 'aa'),
    token('ra', 'aa', 0, 'from a'),
  )
  await backend.emit('b', ...turn('rb', 'to b', 'from b'))
  const { show, texts, results } = page({ threadId: 'a' })
  await settle()
  expect(texts()).toEqual(['to a', 'from a'])
  show({ threadId: 'b' })
  expect(texts()).toEqual([])
  await backend.emit('a', token('ra', 'aa', 6, ', still'))
  await pass(20)
  expect(texts()).toEqual(['to b', 'from b'])
  expect(backend.open.map(({ thread }) => thread)).toEqual(['b'])
  show({ threadId: 'a' })
  await settle()
  await pass(20)
  expect(texts()).toEqual(['to a', 'from a, still'])
  for (const { threadId, messages } of results) {
    for (const { content } of messages) expect(content).toMatch(new RegExp(`(to|from) ${threadId}`))
  }
})

test('a new chat is an empty page', async () => {
  await backend.emit('t', ...turn('r', 'hi', 'Hello'))
  const { show, texts } = page({ threadId: 't' })
  await settle()
  expect(texts()).toEqual(['hi', 'Hello'])
  show({ threadId: null })
  expect(texts()).toEqual([])
  await settle()
  expect(backend.open).toEqual([])
})

test('methods are the same for the life of the component and act on the thread it shows', async () => {
  const { results, show } = page({ threadId: 'a' })
  await settle()
  const { submit, stop, retry, respond, regenerate, edit } = results[0]!
  show({ threadId: 'b' })
  await settle()
  expect(results.at(-1)).toMatchObject({ submit, stop, retry, respond, regenerate, edit })
  for (const [name, method] of Object.entries({ submit, stop, retry, respond, regenerate, edit })) {
    expect(results.at(-1)).toHaveProperty(name)
    expect(results.every((result) => result[name as 'submit'] === (method as unknown))).toBe(true)
  }
  act(() => void submit({ messages: 'hi' }))
  await settle()
  expect(backend.open.map(({ thread }) => thread)).toEqual(['b'])
})

test('a result is a snapshot: it never changes', async () => {
  const { results } = page({ threadId: 't' })
  await settle()
  await backend.emit('t', ...turn('r', 'hi', 'Hello'))
  const [first] = results
  expect(first?.messages).toEqual([])
  expect(results.at(-1)?.messages).toHaveLength(2)
  expect(new Set(results.map(({ messages }) => messages)).size).toBeGreaterThan(1)
})

test('stop cancels the run and keeps what was said', async () => {
  const { stream, texts } = page({ threadId: 't' })
  await settle()
  await backend.emit(
    't',
    ...runBegins('r', { id: 'q', content: 'hi' }),
    ...answerBegins('r', 'a'),
    token('r', 'a', 0, 'Hel'),
  )
  const stopped = stream.stop()
  await settle()
  expect(backend.cancelled).toEqual(['t/r'])
  await backend.emit('t', { type: 'run.end', run: 'r', status: 'cancelled' })
  await stopped
  expect(texts()).toEqual(['hi', 'Hel'])
  expect(screen.getByRole('list').dataset['status']).toBe('idle')
})

test('a refused message stays, tells why, and can be sent again', async () => {
  const onError = vi.fn<(error: Error) => void>()
  const { results, stream, texts } = page({ threadId: 't', onError })
  await settle()
  backend.refuse({ status: 409, code: 'RUN_CONFLICT', message: 'the thread is busy' })
  act(() => void stream.submit({ messages: 'hi' }))
  await settle()
  expect(results.at(-1)).toMatchObject({
    status: 'error',
    error: { code: 'RUN_CONFLICT' },
    messages: [{ delivery: 'failed' }],
  })
  expect(onError).toHaveBeenCalledOnce()
  act(() => void stream.retry())
  await settle()
  expect(texts()).toEqual(['hi'])
  expect(results.at(-1)).toMatchObject({ status: 'connecting', messages: [{ delivery: 'sending' }] })
})

test('an answer to an interrupt is sent, by id when asked to', async () => {
  const { stream, results } = page({ threadId: 't' })
  await settle()
  await backend.emit(
    't',
    ...runBegins('r'),
    { type: 'interrupt', run: 'r', id: 'i1', value: 'sure?' },
    { type: 'run.end', run: 'r', status: 'interrupted' },
  )
  expect(results.at(-1)).toMatchObject({ status: 'interrupted', interrupts: [{ id: 'i1', value: 'sure?' }] })
  act(() => void stream.respond('yes'))
  await settle()
  expect(backend.open[0]?.start).toMatchObject({ resume: 'yes' })
  await backend.emit(
    't',
    { type: 'run.start', run: backend.open[0]!.start!.run, protocol: 1, resume: ['i1'] },
    { type: 'run.end', run: backend.open[0]!.start!.run, status: 'done' },
  )
  act(() => void stream.respond('no', { id: 'i2' }))
  await settle()
  expect(backend.open[0]?.start).toMatchObject({ resume: { i2: 'no' } })
})

test('a message is edited and answered anew from its checkpoint', async () => {
  const { stream } = page({ threadId: 't' })
  await settle()
  const [begin, ...rest] = turn('r', 'hi', 'Hello')
  const meta = { checkpoint: 'c1' }
  await backend.emit(
    't',
    begin!,
    { type: 'message', run: 'r', step: 0, message: { id: 'm', role: 'user', content: '?', meta } },
    ...rest,
  )
  act(() => void stream.edit('m', { messages: 'better' }))
  await settle()
  expect(backend.open[0]?.start).toMatchObject({ checkpointId: 'c1', input: { messages: [{ content: 'better' }] } })
  act(() => void stream.regenerate('m'))
  expect(() => stream.regenerate('r-q')).toThrow('message r-q has no checkpoint to go back to')
})

test('callbacks are those of the last render and hear of everything that happens', async () => {
  const early = vi.fn<() => void>()
  const { show } = page({ threadId: 't', onEvent: early, onCustomEvent: early, onFinish: early })
  await settle()
  const heard: unknown[] = []
  show({
    threadId: 't',
    onEvent: ({ type }) => heard.push(type),
    onCustomEvent: (data) => heard.push(data),
    onFinish: ({ status }, run) => heard.push(`${run} ${status}`),
  })
  await backend.emit(
    't',
    ...runBegins('r'),
    { type: 'custom', run: 'r', data: { done: 1 } },
    { type: 'run.end', run: 'r', status: 'done' },
  )
  expect(early).not.toHaveBeenCalled()
  expect(heard).toEqual(['run.start', 'values', 'custom', { done: 1 }, 'run.end', 'r done'])
})

test('initial values are on the page before the thread is', async () => {
  const initialValues = { messages: [{ id: 'w', role: 'assistant', content: 'welcome' }] }
  const { texts } = page({ threadId: 't', initialValues })
  expect(texts()).toEqual(['welcome'])
  await backend.emit('t', ...turn('r', 'hi', 'Hello'))
  await settle()
  expect(texts()).toEqual(['hi', 'Hello'])
})

test('messages may stand under another key', async () => {
  const { texts, stream } = page({ threadId: 't', messagesKey: 'chat' })
  await settle()
  act(() => void stream.submit({ chat: { id: 'q', role: 'user', content: 'hi' } }))
  await settle()
  expect(texts()).toEqual(['hi'])
  const run = backend.open[0]!.start!.run
  await backend.emit(
    't',
    { type: 'run.start', run, protocol: 1 },
    { type: 'message', run, step: 0, message: { id: 'q', role: 'user', content: 'hi' } },
    { type: 'values', run, step: 0, lists: { chat: { append: ['q'] } } },
    { type: 'run.end', run, status: 'done' },
  )
  expect(texts()).toEqual(['hi'])
})
