import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  emptyState,
  fold,
  foldAll,
  messageIdsOf,
  messageOf,
  messagesOf,
  progressOf,
  serializeState,
  skipGap,
  toolCallOf,
  toolCallsOf,
  valuesOf,
  type RivuletEvent,
  type StampedEvent,
  type ThreadState,
} from '../../src/index.ts'
import { cases, logs, timeout } from './logs.ts'
import { linked, textOf, told } from './thread.ts'

/** Fields that the fold relies on, by type, each with values it must refuse. */
const required: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  'message.start': { id: [undefined, null, 7], meta: ['tags', { tags: 'title' }, { namespace: [''] }] },
  'message.delta': { id: [undefined, {}], part: [-1, 1.5, '0', undefined], at: [-1, null, NaN], text: [undefined, 5] },
  'message.end': {
    id: [undefined],
    lengths: [undefined, 3, ['1']],
    parts: [{}, 'x', [1]],
    providerId: [1],
    metadata: ['x', []],
  },
  message: { message: [undefined, null, { id: 'm' }, { id: 1, content: '' }, { id: 'm', content: '', toolCalls: 1 }] },
  'message.remove': { id: [undefined, 1] },
  'tool.start': { id: [undefined, []] },
  'tool.end': { id: [undefined] },
  'task.start': { task: [undefined, 1], node: [undefined, 1] },
  'task.end': { task: [undefined], node: [null] },
  interrupt: { id: [undefined] },
  'run.start': { resume: ['all', [1], {}] },
  values: { set: ['x', []], unset: ['x', [1]], lists: [[], { messages: {} }, { messages: { append: 'm' } }] },
  rewind: { task: [undefined], attempt: [undefined, 'first'], to: [null] },
  error: { error: [undefined, 'oops'] },
}
const envelope = { run: [undefined, 7], ns: ['a', [''], ['a|b'], [1]], task: [1], step: ['1'], attempt: [0.5] } as const

/** An event like this one that is malformed in one field. */
function malformed(event: StampedEvent, luck: number): RivuletEvent {
  const fields = Object.entries({ ...envelope, ...required[event.type] }) as [string, readonly unknown[]][]
  const [field, values] = fields[luck % fields.length]!
  // Not an event of ours any more: that is the point.
  return { ...event, [field]: values[luck % values.length] }
}

test(
  'a malformed event is counted, its place counts, and all that follows is applied',
  () => {
    fc.assert(
      fc.property(logs, fc.infiniteStream(fc.nat()), (events, luck) => {
        let spoilt = 0
        const mixed = events.flatMap((event) => {
          const next = luck.next().value
          if (next % 3 !== 0) return [{ ...event, seq: event.seq * 2 }]
          spoilt++
          return [
            { ...malformed(event, next), seq: event.seq * 2 - 1 },
            { ...event, seq: event.seq * 2 },
          ]
        })
        // Places are doubled, so that there is one between any two.
        const state = told(linked(mixed as StampedEvent[]))
        const whole = told(linked(events.map((event) => ({ ...event, seq: event.seq * 2 }))))
        expect(state.gap).toBeUndefined()
        expect(textOf({ ...state, ignored: whole.ignored })).toBe(textOf(whole))
        expect(state.ignored).toBe(whole.ignored + spoilt)
      }),
      cases(),
    )
  },
  timeout,
)

const types = ['sync', 'updates', 'checkpoint', 'custom', 'run.end', 'unknown', '__proto__', ...Object.keys(required)]
const anyOf = (...values: unknown[]) => fc.oneof(fc.constantFrom(...values), fc.jsonValue({ maxDepth: 3 }))

/** Anything that JSON can say, dressed as an event. */
const garbage = fc.record(
  {
    type: fc.constantFrom(...types),
    seq: anyOf(1, 2, 3, 4, 5, 6, 7, 8, 9),
    prev: anyOf(undefined, 1, 2, 0),
    run: anyOf('r', 'r2', '__proto__'),
    ns: anyOf(undefined, [], ['a:t'], ['__proto__']),
    task: anyOf(undefined, 't'),
    node: anyOf(undefined, 'a'),
    step: anyOf(undefined, 0, 1),
    attempt: anyOf(undefined, 1, 2),
    id: anyOf('m', 'n', '__proto__'),
    role: anyOf('user'),
    message: anyOf({ id: 'm', role: 'user', content: 'x' }, { id: 'constructor', content: 'x', toolCalls: [{}] }),
    part: anyOf(0, 1),
    at: anyOf(0, 1),
    text: anyOf('a', 'b'),
    lengths: anyOf([], [1]),
    parts: anyOf(undefined, []),
    meta: anyOf(undefined, { tags: ['x'] }),
    metadata: anyOf(undefined, { a: 1 }),
    set: anyOf(undefined, { a: 1 }),
    unset: anyOf(undefined, ['a']),
    lists: anyOf(undefined, { messages: { append: ['m'] } }, { messages: { ids: ['n', 'm'] } }),
    full: anyOf(undefined, true),
    resume: anyOf(undefined, []),
    status: anyOf('done'),
    error: anyOf(undefined, { code: 'INTERNAL', message: 'x' }),
    state: anyOf({ values: {}, lists: {}, messages: [] }, serializeState(emptyState())),
    phase: anyOf('snapshot', 'replay', 'live'),
    log: anyOf('', 'log'),
    outcome: anyOf('ok'),
    name: anyOf(undefined, 'n'),
    data: anyOf(1),
  },
  { requiredKeys: ['type', 'seq'] },
)

/** Looks at everything: a state that cannot be read is no better than a fold that throws. */
function look(state: ThreadState): ThreadState {
  for (const ns of [[], ['a:t'], ['__proto__']]) {
    messagesOf(state, { ns })
    messageIdsOf(state, { ns, key: '__proto__' })
    valuesOf(state, ns)
    toolCallsOf(state, { ns })
  }
  messagesOf(state, { tag: 'x' })
  toolCallOf(state, 'm')
  progressOf(state, 'n')
  for (const id of ['m', 'n', '__proto__']) messageOf(state, id)
  JSON.stringify(serializeState(state))
  return state
}

test(
  'nothing that arrives makes the fold or its readers throw',
  () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: garbage }, { weight: 1, arbitrary: fc.jsonValue() })),
        (events) => {
          // Whatever JSON says is what a wire may bring.
          const arrived = events as unknown as RivuletEvent[]
          const oneByOne = () => arrived.reduce((state, event) => look(skipGap(fold(state, event))), emptyState())
          expect(oneByOne).not.toThrow()
          expect(() => look(foldAll(emptyState(), arrived))).not.toThrow()
        },
      ),
      cases(3),
    )
  },
  timeout,
)
