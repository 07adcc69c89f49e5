import { normalizeMessage, type Message } from '@rivulet/protocol'
import { own } from './own.ts'

/** Id that stands for all messages in a removal. */
const ALL = '__remove_all__'

/** Takes a message out of a list; made by {@link removeMessage} and {@link removeAllMessages}. JSON, as updates show it. */
export interface MessageRemoval {
  readonly type: 'remove'
  readonly id: string
}

/** A message of somebody else's: LangChain's by its `type`, OpenAI's and the AI SDK's by its `role`; a class or a literal. */
type ForeignMessage =
  | { readonly role: string }
  | { readonly type: string }
  | { readonly role: string; readonly [key: string]: unknown }
  | { readonly type: string; readonly [key: string]: unknown }

/** One message in whatever shape {@link normalizeMessage} knows, or a removal. */
export type MessageLike = string | Message | ForeignMessage | MessageRemoval

/** What may be written to a message list. */
export type MessageListUpdate = MessageLike | readonly MessageLike[]

/** Removes the message with this id from a message list; no effect when there is none. */
export function removeMessage(id: string): MessageRemoval {
  return Object.freeze({ type: 'remove', id })
}

/** Removes every message that is in the list before this; what follows in the same update is kept. */
export function removeAllMessages(): MessageRemoval {
  return Object.freeze({ type: 'remove', id: ALL })
}

/** Whether an element of an update is a removal, ours or LangChain's. */
export function isRemoval(item: unknown): item is MessageRemoval {
  return typeof item === 'object' && item !== null && 'type' in item && item.type === 'remove' && 'id' in item
}

/** A message list's update with every message in our shape, with an id, frozen. */
export type MessageChanges = readonly (Message | MessageRemoval)[]

const normalized = new WeakSet<object>()

/** Brings an update into our shape; `makeId` is asked for each message without one. Throws `INVALID_INPUT`. */
export function normalizeUpdate(update: unknown, makeId: () => string): MessageChanges {
  const items: readonly unknown[] = Array.isArray(update) ? update : [update]
  return Object.freeze(items.map((item) => (isRemoval(item) ? removeMessage(item.id) : normalizeItem(item, makeId))))
}

function normalizeItem(item: unknown, makeId: () => string): Message {
  // State that a node passes on, and a model's answer, were normalised before.
  if (typeof item === 'object' && item !== null && normalized.has(item)) return item as Message
  return ownMessage(normalizeMessage(item, makeId))
}

/** Freezes a message in our shape and notes that it is one. */
export function ownMessage(message: Message): Message {
  const owned = own(message)
  normalized.add(owned)
  return owned
}

/**
 * Positions by id, shared by a list and all that grew from it, so that appending costs the same however long the list
 * is. A position may be of another branch: {@link positionOf} looks before it believes.
 */
const indexes = new WeakMap<readonly Message[], Map<string, number>>()

/** What a list grew from by appending only. */
const growth = new WeakMap<readonly unknown[], { from: readonly unknown[]; tail: readonly unknown[] }>()

/** The last merge of an update: a router and the barrier ask for the same one. */
const merges = new WeakMap<MessageChanges, { list: readonly Message[]; merged: readonly Message[] }>()

function indexOf(list: readonly Message[]): Map<string, number> {
  let index = indexes.get(list)
  if (index === undefined) indexes.set(list, (index = new Map(list.map((message, i) => [message.id, i]))))
  return index
}

function positionOf(list: readonly Message[], index: ReadonlyMap<string, number>, id: string): number {
  const position = index.get(id)
  if (position === undefined) return -1
  return list[position]?.id === id ? position : list.findIndex((message) => message.id === id)
}

/** The message with this id in the list. */
export function messageById(list: readonly Message[], id: string): Message | undefined {
  return list[positionOf(list, indexOf(list), id)]
}

/** What `now` has beyond `before`, when it grew from it by appending only. */
export function appendedTo<T>(before: readonly T[], now: readonly T[]): readonly T[] | undefined {
  if (before.length === 0) return now
  const known = growth.get(now)
  // The tail was cut off this very list, so its elements are of the list's type.
  return known?.from === before ? (known.tail as readonly T[]) : undefined
}

/** The list after the changes, in order. The same list when nothing changed. */
export function mergeMessages(list: readonly Message[], changes: MessageChanges): readonly Message[] {
  if (changes.length === 0) return list
  const last = merges.get(changes)
  if (last?.list === list) return last.merged
  const merged = changes.some(isRemoval)
    ? mergeWithRemovals(list, changes)
    : mergeWithoutRemovals(list, changes as readonly Message[])
  merges.set(changes, { list, merged })
  return merged
}

function mergeWithoutRemovals(list: readonly Message[], changes: readonly Message[]): readonly Message[] {
  const index = indexOf(list)
  // Spread, not `slice`: of a frozen array it is many times faster.
  const next = [...list]
  let appended = 0
  for (const message of changes) {
    const position = positionOf(next, index, message.id)
    if (position === -1) {
      index.set(message.id, next.push(message) - 1)
      appended++
    } else next[position] = message
  }
  indexes.set(next, index)
  if (appended === changes.length) growth.set(next, { from: list, tail: changes })
  return Object.freeze(next)
}

function mergeWithRemovals(list: readonly Message[], changes: MessageChanges): readonly Message[] {
  let next = new Map(list.map((message) => [message.id, message]))
  for (const change of changes) {
    if (!isRemoval(change)) next.set(change.id, change)
    else if (change.id === ALL) next = new Map()
    else next.delete(change.id)
  }
  const merged = Object.freeze([...next.values()])
  return merged.length === list.length && merged.every((message, i) => message === list[i]) ? list : merged
}
