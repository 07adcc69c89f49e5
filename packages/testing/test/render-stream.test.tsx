// @vitest-environment jsdom
import { createClient, type ThreadStore } from '@rivulet/client'
import { cleanup } from '@testing-library/react'
import { useCallback, useSyncExternalStore } from 'react'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { memoryTransport, pump, script, type Pump } from '../src/index.ts'
import { renderStream } from '../src/react/index.ts'
import { matchers } from '../src/vitest/index.ts'

beforeAll(() => expect.extend(matchers))
afterEach(cleanup)

const chat = script().run('hi').token('Hel', { id: 'answer' }).token('lo').end().run('more').token('Sure').end()

/** The least hook that shows a thread. */
function useThread(thread: ThreadStore) {
  const { messages } = useSyncExternalStore(thread.subscribe, thread.getSnapshot)
  const submit = useCallback(() => thread.submit(), [thread])
  return { messages, submit }
}

function followed(p: Pump): ThreadStore {
  const client = createClient({ transport: memoryTransport(p), timing: p.timing })
  const thread = client.thread({ graph: 'agent', threadId: 't' })
  thread.follow()
  return thread
}

test('it counts commits, renders, and renders of each message', async () => {
  const p = pump({ t: chat })
  const thread = followed(p)
  const page = renderStream(() => useThread(thread))
  await p.until('message.start')
  page.resetCounts()
  await p.next()
  await p.next()
  expect(page.current.messages.map(({ content }) => content)).toEqual(['hi', 'Hello'])
  expect(page.messageRenders).toEqual({ answer: 2 })
  expect({ renders: page.renders, commits: page.commits }).toEqual({ renders: 2, commits: 2 })
  expect(page).toHaveRenderedAtMost(2)
  expect(page).not.toHaveRenderedAtMost(1)
  expect(page).toHaveRenderedAtMost(2, { message: 'answer' })
  expect(page).toHaveRenderedAtMost(0, { message: 'run1-input1' })
  thread.dispose()
})

test('it sees what keeps its identity and what does not', async () => {
  const p = pump({ t: chat })
  const thread = followed(p)
  const page = renderStream(() => ({ ...useThread(thread), fresh: () => {} }))
  await p.drain()
  expect(page.identities(({ submit }) => submit)).toBe(1)
  expect(page.identities(({ fresh }) => fresh)).toBe(page.results.length)
  expect(page.identities(({ messages }) => messages)).toBeGreaterThan(3)
  thread.dispose()
})

test('a thread matches by what it shows', async () => {
  const p = pump({ t: chat })
  const thread = followed(p)
  await p.until('run.end')
  expect(thread).toMatchThread(['hi', 'Hello'])
  expect(thread).toMatchThread([{ role: 'user' }, { id: 'answer', content: 'Hello' }])
  expect(thread.getSnapshot()).toMatchThread({ messages: ['hi', 'Hello'], status: 'idle', interrupts: [] })
  expect(thread.getSnapshot().state).toMatchThread({ status: 'done' })
  expect(thread).not.toMatchThread(['hi'])
  expect(thread).not.toMatchThread(['hi', 'Hello', 'more'])
  expect(() => expect({}).toMatchThread([])).toThrow('no thread')
  thread.dispose()
})

test('a gap is told, and so is what was ignored', () => {
  const start = { type: 'run.start', run: 'r', protocol: 1 } as const
  expect([{ ...start, seq: 1 }]).toHaveNoGaps()
  expect([{ ...start, seq: 3, prev: 2 }]).not.toHaveNoGaps()
  expect([{ ...start, run: null, seq: 1 }]).not.toHaveNoGaps()
})
