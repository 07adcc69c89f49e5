import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  messageOf,
  messagesOf,
  serializeState,
  type RunEvent,
  type Space,
  type StampedEvent,
  type ThreadState,
} from '../../src/index.ts'
import { cases, logs, timeout } from './logs.ts'
import { whatCounts } from './oracle.ts'
import { linked, stamp, statesOf, told } from './thread.ts'

/**
 * All that is in a state but its place in the log and the count of what was ignored. Order counts where a viewer sees
 * it; a namespace in which nothing is counts as none.
 */
function tracesIn(state: ThreadState): unknown {
  const { base: _base, ignored: _ignored, ...rest } = serializeState(state)
  const sorted = <T>(items: Iterable<T>, key: (item: T) => string) =>
    [...items].toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  const isBlank = (space: Space) =>
    Object.keys(space.values).length + Object.keys(space.lists).length + space.pending.length === 0
  return {
    ...rest,
    values: [],
    live: sorted(state.live.values(), ({ id }) => id),
    aliases: sorted(state.aliases, ([name]) => name),
    spaces: sorted(state.spaces.values(), ({ ns }) => ns.join('|'))
      .filter((space) => !isBlank(space))
      .map((space) => ({
        ...space,
        awaited: space.awaited.toSorted(),
        aside: space.aside.toSorted(),
        touched: space.touched.toSorted(),
      })),
    settled: sorted(state.settled.values(), ({ message }) => message.id),
  }
}

test(
  'a withdrawn attempt leaves no trace: the state is that of a log in which it told nothing',
  () => {
    let withdrawn = 0
    fc.assert(
      fc.property(logs, (events) => {
        const counts = whatCounts(events)
        if (counts.length < events.length) withdrawn++
        expect(tracesIn(told(events))).toEqual(tracesIn(told(linked(counts))))
      }),
      cases(),
    )
    expect(withdrawn).toBeGreaterThan(10)
  },
  timeout,
)

test(
  'nothing is left of an attempt at the very moment it is withdrawn',
  () => {
    fc.assert(
      fc.property(logs, (events) => {
        const states = statesOf(events)
        for (const [i, event] of events.entries()) {
          if (event.type !== 'rewind') continue
          const counts = linked(whatCounts(events.slice(0, i + 1)))
          expect(tracesIn(states[i + 1]!)).toEqual(tracesIn(told(counts)))
        }
      }),
      cases(),
    )
  },
  timeout,
)

/** What one run of a chat without state tells: messages that stream, are put whole, and are left open at its end. */
const speech = (run: string): fc.Arbitrary<RunEvent[]> =>
  fc
    .array(fc.record({ text: fc.string({ maxLength: 4 }), ends: fc.boolean(), put: fc.boolean() }), { maxLength: 6 })
    .map((messages) => [
      { type: 'run.start', run, protocol: 1 },
      ...messages.flatMap(({ text, ends, put }, i): RunEvent[] => {
        const id = `${run}.${i}`
        if (put) return [{ type: 'message', run, message: { id, role: 'tool', content: text } }]
        return [
          { type: 'message.start', run, id, role: 'assistant' },
          { type: 'message.delta', run, id, part: 0, at: 0, text },
          ...(ends ? [{ type: 'message.end', run, id, lengths: [text.length] } as const] : []),
        ]
      }),
      { type: 'run.end', run, status: 'done' },
    ])

function mixed(a: readonly RunEvent[], b: readonly RunEvent[], luck: readonly boolean[]): StampedEvent[] {
  const [left, right] = [[...a], [...b]]
  const events: RunEvent[] = []
  for (let i = 0; left.length + right.length > 0; i++) {
    const next = (luck[i] ? left.shift() : right.shift()) ?? left.shift() ?? right.shift()
    if (next !== undefined) events.push(next)
  }
  return stamp(events)
}

test(
  'two runs on one thread do not touch the messages of each other',
  () => {
    fc.assert(
      fc.property(speech('a'), speech('b'), fc.array(fc.boolean(), { minLength: 40 }), (a, b, luck) => {
        const both = told(mixed(a, b, luck))
        const alone = [told(stamp(a)), told(stamp(b))]
        for (const state of alone) {
          for (const id of state.settled.keys()) expect(messageOf(both, id)).toEqual(messageOf(state, id))
        }
        expect(both.settled.size).toBe(alone[0]!.settled.size + alone[1]!.settled.size)
        expect(both.live.size).toBe(0)
      }),
      cases(),
    )
  },
  timeout,
)

