import { emptyState, foldAll, RivuletError, type RivuletEvent, type RunEvent } from '@rivulet/protocol'
import * as fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { chatRun, stamped } from '../../test/pump.ts'
import { idleHealth } from '../connection/health.ts'
import type { ThreadFacts } from './facts.ts'
import { createObservers } from './observers.ts'
import { send } from './outbox.ts'
import type { ThreadSnapshot } from './snapshot.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function facts(change: Partial<ThreadFacts> = {}): ThreadFacts {
  return {
    threadId: 't',
    state: emptyState(),
    outbox: [],
    starts: [],
    failure: undefined,
    connection: idleHealth,
    messagesKey: 'messages',
    initialValues: undefined,
    ...change,
  }
}

/** A thread of so many finished messages with one more that streams. */
function conversation(length: number): RunEvent[] {
  const ids = Array.from({ length }, (_, i) => `m${i}`)
  return [
    { type: 'run.start', run: 'r', protocol: 1 },
    ...ids.map((id): RunEvent => ({ type: 'message', run: 'r', message: { id, role: 'user', content: id } })),
    { type: 'values', run: 'r', step: 0, full: true, set: { topic: 'cats' }, lists: { messages: { append: ids } } },
    { type: 'message.start', run: 'r', node: 'agent', step: 1, task: 'k', id: 'live', role: 'assistant' },
  ]
}

function watching(events: readonly RunEvent[]) {
  let now = facts({ state: foldAll(emptyState(), stamped(events)) })
  let next = events.length + 1
  const observers = createObservers(now)
  const set = (change: Partial<ThreadFacts>) => {
    now = { ...now, ...change }
    observers.set(now)
  }
  const emit = (...more: RunEvent[]) => {
    set({ state: foldAll(now.state, stamped(more, next)) })
    next += more.length
  }
  return { observers, set, emit }
}

function token(at: number, text: string): RunEvent {
  return { type: 'message.delta', run: 'r', node: 'agent', step: 1, task: 'k', id: 'live', part: 0, at, text }
}

test('a thousand rows cost nothing while another message streams', () => {
  const { observers, emit } = watching(conversation(1000))
  let asked = 0
  let told = 0
  for (let i = 0; i < 1000; i++) {
    const read = ({ message }: ThreadSnapshot) => {
      asked++
      return message(`m${i}`)
    }
    observers.select(read, () => told++)
  }
  const live: (string | undefined)[] = []
  observers.select(
    (snapshot) => snapshot.message('live')?.content,
    (content) => live.push(content),
  )
  asked = 0
  for (let at = 0; at < 50; at++) emit(token(at, 'x'))
  expect(asked).toBe(0)
  expect(told).toBe(0)
  expect(live).toHaveLength(50)
})

test('the list of ids does not change while a message streams', () => {
  const { observers, emit } = watching(conversation(3))
  const lists: unknown[] = []
  observers.select(
    (snapshot) => snapshot.messageIds(),
    (ids) => lists.push(ids),
  )
  emit(token(0, 'a'), token(1, 'b'))
  expect(lists).toEqual([])
  emit({ type: 'message', run: 'r', message: { id: 'new', role: 'user', content: '' } })
  expect(lists).toEqual([['m0', 'm1', 'm2', 'live', 'new']])
})

test('unchanged parts of two snapshots are the same objects', () => {
  const { observers, emit } = watching(conversation(3))
  const before = observers.getSnapshot()
  const read = [before.values, before.interrupts, before.toolCalls, before.activeNodes, before.messages[0]]
  emit(token(0, 'a'))
  const after = observers.getSnapshot()
  expect(after).not.toBe(before)
  expect(after.messages).not.toBe(before.messages)
  const again = [after.values, after.interrupts, after.toolCalls, after.activeNodes, after.messages[0]]
  for (const [i, part] of read.entries()) expect(again[i]).toBe(part)
})

test('one snapshot stays what it was', () => {
  const { observers, emit } = watching(conversation(1))
  const before = observers.getSnapshot()
  emit(token(0, 'a'))
  expect(before.message('live')?.content).toBe('')
  expect(before.messages.at(-1)?.content).toBe('')
  expect(observers.getSnapshot().message('live')?.content).toBe('a')
})

