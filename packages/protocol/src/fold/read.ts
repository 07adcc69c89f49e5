import type { Message } from '../messages/message.ts'
import { ROOT, type Namespace } from '../namespace.ts'
import { messageOfOpen, resolveId } from './entries.ts'
import { remembered, sameItems } from './remember.ts'
import { idsOf, listOf, spaceKey, without } from './spaces.ts'
import type { CustomEntry, OpenEntry, PendingInterrupt, Run, TaskRun, ThreadState } from './state.ts'

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

/**
 * Ids of the messages on the page, in order: the state's list, then those still streaming, cut, or not yet committed.
 * With `node` or `tag`: ids of all messages of that origin. The same array comes back while it says the same.
 */
export function messageIdsOf(state: ThreadState, filter: MessageFilter = {}): readonly string[] {
  return remembered<readonly string[]>(state, nameOf('ids', filter), [state.settled, state.spaces], (before) => {
    const { key = 'messages', ns, node, tag } = filter
    const isPage = node === undefined && tag === undefined
    return sameItems(before?.answer, isPage ? idsOnPage(state, spaceKey(ns), key) : idsByOrigin(state, filter))
  })
}

/** What a reader's answers for this filter are remembered under. */
export function nameOf(reader: string, { key, ns, node, tag }: MessageFilter): string {
  return JSON.stringify([reader, key, ns?.length === 0 ? undefined : ns, node, tag])
}

function idsOnPage(state: ThreadState, page: string, key: string): readonly string[] {
  const space = state.spaces.get(page)
  if (space === undefined) return []
  const own = [...listOf(space.lists, key), ...without(space.pending, space.aside)]
  const below = space.showing?.filter((one) => state.spaces.get(one)?.shared?.includes(key)) ?? []
  return below.length === 0 ? own : [...new Set([...own, ...below.flatMap((one) => idsOnPage(state, one, key))])]
}

function idsByOrigin(state: ThreadState, { ns, node, tag }: MessageFilter): readonly string[] {
  const spaces = ns === undefined ? [...state.spaces.values()] : [state.spaces.get(spaceKey(ns)) ?? []].flat()
  return [...new Set(spaces.flatMap(idsOf))].filter((id) => {
    const meta = state.live.get(id)?.meta ?? state.settled.get(id)?.message.meta
    return meta && (node === undefined || meta.node === node) && (tag === undefined || meta.tags?.includes(tag))
  })
}

/** The messages of {@link messageIdsOf}; the same array while neither the list nor a member changed. */
export function messagesOf(state: ThreadState, filter: MessageFilter = {}): readonly Message[] {
  return messagesAt(state, nameOf('messages', filter), messageIdsOf(state, filter))
}

function messagesAt(state: ThreadState, reader: string, ids: readonly string[]): readonly Message[] {
  const { settled, live } = state
  const from = [ids, settled, [...live.keys()].join(), live] as const
  return remembered<readonly Message[]>(state, reader, from, (before) => {
    // While a message streams, a long history need not be looked through again.
    const hasOnlyGrown =
      before?.answer.length === ids.length && before.from.slice(0, 3).every((one, i) => one === from[i])
    let messages = hasOnlyGrown ? before.answer : undefined
    if (messages === undefined)
      return sameItems(
        before?.answer,
        ids.flatMap((id) => messageAt(state, id) ?? []),
      )
    for (const id of live.keys()) {
      const place = ids.lastIndexOf(id)
      const message = messageAt(state, id)!
      if (place !== -1 && message !== messages[place]) messages = messages.with(place, message)
    }
    return messages
  })
}

/** A namespace's state, message lists included; the same object while nothing in it changed. `{}` before there is any. */
export function valuesOf(state: ThreadState, ns: Namespace = ROOT): Readonly<Record<string, unknown>> {
  const { values = NO_VALUES, lists = NO_VALUES } = state.spaces.get(spaceKey(ns)) ?? {}
  const own = Object.keys(values).length > 0 ? values : NO_VALUES
  const built = Object.entries(lists).map(
    ([key, ids]) => [key, messagesAt(state, nameOf('listed', { key, ns }), ids)] as const,
  )
  return remembered(state, nameOf('values', { ns }), [own, ...built.flat()], () =>
    built.length === 0 ? own : { ...own, ...Object.fromEntries(built) },
  )
}

const NO_VALUES: Readonly<Record<string, never>> = Object.freeze({})

/** The run that started last; `undefined` before the first. */
export function currentRun(state: ThreadState): Run | undefined {
  return state.current === undefined ? undefined : state.runs.get(state.current)
}

/** Tasks that run now, in order of their start; the same array while they are the same. */
export function activeTasks(state: ThreadState): readonly TaskRun[] {
  return remembered<readonly TaskRun[]>(state, 'tasks', [state.tasks], (before) =>
    sameItems(
      before?.answer,
      [...state.tasks.values()].filter(({ status }) => status === 'running'),
    ),
  )
}

/** Interrupts nobody has answered yet, in order of arrival; the same array while they are the same. */
export function interruptsOf(state: ThreadState): readonly PendingInterrupt[] {
  return remembered<readonly PendingInterrupt[]>(state, 'interrupts', [state.interrupts], (before) =>
    sameItems(before?.answer, [...state.interrupts.values()]),
  )
}

/** The last thing written under this name, or in this tool call by `ctx.progress`; `undefined` when there is none. */
export function progressOf(state: ThreadState, nameOrToolCallId: string): CustomEntry | undefined {
  let last: CustomEntry | undefined
  for (const entry of state.custom.values()) {
    const { name, toolCallId, seq } = entry
    const match = name === nameOrToolCallId || (toolCallId === nameOrToolCallId && name === 'progress')
    if (match && seq > (last?.seq ?? 0)) last = entry
  }
  return last
}
