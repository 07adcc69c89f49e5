import { normalizeMessage, type Message } from '@rivulet/protocol'
import { own } from './own.ts'

/** Id that stands for all messages in a removal. */
const ALL = '__remove_all__'

/** Takes a message out of a list; made by {@link removeMessage} and {@link removeAllMessages}. JSON, as updates show it. */
export interface MessageRemoval {
  readonly type: 'remove'
  readonly id: string
}

/** One message in whatever shape {@link normalizeMessage} knows, or a removal. */
export type MessageLike = string | { readonly role: string } | { readonly type: string } | MessageRemoval | Message

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
  return items.map((item) => (isRemoval(item) ? item : normalizeItem(item, makeId)))
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

/** Position by id of the newest list that grew from another; taken over by the next, so appending stays cheap. */
const indexes = new WeakMap<readonly Message[], Map<string, number>>()

function indexOf(list: readonly Message[]): Map<string, number> {
  return indexes.get(list) ?? new Map(list.map((message, i) => [message.id, i]))
}

/** The list after the changes, in order. The same list when nothing changed. */
export function mergeMessages(list: readonly Message[], changes: MessageChanges): readonly Message[] {
  if (changes.length === 0) return list
  if (changes.some(isRemoval)) return mergeWithRemovals(list, changes)
  const index = indexOf(list)
  const next = list.slice()
  indexes.delete(list)
  for (const message of changes as readonly Message[]) {
    const place = index.get(message.id)
    if (place === undefined) index.set(message.id, next.push(message) - 1)
    else next[place] = message
  }
  indexes.set(next, index)
  return next
}

function mergeWithRemovals(list: readonly Message[], changes: MessageChanges): readonly Message[] {
  let next = new Map(list.map((message) => [message.id, message]))
  for (const change of changes) {
    if (!isRemoval(change)) next.set(change.id, change)
    else if (change.id === ALL) next = new Map()
    else next.delete(change.id)
  }
  const merged = [...next.values()]
  return merged.length === list.length && merged.every((message, i) => message === list[i]) ? list : merged
}