test('a selector that reads something else after a change is asked when that changes, and then only', () => {
  const { observers, emit, set } = watching(conversation(2))
  const seen: unknown[] = []
  let asked = 0
  observers.select(
    ({ threadId, message }) => {
      asked++
      return threadId === 'u' ? message('live')?.content : 'nothing'
    },
    (value) => seen.push(value),
  )
  emit(token(0, 'a'))
  set({ threadId: 'u' })
  emit(token(1, 'b'))
  expect(seen).toEqual(['a', 'ab'])
  set({ threadId: 'v' })
  asked = 0
  emit(token(2, 'c'))
  expect(asked).toBe(0)
})

test.each<[string, Partial<ThreadFacts>, (snapshot: ThreadSnapshot) => unknown, unknown]>([
  ['a run that was asked for', { starts: [{ run: 'r2', graph: 'g', input: {} }] }, ({ queue }) => queue[0]?.run, 'r2'],
  ['a failure', { failure: new RivuletError('DISCONNECTED', 'gone') }, ({ error }) => error?.code, 'DISCONNECTED'],
  ['the connection', { connection: { ...idleHealth, phase: 'open' } }, ({ connection }) => connection.phase, 'open'],
  ['the thread’s id', { threadId: 'u' }, ({ threadId }) => threadId, 'u'],
])('%s is told to whoever reads it', (_what, change, read, value) => {
  const { observers, set } = watching(conversation(1))
  const seen: unknown[] = []
  observers.select(read, (now) => seen.push(now))
  set(change)
  expect(seen).toEqual([value])
})

test('a message on its way is shown, and the row that shows it is told when it arrives', () => {
  const { observers, emit, set } = watching(conversation(1))
  const seen: unknown[] = []
  observers.select(
    (snapshot) => snapshot.message('u')?.delivery,
    (delivery) => seen.push(delivery),
  )
  set({ outbox: send([], 'r2', [{ id: 'u', role: 'user', content: 'hi' }], 'live') })
  expect(observers.getSnapshot().messageIds()).toEqual(['m0', 'live', 'u'])
  emit({ type: 'message', run: 'r', message: { id: 'u', role: 'user', content: 'hi' } })
  set({ outbox: [] })
  expect(seen).toEqual(['sending', undefined])
})

test('a row that names a message by the provider’s id is told of its changes', () => {
  const { observers, emit } = watching(conversation(1))
  const seen: unknown[] = []
  observers.select(
    (snapshot) => snapshot.message('p1')?.status,
    (status) => seen.push(status),
  )
  emit(token(0, 'a'))
  emit({ type: 'message.end', run: 'r', id: 'live', lengths: [1], providerId: 'p1' })
  expect(seen).toEqual(['done'])
})

test('a selector that throws is reported and does not disturb the others', () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { observers, emit } = watching(conversation(1))
  let isBroken = false
  const seen: unknown[] = []
  observers.select(
    ({ message }) => {
      message('live')
      if (isBroken) throw new Error('broken selector')
      return undefined
    },
    () => {},
  )
  observers.select(
    ({ message }) => message('live')?.content,
    (content) => seen.push(content),
  )
  isBroken = true
  emit(token(0, 'a'))
  expect(seen).toEqual(['a'])
  expect(report).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'broken selector' }))
})

test('a callback that rejects is reported', async () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { observers, emit } = watching(conversation(1))
  const keep = (): unknown => Promise.reject(new Error('could not be kept'))
  observers.select(({ message }) => message('live')?.content, keep)
  emit(token(0, 'a'))
  await vi.waitFor(() => expect(report).toHaveBeenCalledOnce())
  expect(report).toHaveBeenCalledWith(expect.objectContaining({ message: 'could not be kept' }))
})

test('whoever left is not told any more, also not in the middle of telling', () => {
  const { observers, emit } = watching(conversation(1))
  const seen: string[] = []
  const leaveSecond = () => leave[1]!()
  const leave = ['first', 'second'].map((name) =>
    observers.select(
      ({ message }) => message('live'),
      () => {
        seen.push(name)
        leaveSecond()
      },
    ),
  )
  emit(token(0, 'a'))
  leave[0]!()
  emit(token(1, 'b'))
  expect(seen).toEqual(['first'])
})

