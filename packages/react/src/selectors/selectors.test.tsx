// @vitest-environment jsdom
import type { RivuletEvent } from '@rivulet/protocol'
import { memoryTransport, pump, script, type Script } from '@rivulet/testing'
import { cleanup, render, screen } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StreamHandle } from '../stream/stream.ts'
import { useStream } from '../stream/use-stream.ts'
import { useEvents, type EventFilter } from './use-events.ts'
import { useMessage, useMessageIds, useMessages } from './use-messages.ts'
import { useSelect } from './use-select.ts'
import { useProgress, useToolCall } from './use-tool-call.ts'
import { useValues } from './use-values.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

/** A page of one thread whose component reads what the test wants; its output as JSON, and how often it rendered. */
function reading(written: Script, read: (handle: StreamHandle) => unknown) {
  const p = pump({ t: written })
  const transport = memoryTransport(p)
  let renders = 0
  function Reader({ handle }: { handle: StreamHandle }): ReactNode {
    renders++
    return <output>{JSON.stringify(read(handle) ?? null)}</output>
  }
  function Page(): ReactNode {
    const { handle } = useStream({ transport, graph: 'agent', threadId: 't' })
    return <Reader handle={handle} />
  }
  const show = () => (
    <StrictMode>
      <Page />
    </StrictMode>
  )
  const { rerender } = render(show())
  return {
    p,
    shown: () => JSON.parse(screen.getByRole('status').textContent) as unknown,
    renders: () => renders,
    again: () => rerender(show()),
  }
}

/** A run that begins with a user's message `q`. */
const asked = script().run({ messages: { id: 'q', role: 'user', content: 'hi' } })

test('the list of ids of a node, a tag or a namespace', async () => {
  const { shown, p } = reading(
    asked
      .token('x', { id: 'a' })
      .node('writer')
      .token('x', { id: 'd', tags: ['draft'] })
      .node('inner', { ns: ['sub:1'] })
      .token('x', { id: 's' }),
    (handle) => [
      useMessageIds(handle),
      useMessageIds(handle, { node: 'agent' }),
      useMessageIds(handle, { tag: 'draft' }),
      useMessageIds(handle, { ns: ['sub:1'] }),
    ],
  )
  await p.drain()
  expect(shown()).toEqual([['q', 'a', 'd'], ['a'], ['d'], ['s']])
})

test('a filter made anew in each render is the same filter', async () => {
  const lists = new Set<unknown>()
  const { p, again } = reading(asked.token('x', { id: 'a' }).token('y'), (handle) => {
    lists.add(useMessageIds(handle, { node: 'agent', ns: [] }))
    return undefined
  })
  await p.until('message.delta')
  again()
  await p.drain()
  expect([...lists]).toEqual([[], ['a']])
})

test('a row follows the id it is given', async () => {
  let id = 'q'
  const { shown, p, again } = reading(
    asked.token('one', { id: 'a' }).token(' two'),
    (handle) => useMessage(handle, id)?.content,
  )
  await p.until('message.delta')
  expect(shown()).toBe('hi')
  id = 'a'
  again()
  expect(shown()).toBe('one')
  await p.drain()
  expect(shown()).toBe('one two')
  id = 'nobody'
  again()
  expect(shown()).toBeNull()
})

test('all messages of the page, or of a node', async () => {
  const { shown, p } = reading(asked.token('one'), (handle) => [
    useMessages(handle).map(({ content }) => content),
    useMessages(handle, { node: 'agent' }).map(({ content }) => content),
  ])
  await p.drain()
  expect(shown()).toEqual([['hi', 'one'], ['one']])
})

test('a value of the state renders its component only when it changes', async () => {
  const { shown, renders, p } = reading(asked.values({ topic: 'cats' }).token('x').values({ other: 1 }), (handle) =>
    useValues(handle, (values) => values['topic']),
  )
  await p.until(({ type, step }) => type === 'values' && step === 1)
  expect(shown()).toBe('cats')
  const before = renders()
  await p.drain()
  expect(renders()).toBe(before)
})

test('equality is the caller’s', async () => {
  const bySize = (a: { size: number }, b: { size: number }) => a.size === b.size
  const { renders, p } = reading(asked.values({ topic: 'cats' }).values({ topic: 'dogs' }), (handle) =>
    useValues(handle, (values) => ({ size: Object.keys(values).length }), bySize),
  )
  await p.until(({ type, step }) => type === 'values' && step === 1)
  const before = renders()
  await p.drain()
  expect(renders()).toBe(before)
})

test('a tool call and its progress', async () => {
  const working = asked
    .tool('f', { id: 'c1', args: { x: 1 }, slices: 2 })
    .progress({ done: 1 })
    .custom('hear', { name: 'news' })
  const { shown, p } = reading(working.result(42), (handle) => {
    const call = useToolCall(handle, 'c1')
    return [call?.status, call?.args, call?.output, useProgress(handle, 'c1')?.data, useProgress(handle, 'news')?.data]
  })
  await p.until('message.delta')
  expect(shown()).toEqual(['pending', '{"x"', null, null, null])
  await p.until(({ type, ...event }) => type === 'custom' && 'name' in event && event.name === 'news')
  expect(shown()).toEqual(['running', '{"x":1}', null, { done: 1 }, 'hear'])
  await p.until('tool.end')
  expect(shown()).toEqual(['done', '{"x":1}', 42, { done: 1 }, 'hear'])
})

test('anything else is one select, with a selector made in the render', async () => {
  let name = 'messages'
  const { shown, renders, p, again } = reading(asked.token('').end(), (handle) =>
    useSelect(handle, ({ messages, status }) => [name, name === 'messages' ? messages.length : status]),
  )
  await p.until('values')
  expect(shown()).toEqual(['messages', 1])
  const before = renders()
  await p.until('task.start')
  expect(renders()).toBe(before)
  name = 'status'
  again()
  expect(shown()).toEqual(['status', 'streaming'])
  await p.drain()
  expect(shown()).toEqual(['status', 'idle'])
})

test('events that pass the filter are told to the callback of the last render', async () => {
  const heard: string[] = []
  let filter: EventFilter = { type: ['custom', 'message.start'], ns: [] }
  let name = 'first'
  const written = asked
    .node('inner', { ns: ['sub:1'] })
    .custom(1)
    .node('writer')
    .custom(2)
    .node('agent')
    .token('x')
  const { renders, p, again } = reading(written.node('writer').custom(3), (handle) => {
    useEvents(handle, filter, (event: RivuletEvent) => heard.push(`${name} ${event.type}`))
    return undefined
  })
  await p.until('custom')
  await p.until('custom')
  name = 'second'
  filter = { node: 'agent' }
  again()
  const before = renders()
  await p.until('message.start')
  await p.drain()
  expect(heard.slice(0, 3)).toEqual(['first custom', 'second task.start', 'second message.start'])
  expect(heard.some((told) => told.endsWith('custom') && told.startsWith('second'))).toBe(false)
  expect(renders()).toBe(before)
})

test('a callback for events that rejects is reported', async () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {})
  const keep = (): unknown => Promise.reject(new Error('could not be kept'))
  const { p } = reading(asked.custom(1), (handle) => {
    useEvents(handle, { type: 'custom' }, keep)
    return undefined
  })
  await p.drain()
  expect(report).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'could not be kept' }))
  report.mockRestore()
})
