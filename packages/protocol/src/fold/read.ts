import type { Message } from '../messages/message.ts'
import { ROOT, type Namespace } from '../namespace.ts'
import { messageOfOpen, resolveId, versionOf } from './entries.ts'
import { remembered, sameItems } from './remember.ts'
import { idsOf, listOf, spaceKey } from './spaces.ts'
import type { CustomEntry, OpenEntry, PendingInterrupt, Run, Space, TaskRun, ThreadState } from './state.ts'

/** Which messages to read. Without `node` and `tag`: one list of one namespace, as the page shows it. */
export interface MessageFilter {
  /** State key of the message list. Default `messages`. */
  key?: string | undefined
  /** Namespace whose list it is; default the root. With `node` or `tag` and no `ns`: every namespace. */
  ns?: Namespace | undefined
  /** Only messages of this node, in or out of the list, those set aside too. */
  node?: string | undefined
  /** Only messages with this tag, in or out of the list, those set aside too. */
  tag?: string | undefined
}

/** By the parts they were built from: a new list each time the message grows, and what else they say never changes. */
const openMessages = new WeakMap<OpenEntry['parts'], Message>()

/** The message with this id (or the provider's id), streaming or not; `undefined` when there is none. */
export function messageOf(state: ThreadState, id: string): Message | undefined {
  return messageAt(state, resolveId(state, id))
}

function messageAt(state: ThreadState, id: string): Message | undefined {
  const open = state.live.get(id)
  if (open === undefined) return state.settled.get(id)?.message
  let message = openMessages.get(open.parts)
  if (message === undefined) openMessages.set(open.parts, (message = messageOfOpen(open, 'streaming')))
  return message
}

/** Ids with what they were found from. */
interface FoundIds {
  from: readonly unknown[]
  ids: readonly string[]
}

/**
 * Ids of the messages on the page, in order: the state's list, then those still streaming, cut, or not yet committed.
 * With `node` or `tag`: ids of all messages of that origin. The same array comes back while it says the same.
 */
export function messageIdsOf(state: ThreadState, filter: MessageFilter = {}): readonly string[] {
  const isPage = filter.node === undefined && filter.tag === undefined
  return remembered<FoundIds>(state, nameOf('ids', filter), (before) => {
    const space = state.spaces.get(spaceKey(filter.ns))
    const key = filter.key ?? 'messages'
    const from =
      isPage && !space?.showing?.length
        ? [state.settled, space?.pending, space && listOf(space.lists, key)]
        : [state.settled, state.spaces]
    if (before !== undefined && sameItems(before.from, from) === before.from) return before
    const ids = isPage ? idsOnPage(state, space, key) : idsByOrigin(state, filter)
    return { from, ids: sameItems(before?.ids, ids) }
  }).ids
}

/** What a reader's answers for this filter are remembered under. */
export function nameOf(reader: string, { key, ns, node, tag }: MessageFilter): string {
  return JSON.stringify([reader, key, ns?.length === 0 ? undefined : ns, node, tag])
}

function idsOnPage(state: ThreadState, space: Space | undefined, key: string): readonly string[] {
  if (space === undefined) return []
  const page = spaceKey(space.ns)
  const pending = space.pending.filter((id) => !versionOf(state, id)?.aside.includes(page))
  const own = [...listOf(space.lists, key), ...pending]
  if (!space.showing?.length) return own
  const below = space.showing.map((one) => state.spaces.get(one)).filter((one) => one?.shared?.includes(key))
  return [...new Set([...own, ...below.flatMap((one) => idsOnPage(state, one, key))])]
}

function idsByOrigin(state: ThreadState, { ns, node, tag }: MessageFilter): readonly string[] {
  const spaces = ns === undefined ? [...state.spaces.values()] : [state.spaces.get(spaceKey(ns))]
  const ids = new Set(spaces.flatMap((space) => (space ? idsOf(space) : [])))
  return [...ids].filter((id) => {
    const meta = state.live.get(id)?.meta ?? state.settled.get(id)?.message.meta
    return (
      meta !== undefined &&
      (node === undefined || meta.node === node) &&
      (tag === undefined || meta.tags?.includes(tag))
    )
  })
}

