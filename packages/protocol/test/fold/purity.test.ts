import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  activeTasks,
  currentRun,
  foldAll,
  interruptsOf,
  messageIdsOf,
  messageOf,
  messagesOf,
  progressOf,
  toolCallOf,
  toolCallsOf,
  valuesOf,
  type Namespace,
  type RunEvent,
  type StampedEvent,
  type ThreadState,
} from '../../src/index.ts'
import { cases, logs, shortLogs, timeout } from './logs.ts'
import { statesOf, textOf, told } from './thread.ts'

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) frozen(inner)
  return value
}

/** Freezes a state with all that its maps hold. Maps themselves cannot be frozen: their text is compared instead. */
function frozenState(state: ThreadState): ThreadState {
  for (const part of Object.values(state)) {
    if (typeof part === 'object' && part !== null && Symbol.iterator in part) for (const item of part) frozen(item)
    if (Array.isArray(part)) Object.freeze(part)
  }
  return Object.freeze(state)
}

test(
  'no state and no event is ever written to, one by one or in a batch',
  () => {
    fc.assert(
      fc.property(logs, (events) => {
        frozen(events)
        const texts = new Map<ThreadState, string>()
        let state = frozenState(told([]))
        for (const [i, event] of events.entries()) {
          const tail = events.slice(i, i + 5)
          expect(() => foldAll(state, tail)).not.toThrow()
          texts.set(state, textOf(state))
          state = frozenState(foldAll(state, [event]))
        }
        for (const [old, text] of texts) expect(textOf(old)).toBe(text)
      }),
      cases(),
    )
  },
  timeout,
)

/** All readers, by a name for what they read. */
function readAll(state: ThreadState, namespaces: readonly Namespace[], ids: readonly string[]): Map<string, unknown> {
  const answers = new Map<string, unknown>([
    ['run', currentRun(state)],
    ['tasks', activeTasks(state)],
    ['interrupts', interruptsOf(state)],
    ['progress', progressOf(state, 'progress')],
    ['of a node', messagesOf(state, { node: 'agent' })],
    ['ids of a node', messageIdsOf(state, { node: 'agent' })],
    ['of a tag', messagesOf(state, { tag: 'title', ns: [] })],
    ['another list', messagesOf(state, { key: 'others' })],
  ])
  for (const ns of namespaces) {
    const name = ns.join('|')
    answers.set(`ids ${name}`, messageIdsOf(state, { ns }))
    answers.set(`messages ${name}`, messagesOf(state, { ns }))
    answers.set(`values ${name}`, valuesOf(state, ns))
    answers.set(`calls ${name}`, toolCallsOf(state, { ns }))
  }
  for (const id of ids) {
    answers.set(`message ${id}`, messageOf(state, id))
    answers.set(`call ${id}`, toolCallOf(state, id))
  }
  return answers
}

function idsIn(events: readonly RunEvent[]): string[] {
  return [...new Set(events.flatMap((event) => ('id' in event ? [event.id] : [])))]
}

function namespacesIn(events: readonly RunEvent[]): Namespace[] {
  const named = new Map(events.map(({ ns = [] }) => [ns.join('|'), ns]))
  return [[], ...named.values()]
}

/** Where one message takes the place of another, or a part begins, the new one may say the same as the old. */
function replaces(event: StampedEvent): boolean {
  if (event.type === 'message.delta') return event.at === 0 && event.text === ''
  return event.type === 'message' || event.type === 'rewind' || event.type === 'message.start'
}

test(
  'readers answer the same object while nothing that they show has changed',
  () => {
    fc.assert(
      fc.property(shortLogs, (events) => {
        const namespaces = namespacesIn(events)
        const ids = idsIn(events)
        const states = statesOf(events)
        let before = readAll(states[0]!, namespaces, ids)
        for (const [i, state] of states.slice(1).entries()) {
          const now = readAll(state, namespaces, ids)
          const isNewButSame = ([name, answer]: [string, unknown]) =>
            answer !== before.get(name) && isDeepStrictEqual(answer, before.get(name))
          const moved = replaces(events[i]!) ? [] : [...now].filter(isNewButSame)
          expect({ after: events[i], moved }).toEqual({ after: events[i], moved: [] })
          const again = readAll(state, namespaces, ids)
          expect([...now].filter(([name, answer]) => answer !== again.get(name))).toEqual([])
          before = now
        }
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'messages and entries that an event does not bear on keep their identity',
  () => {
    fc.assert(
      fc.property(logs, (events) => {
        const states = statesOf(events)
        for (const [i, state] of states.slice(1).entries()) {
          const { settled } = states[i]!
          const isNewButSame = ([id, entry]: [string, unknown]) =>
            entry !== settled.get(id) && isDeepStrictEqual(entry, settled.get(id))
          expect(replaces(events[i]!) ? [] : [...state.settled].filter(isNewButSame)).toEqual([])
        }
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'a delta touches nothing but its message',
  () => {
    fc.assert(
      fc.property(logs, (events) => {
        const states = statesOf(events)
        for (const [i, event] of events.entries()) {
          if (event.type !== 'message.delta') continue
          const [before, after] = [states[i]!, states[i + 1]!]
          expect(after.settled).toBe(before.settled)
          expect(after.spaces).toBe(before.spaces)
          expect(after.tools).toBe(before.tools)
          const others = [...after.live].filter(([id, open]) => id !== event.id && open !== before.live.get(id))
          expect(others).toEqual([])
        }
      }),
      cases(),
    )
  },
  timeout,
)
