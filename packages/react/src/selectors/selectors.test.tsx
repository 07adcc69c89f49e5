// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react'
import type { RivuletEvent, RunEvent } from '@rivulet/protocol'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { settle, mockBackend } from '../../test/backend.ts'
import { answerBegins, runBegins, runEnds, token } from '../../test/conversation.ts'
import type { StreamHandle } from '../stream/stream.ts'
import { useStream } from '../stream/use-stream.ts'
import { useEvents, type EventFilter } from './use-events.ts'
import { useMessage, useMessageIds, useMessages } from './use-messages.ts'
import { useSelect } from './use-select.ts'
import { useProgress, useToolCall } from './use-tool-call.ts'
import { useValues } from './use-values.ts'

const backend = mockBackend()

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance'],
  })
})

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

/** A page of one thread whose component reads what the test wants; its output as JSON, and how often it rendered. */
function reading(read: (handle: StreamHandle) => unknown) {
  let renders = 0
  function Reader({ handle }: { handle: StreamHandle }): ReactNode {
    renders++
    return <output>{JSON.stringify(read(handle) ?? null)}</output>
  }
  function Page(): ReactNode {
    const { handle } = useStream({ url: backend.url, graph: 'agent', threadId: 't' })
    return <Reader handle={handle} />
  }
  const show = () => (
    <StrictMode>
      <Page />
    </StrictMode>
  )
  const { rerender } = render(show())
  return {
    shown: () => JSON.parse(screen.getByRole('status').textContent) as unknown,
    renders: () => renders,
    again: () => rerender(show()),
    emit: async (...events: RunEvent[]) => {
      await settle()
      await backend.emit('t', ...events)
      await act(() => vi.advanceTimersByTimeAsync(50))
    },
  }
}

const question = { id: 'q', content: 'hi' }

test('the list of ids of a node, a tag or a namespace', async () => {
  const { shown, emit } = reading((handle) => [
    useMessageIds(handle),
    useMessageIds(handle, { node: 'agent' }),
    useMessageIds(handle, { tag: 'draft' }),
    useMessageIds(handle, { ns: ['sub:1'] }),
  ])
  await emit(
    ...runBegins('r', question),
    ...answerBegins('r', 'a'),
    {
      type: 'message.start',
      run: 'r',
      node: 'writer',
      step: 1,
      task: 'w',
      id: 'd',
      role: 'assistant',
      meta: { tags: ['draft'] },
    },
    { type: 'message.start', run: 'r', node: 'inner', ns: ['sub:1'], step: 1, task: 'i', id: 's', role: 'assistant' },
  )
  expect(shown()).toEqual([['q', 'a', 'd'], ['a'], ['d'], ['s']])
})

test('a filter made anew in each render is the same filter', async () => {
  const lists = new Set<unknown>()
  const { emit, again } = reading((handle) => {
    lists.add(useMessageIds(handle, { node: 'agent', ns: [] }))
    return undefined
  })
  await emit(...runBegins('r', question), ...answerBegins('r', 'a'))
  again()
  await emit(token('r', 'a', 0, 'x'))
  expect([...lists]).toEqual([[], ['a']])
})

test('a row follows the id it is given', async () => {
  let id = 'q'
  const { shown, emit, again } = reading((handle) => useMessage(handle, id)?.content)
  await emit(...runBegins('r', question), ...answerBegins('r', 'a'), token('r', 'a', 0, 'one'))
  expect(shown()).toBe('hi')
  id = 'a'
  again()
  expect(shown()).toBe('one')
  await emit(token('r', 'a', 3, ' two'))
  expect(shown()).toBe('one two')
  id = 'nobody'
  again()
  expect(shown()).toBeNull()
})

test('all messages of the page, or of a node', async () => {
  const { shown, emit } = reading((handle) => [
    useMessages(handle).map(({ content }) => content),
    useMessages(handle, { node: 'agent' }).map(({ content }) => content),
  ])
  await emit(...runBegins('r', question), ...answerBegins('r', 'a'), token('r', 'a', 0, 'one'))
  expect(shown()).toEqual([['hi', 'one'], ['one']])
})