/** The messages of {@link messageIdsOf}; the same array while neither the list nor a member changed. */
export function messagesOf(state: ThreadState, filter: MessageFilter = {}): readonly Message[] {
  return messagesAt(state, nameOf('messages', filter), messageIdsOf(state, filter))
}

/** Messages with what they were built from. */
interface Built {
  ids: readonly string[]
  settled: ThreadState['settled']
  live: readonly string[]
  messages: readonly Message[]
}

function messagesAt(state: ThreadState, reader: string, ids: readonly string[]): readonly Message[] {
  const { settled } = state
  return remembered<Built>(state, reader, (before) => {
    const live = [...state.live.keys()]
    const messages =
      before?.ids === ids && onlyTextGrew(state, before)
        ? withText(state, before, live)
        : sameItems(before?.messages, present(ids.map((id) => messageAt(state, id))))
    return { ids, settled, live, messages }
  }).messages
}

function present<T>(items: readonly (T | undefined)[]): readonly T[] {
  return items.filter((item) => item !== undefined)
}

/** While a message streams, a long history need not be looked through again. */
function onlyTextGrew(state: ThreadState, { ids, settled, live, messages }: Built): boolean {
  return settled === state.settled && messages.length === ids.length && live.every((id) => state.live.has(id))
}

function withText(state: ThreadState, { ids, messages }: Built, live: readonly string[]): readonly Message[] {
  let next = messages
  for (const id of live) {
    const place = ids.lastIndexOf(id)
    const message = messageAt(state, id)
    if (place !== -1 && message !== undefined && message !== next[place]) next = next.with(place, message)
  }
  return next
}

/** State with what it was built from. */
interface BuiltValues {
  own: Readonly<Record<string, unknown>>
  lists: readonly unknown[]
  values: Readonly<Record<string, unknown>>
}

/** A namespace's state, message lists included; the same object while nothing in it changed. `{}` before there is any. */
export function valuesOf(state: ThreadState, ns: Namespace = ROOT): Readonly<Record<string, unknown>> {
  return remembered<BuiltValues>(state, nameOf('values', { ns }), (before) => {
    const space = state.spaces.get(spaceKey(ns))
    const own = space && Object.keys(space.values).length > 0 ? space.values : NO_VALUES
    const lists = Object.entries(space?.lists ?? {}).map(
      ([key, ids]) => [key, messagesAt(state, nameOf('listed', { key, ns }), ids)] as const,
    )
    const built = sameItems(before?.lists, lists.flat())
    if (before?.own === own && before.lists === built) return before
    return { own, lists: built, values: lists.length === 0 ? own : { ...own, ...Object.fromEntries(lists) } }
  }).values
}

const NO_VALUES: Readonly<Record<string, unknown>> = Object.freeze({})

/** The run that started last; `undefined` before the first. */
export function currentRun(state: ThreadState): Run | undefined {
  return state.current === undefined ? undefined : state.runs.get(state.current)
}

/** Tasks that run now, in order of their start; the same array while they are the same. */
export function activeTasks(state: ThreadState): readonly TaskRun[] {
  return remembered<readonly TaskRun[]>(state, 'tasks', (before) =>
    sameItems(
      before,
      [...state.tasks.values()].filter(({ status }) => status === 'running'),
    ),
  )
}

/** Interrupts nobody has answered yet, in order of arrival; the same array while they are the same. */
export function interruptsOf(state: ThreadState): readonly PendingInterrupt[] {
  return remembered<readonly PendingInterrupt[]>(state, 'interrupts', (before) =>
    sameItems(before, [...state.interrupts.values()]),
  )
}

/** The last thing written under this name, or in this tool call by `ctx.progress`; `undefined` when there is none. */
export function progressOf(state: ThreadState, nameOrToolCallId: string): CustomEntry | undefined {
  let last: CustomEntry | undefined
  for (const entry of state.custom.values()) {
    const match =
      entry.name === nameOrToolCallId || (entry.toolCallId === nameOrToolCallId && entry.name === 'progress')
    if (match && (last === undefined || entry.seq > last.seq)) last = entry
  }
  return last
}
