import { normalizeMessage, type Message } from '@rivulet/protocol/model'
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
function normalizeUpdate(update: unknown, makeId: () => string): MessageChanges {
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
 * Lists that grew from one another by appending only. It knows where each id stands in all of them, so that appending and
 * looking up cost the same however long a list is, and it holds none of them but the newest.
 */
interface Lineage {
  /** Position by id in the newest list; positions beyond a list's own length are not of that list. */
  index: Map<string, number> | undefined
  /** Length of the newest list. */
  tip: number
  /** How the newest came about: a router and the barrier ask for the same merge. */
  last: { from: number; changes: MessageChanges; merged: readonly Message[] } | undefined
}

const lineages = new WeakMap<readonly unknown[], Lineage>()

function lineageOf(list: readonly Message[]): Lineage {
  let lineage = lineages.get(list)
  if (lineage === undefined) lineages.set(list, (lineage = newLineage(list)))
  return lineage
}

function newLineage(list: readonly Message[]): Lineage {
  return { index: undefined, tip: list.length, last: undefined }
}

function indexOf(lineage: Lineage, list: readonly Message[]): Map<string, number> {
  lineage.index ??= new Map(list.map((message, i) => [message.id, i]))
  return lineage.index
}

/** The message with this id in the list. */
export function messageById(list: readonly Message[], id: string): Message | undefined {
  const lineage = lineageOf(list)
  // Only the newest list can make the index anew.
  if (lineage.index === undefined && lineage.tip !== list.length) return list.find((message) => message.id === id)
  const position = indexOf(lineage, list).get(id)
  return position === undefined ? undefined : list[position]
}

/** What `now` has beyond `before`, when it grew from it by appending only. */
export function appendedTo<T>(before: readonly T[], now: readonly T[]): readonly T[] | undefined {
  if (before.length === 0) return now
  const lineage = lineages.get(now)
  return lineage !== undefined && lineage === lineages.get(before) ? now.slice(before.length) : undefined
}

/** The list after the changes, in order. The same list when nothing changed. */
function mergeMessages(list: readonly Message[], changes: MessageChanges): readonly Message[] {
  if (changes.length === 0) return list
  const lineage = lineageOf(list)
  const { last } = lineage
  if (last !== undefined && last.changes === changes && last.from === list.length) return last.merged
  if (changes.some(isRemoval)) return mergeWithRemovals(list, changes)
  const branch = lineage.tip === list.length ? lineage : newLineage(list)
  // Without removals there are only messages.
  return mergeWithoutRemovals(list, changes as readonly Message[], branch)
}

function mergeWithoutRemovals(
  list: readonly Message[],
  changes: readonly Message[],
  lineage: Lineage,
): readonly Message[] {
  const index = indexOf(lineage, list)
  // Spread, not `slice`: of a frozen array it is many times faster.
  const next = [...list]
  let grewOnly = true
  for (const message of changes) {
    const position = index.get(message.id)
    if (position === undefined) index.set(message.id, next.push(message) - 1)
    else {
      next[position] = message
      if (position < list.length) grewOnly = false
    }
  }
  if (!grewOnly) {
    // What was replaced is no longer what the older lists hold: the positions go on with the new list alone.
    lineages.set(next, { index, tip: next.length, last: undefined })
    lineage.index = undefined
    return Object.freeze(next)
  }
  lineages.set(next, lineage)
  lineage.tip = next.length
  lineage.last = { from: list.length, changes, merged: next }
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

/** How a message list takes in what is written to it. */
export interface MessageList {
  /** Brings an update into our shape; `makeId` is asked for each message without one. Throws `INVALID_INPUT`. */
  take(update: unknown, makeId: () => string): MessageChanges
  /** The list after the changes, in order. The same list when nothing changed. */
  merge(list: readonly Message[], changes: MessageChanges): readonly Message[]
  /** One message in our shape. Throws `INVALID_INPUT`. */
  read(message: unknown, makeId: () => string): Message
}

/** The rules of `messages()`. Carried by the field: a graph without such a key is bundled without them. */
export const messageList: MessageList = { take: normalizeUpdate, merge: mergeMessages, read: normalizeItem }
