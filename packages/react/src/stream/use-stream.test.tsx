// @vitest-environment jsdom
import { pump, script, type Pump } from '@rivulet/testing'
import { act, cleanup, render, screen } from '@testing-library/react'
import { StrictMode, useLayoutEffect, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { overEveryTransport } from '../../test/deliveries.ts'
import { useStream } from './use-stream.ts'
import type { StreamOptions } from './use-instance.ts'
import type { StreamResult } from './use-tracked.ts'

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

type Options = Partial<Omit<StreamOptions, 'url' | 'transport' | 'client'>>

const question = { id: 'q', role: 'user', content: 'hi' } as const
/** One turn that somebody else began. */
const turn = script().run({ messages: question }).token('Hel', { id: 'a' }).token('lo').end()
/** One turn that the page begins. */
const answer = script().run().token('Hel').token('lo').end()

overEveryTransport((deliver) => {
  /** A page that shows every message of what the pump plays, and remembers what it was given. */
  function page(p: Pump, options: Options = {}) {
    const delivery = deliver(p)
    const results: StreamResult[] = []
    function Page(props: Options): ReactNode {
      const stream = useStream({ transport: delivery.transport, graph: 'agent', ...props })
      // What was on screen: on React 18, StrictMode begins each component with a render that it throws away.
      useLayoutEffect(() => void results.push(stream))
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
      delivery,
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
    const p = pump(answer)
    const { delivery, texts, stream } = page(p, { threadId: 't' })
    await p.settle()
    expect(delivery.opened).toHaveLength(1)
    act(() => void stream.submit({ messages: question }))
    await p.until('message.delta')
    expect(delivery.open.map(({ start }) => start?.input)).toEqual([{ messages: [question] }])
    expect(texts()).toEqual(['hi', 'Hel'])
    await p.drain()
    expect(texts()).toEqual(['hi', 'Hello'])
    expect(delivery.open.map(({ start }) => start)).toEqual([undefined])
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
    const { delivery, unmount } = page(p, { threadId: 't' })
    await p.settle()
    expect(delivery.open).toHaveLength(1)
    unmount()
    await p.settle()
    expect(delivery.open).toHaveLength(0)
    expect(delivery.cancelled).toEqual([])
  })

  test('a thread that is made here keeps its page when its id comes back', async () => {
    const ids: string[] = []
    const p = pump(answer)
    const { delivery, show, stream, texts, results } = page(p, { onThreadId: (id) => ids.push(id) })
    await p.settle()
    expect(delivery.opened).toEqual([])
    act(() => void stream.submit({ messages: question }))
    await p.until('message.delta')
    const { handle } = results.at(-1)!
    show({ threadId: ids[0] })
    await p.settle()
    expect(texts()).toEqual(['hi', 'Hel'])
    expect(results.at(-1)!.handle).toBe(handle)
    expect(delivery.opened).toHaveLength(1)
    expect(ids).toHaveLength(1)
  })

  test('another thread takes the page in one step, and coming back shows all of the first', async () => {
    const p = pump({
      a: script().run('to a').token('from a').token(', still'),
      b: script().run('to b').token('from b').end(),
    })
    await p.until('message.delta', { thread: 'a' })
    await p.drain({ thread: 'b' })
    const { delivery, show, texts, results } = page(p, { threadId: 'a' })
    await p.settle()
    expect(texts()).toEqual(['to a', 'from a'])
    show({ threadId: 'b' })
    expect(texts()).toEqual([])
    await p.next({ thread: 'a' })
    expect(texts()).toEqual(['to b', 'from b'])
    expect(delivery.open.map(({ thread }) => thread)).toEqual(['b'])
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
    const { delivery, show, texts } = page(p, { threadId: 't' })
    await p.settle()
    expect(texts()).toEqual(['hi', 'Hello'])
    show({ threadId: null })
    expect(texts()).toEqual([])
    await p.settle()
    expect(delivery.open).toEqual([])
  })

  test('methods are the same for the life of the component and act on the thread it shows', async () => {
    const p = pump(answer)
    const { delivery, results, show } = page(p, { threadId: 'a' })
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
    expect(delivery.open.map(({ thread }) => thread)).toEqual(['b'])
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
    const { delivery, stream, texts } = page(p, { threadId: 't' })
    await p.until('message.delta')
    const stopped = stream.stop()
    await p.settle()
    await stopped
    expect(delivery.cancelled).toEqual(['run1'])
    expect(texts()).toEqual(['hi', 'Hel'])
    expect(screen.getByRole('list').dataset['status']).toBe('idle')
  })

  test('a message for a busy thread is refused, tells why, and can be sent again', async () => {
    const onError = vi.fn<(error: Error) => void>()
    const p = pump({ t: script().run('to somebody').token('wait').end().run().token('now').end() })
    const { results, texts, delivery } = page(p, { threadId: 't', onError })
    await p.until('message.delta')
    act(() => void results.at(-1)!.submit({ messages: 'hi' }))
    await p.settle()
    expect(results.at(-1)).toMatchObject({ error: { code: 'RUN_CONFLICT' } })
    expect(results.at(-1)!.messages.at(-1)).toMatchObject({ content: 'hi', delivery: 'failed' })
    expect(onError).toHaveBeenCalledOnce()
    await p.drain()
    act(() => void results.at(-1)!.retry())
    await p.drain()
    expect(texts()).toEqual(['to somebody', 'wait', 'hi', 'now'])
    const sent = delivery.opened.flatMap(({ start }) => start?.run ?? [])
    expect(sent).toHaveLength(2)
    expect(new Set(sent).size).toBe(1)
  })

  test('an answer to an interrupt is sent, by id when asked to', async () => {
    const asking = script().run({}).interrupt('sure?', { id: 'i1' })
    const p = pump({ t: asking.resume().interrupt('really?', { id: 'i2' }).resume().end() })
    const { delivery, stream, results } = page(p, { threadId: 't' })
    await p.drain()
    expect(results.at(-1)).toMatchObject({ status: 'interrupted', interrupts: [{ id: 'i1', value: 'sure?' }] })
    act(() => void stream.respond('yes'))
    await p.settle()
    expect(delivery.open[0]?.start).toMatchObject({ resume: 'yes' })
    await p.drain()
    act(() => void stream.respond('no', { id: 'i2' }))
    await p.settle()
    expect(delivery.open[0]?.start).toMatchObject({ resume: { i2: 'no' } })
  })

  test('a message is edited and answered anew from its checkpoint', async () => {
    const p = pump({ t: turn })
    const { delivery, stream } = page(p, { threadId: 't' })
    await p.drain()
    act(() => void stream.edit('a', { messages: 'better' }))
    await p.settle()
    const start = { checkpointId: 'run1-checkpoint0', input: { messages: [{ content: 'better' }] } }
    expect(delivery.open[0]?.start).toMatchObject(start)
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
})