test('what a values of its step has shown stays, even when its task is withdrawn while another one waits', () => {
  const at = { run: 'r', step: 1, node: 'agent' } as const
  const inside = { ...at, ns: ['agent:a'], task: 'inner' }
  const events: RunEvent[] = [
    { type: 'run.start', run: 'r', protocol: 1 },
    { type: 'task.start', ...at, task: 'a' },
    { type: 'task.start', ...at, task: 'b' },
    { type: 'message', ...at, task: 'a', message: { id: 'shown', role: 'assistant', content: 'taken' } },
    { type: 'message', ...inside, message: { id: 'below', role: 'assistant', content: 'taken too' } },
    { type: 'message', ...at, task: 'b', message: { id: 'open', role: 'assistant', content: 'not taken' } },
    { type: 'task.end', ...at, task: 'a', outcome: 'ok' },
    { type: 'task.end', ...at, task: 'b', outcome: 'interrupted' },
    { type: 'values', run: 'r', step: 1, lists: { messages: { append: ['shown', 'below'] } } },
    { type: 'rewind', ...at, task: 'a', attempt: 1 },
    { type: 'rewind', ...at, task: 'b', attempt: 1 },
  ]
  const state = told(stamp(events))
  expect(messagesOf(state).map(({ id }) => id)).toEqual(['shown', 'below'])
  expect(messageOf(state, 'open')).toBeUndefined()
})

test('a message told whole twice stays in its first place when another attempt is withdrawn', () => {
  const at = { run: 'r', step: 1, node: 'agent' } as const
  const put = { ...at, type: 'message', task: 'b', message: { id: 'twice', role: 'tool', content: 'a' } } as const
  const events: RunEvent[] = [
    { type: 'run.start', run: 'r', protocol: 1 },
    { type: 'message', run: 'r', step: 0, message: { id: 'asked', role: 'user', content: 'hi' } },
    { type: 'values', run: 'r', step: 0, full: true, lists: { messages: { ids: ['asked'] } } },
    { type: 'task.start', ...at, task: 'a' },
    { type: 'task.start', ...at, task: 'b' },
    { type: 'message.start', ...at, task: 'b', id: 'streams', role: 'assistant' },
    { type: 'message.start', ...at, task: 'a', id: 'asked', role: 'assistant' },
    put,
    { ...put, after: 'asked' },
    { type: 'rewind', ...at, task: 'a', attempt: 1 },
  ]
  expect(messagesOf(told(stamp(events))).map(({ id }) => id)).toEqual(['asked', 'streams', 'twice'])
})

test('of a thousand steps of a graph below, only what may be withdrawn is remembered', () => {
  const above = { run: 'r', step: 1, node: 'call' } as const
  const inside = (step: number) => ({ run: 'r', step, node: 'count', ns: ['call:a'] })
  const said = (step: number): RunEvent[] => [
    { type: 'task.start', ...inside(step), task: `t${step}` },
    { type: 'message', ...inside(step), task: `t${step}`, message: { id: `m${step}`, role: 'assistant', content: '' } },
    { type: 'task.end', ...inside(step), task: `t${step}`, outcome: 'ok' },
    { type: 'values', ...inside(step), lists: { messages: { append: [`m${step}`] } } },
  ]
  const silent = (step: number): RunEvent[] => [
    { type: 'task.start', ...inside(step), task: `t${step}` },
    { type: 'task.end', ...inside(step), task: `t${step}`, outcome: 'ok' },
    { type: 'values', ...inside(step), set: { step } },
  ]
  const begun: RunEvent[] = [
    { type: 'run.start', run: 'r', protocol: 1 },
    { type: 'message', run: 'r', step: 0, message: { id: 'asked', role: 'user', content: 'hi' } },
    { type: 'values', run: 'r', step: 0, full: true, lists: { messages: { ids: ['asked'] } } },
    { type: 'task.start', ...above, task: 'a' },
    { type: 'values', ...inside(0), full: true, set: { step: 0 } },
  ]
  const steps = [...said(1), ...Array.from({ length: 1000 }, (_, i) => silent(i + 2)).flat(), ...said(1002)]
  const again: RunEvent[] = [
    { type: 'task.start', ...inside(1003), task: 'late' },
    { type: 'message', ...inside(1003), task: 'late', message: { id: 'm1', role: 'assistant', content: 'other' } },
  ]
  const withdrawn: RunEvent = { type: 'rewind', ...inside(1003), task: 'late', attempt: 1 }
  const state = told(stamp([...begun, ...steps, ...again, withdrawn]))
  expect(serializeState(state).since.length).toBeLessThan(16)
  expect(messagesOf(state, { ns: ['call:a'] }).map(({ id, content }) => [id, content])).toEqual([
    ['m1', ''],
    ['m1002', ''],
  ])
  expect(state.spaces.get('call:a')?.values).toEqual({ step: 1001 })
  const none = told(
    stamp([{ type: 'rewind', ...above, task: 'a', attempt: 1 }]).map((event) => ({ ...event, seq: state.cursor + 1 })),
    state,
  )
  expect(messagesOf(none).map(({ id }) => id)).toEqual(['asked'])
  expect([...none.spaces.keys()]).toEqual([''])
})