test('one function may listen twice and leave once', () => {
  const { observers, emit } = watching(conversation(1))
  const listener = vi.fn<() => void>()
  const leave = observers.subscribe(listener)
  observers.subscribe(listener)
  leave()
  emit(token(0, 'a'))
  expect(listener).toHaveBeenCalledOnce()
})

const readers: ((snapshot: ThreadSnapshot) => unknown)[] = [
  ({ messages }) => messages,
  ({ values }) => values,
  ({ status }) => status,
  ({ isLoading }) => isLoading,
  ({ error }) => error,
  ({ interrupts }) => interrupts,
  ({ toolCalls }) => toolCalls,
  ({ activeNodes }) => activeNodes,
  (snapshot) => snapshot.messageIds(),
  (snapshot) => snapshot.messageIds({ node: 'agent' }),
  (snapshot) => snapshot.messagesWhere({ node: 'agent' }),
  (snapshot) => snapshot.valuesAt([]),
  (snapshot) => snapshot.message('live'),
  (snapshot) => snapshot.message('u1'),
  (snapshot) => snapshot.message('alias'),
  (snapshot) => snapshot.toolCall('c1'),
  (snapshot) => snapshot.progress('progress'),
]

/** A run that touches every part of a thread. */
const busyRun: RunEvent[] = [
  { type: 'run.start', run: 'r', protocol: 1 },
  { type: 'message', run: 'r', step: 0, message: { id: 'u1', role: 'user', content: 'hi' } },
  { type: 'values', run: 'r', step: 0, full: true, lists: { messages: { append: ['u1'] } } },
  { type: 'task.start', run: 'r', node: 'agent', step: 1, task: 'k' },
  { type: 'message.start', run: 'r', node: 'agent', step: 1, task: 'k', id: 'live', role: 'assistant' },
  token(0, 'let me '),
  token(7, 'see'),
  {
    type: 'message.delta',
    run: 'r',
    task: 'k',
    id: 'live',
    part: 1,
    at: 0,
    text: '{"a":',
    kind: 'tool',
    callId: 'c1',
    name: 'f',
  },
  { type: 'message.delta', run: 'r', task: 'k', id: 'live', part: 1, at: 5, text: '1}' },
  { type: 'message.end', run: 'r', task: 'k', id: 'live', lengths: [10, 7], providerId: 'alias' },
  { type: 'task.end', run: 'r', node: 'agent', step: 1, task: 'k', outcome: 'ok' },
  { type: 'values', run: 'r', step: 1, set: { topic: 'cats' }, lists: { messages: { append: ['live'] } } },
  { type: 'tool.start', run: 'r', step: 2, task: 'k2', id: 'c1', name: 'f' },
  { type: 'custom', run: 'r', step: 2, task: 'k2', name: 'progress', toolCallId: 'c1', data: 1 },
  { type: 'tool.end', run: 'r', step: 2, task: 'k2', id: 'c1', name: 'f', output: 2 },
  {
    type: 'message',
    run: 'r',
    step: 2,
    task: 'k2',
    message: { id: 't1', role: 'tool', toolCallId: 'c1', content: '2' },
  },
  { type: 'values', run: 'r', step: 2, lists: { messages: { append: ['t1'] } } },
  { type: 'interrupt', run: 'r', step: 3, task: 'k3', id: 'i1', value: 'sure?' },
  { type: 'run.end', run: 'r', status: 'interrupted' },
  ...chatRun('r2', { id: 'u2', content: 'go on' }, ['all ', 'done']),
  { type: 'run.start', run: 'r3', protocol: 1 },
  { type: 'run.end', run: 'r3', status: 'error', error: { code: 'NODE_FAILED', message: 'oh' } },
]

test('nobody is told one time too few, however the events are cut into groups', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: busyRun.length, maxLength: busyRun.length })
  fc.assert(
    fc.property(cuts, (sizes) => {
      let state = emptyState()
      const observers = createObservers(facts({ state }))
      const latest = readers.map((read) => read(observers.getSnapshot()))
      readers.forEach((read, i) => observers.select(read, (value) => (latest[i] = value)))
      const events: RivuletEvent[] = stamped(busyRun)
      for (const size of sizes) {
        state = foldAll(state, events.splice(0, size))
        observers.set(facts({ state }))
        const now = readers.map((read) => read(observers.getSnapshot()))
        expect(latest).toEqual(now)
      }
    }),
    { numRuns: 50 },
  )
})