test('a value of the state renders its component only when it changes', async () => {
  const { shown, renders, emit } = reading((handle) => useValues(handle, (values) => values['topic']))
  await emit(...runBegins('r', question), { type: 'values', run: 'r', step: 1, set: { topic: 'cats' } })
  expect(shown()).toBe('cats')
  const before = renders()
  await emit(...answerBegins('r', 'a'), token('r', 'a', 0, 'x'), {
    type: 'values',
    run: 'r',
    step: 2,
    set: { other: 1 },
  })
  expect(renders()).toBe(before)
})

test('equality is the caller’s', async () => {
  const bySize = (a: { size: number }, b: { size: number }) => a.size === b.size
  const { renders, emit } = reading((handle) =>
    useValues(handle, (values) => ({ size: Object.keys(values).length }), bySize),
  )
  await emit(...runBegins('r', question), { type: 'values', run: 'r', step: 1, set: { topic: 'cats' } })
  const before = renders()
  await emit({ type: 'values', run: 'r', step: 2, set: { topic: 'dogs' } })
  expect(renders()).toBe(before)
})

test('a tool call and its progress', async () => {
  const { shown, emit } = reading((handle) => {
    const call = useToolCall(handle, 'c1')
    return [call?.status, call?.args, call?.output, useProgress(handle, 'c1')?.data, useProgress(handle, 'news')?.data]
  })
  const call = { run: 'r', step: 1, task: 'task', id: 'a', part: 0 }
  await emit(...runBegins('r', question), ...answerBegins('r', 'a'), {
    ...call,
    type: 'message.delta',
    at: 0,
    text: '{"x"',
    kind: 'tool',
    callId: 'c1',
    name: 'f',
  })
  expect(shown()).toEqual(['pending', '{"x"', null, null, null])
  await emit(
    { ...call, type: 'message.delta', at: 4, text: ':1}' },
    ...runEnds('r', 'a', 7).slice(0, 2),
    { type: 'tool.start', run: 'r', step: 2, task: 't2', id: 'c1', name: 'f' },
    { type: 'custom', run: 'r', step: 2, task: 't2', name: 'progress', toolCallId: 'c1', data: { done: 1 } },
    { type: 'custom', run: 'r', step: 2, task: 't2', name: 'news', data: 'hear' },
  )
  expect(shown()).toEqual(['running', '{"x":1}', null, { done: 1 }, 'hear'])
  await emit({ type: 'tool.end', run: 'r', step: 2, task: 't2', id: 'c1', name: 'f', output: 42 })
  expect(shown()).toEqual(['done', '{"x":1}', 42, { done: 1 }, 'hear'])
})

test('anything else is one select, with a selector made in the render', async () => {
  let name = 'messages'
  const { shown, renders, emit, again } = reading((handle) =>
    useSelect(handle, ({ messages, status }) => [name, name === 'messages' ? messages.length : status]),
  )
  await emit(...runBegins('r', question))
  expect(shown()).toEqual(['messages', 1])
  const before = renders()
  await emit(...answerBegins('r', 'a').slice(0, 1))
  expect(renders()).toBe(before)
  name = 'status'
  again()
  expect(shown()).toEqual(['status', 'streaming'])
  await emit({ type: 'run.end', run: 'r', status: 'done' })
  expect(shown()).toEqual(['status', 'idle'])
})

test('events that pass the filter are told to the callback of the last render', async () => {
  const heard: string[] = []
  let filter: EventFilter = { type: ['custom', 'message.start'], ns: [] }
  let name = 'first'
  const { renders, emit, again } = reading((handle) => {
    useEvents(handle, filter, (event: RivuletEvent) => heard.push(`${name} ${event.type}`))
    return undefined
  })
  await emit(
    ...runBegins('r', question),
    { type: 'custom', run: 'r', ns: ['sub:1'], data: 1 },
    { type: 'custom', run: 'r', data: 2 },
  )
  name = 'second'
  filter = { node: 'agent' }
  again()
  const before = renders()
  await emit(...answerBegins('r', 'a'), { type: 'custom', run: 'r', data: 3 })
  expect(heard).toEqual(['first custom', 'second task.start', 'second message.start'])
  expect(renders()).toBe(before)
})
