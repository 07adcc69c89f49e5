import type { Message, MessageInput } from '@rivulet/protocol'

/** What a run is given, ready to be sent, and which of its messages can be shown before the thread has them. */
export interface PreparedInput {
  input: unknown
  /** The user's own messages. */
  shown: readonly Message[]
}

/**
 * Gives every message under `messagesKey` an id: text becomes a user's message, one message a list of one. Messages of
 * other shapes (LangChain's and the like) get an id and are left to the server; of ours, the user's are shown at once.
 */
export function prepareInput(input: unknown, messagesKey: string, makeId: () => string): PreparedInput {
  if (!isRecord(input) || input[messagesKey] === undefined || input[messagesKey] === null) return { input, shown: [] }
  const given = input[messagesKey]
  const messages = (Array.isArray(given) ? given : [given]).map((item: unknown) => withId(item, makeId))
  return { input: { ...input, [messagesKey]: messages }, shown: messages.filter(isOwnUserMessage) }
}

function withId(item: unknown, makeId: () => string): unknown {
  if (typeof item === 'string') return { id: makeId(), role: 'user', content: item } satisfies MessageInput
  if (!isRecord(item) || typeof item['id'] === 'string') return item
  // A class instance keeps its prototype, which says what kind of message it is; it gets its id where it is read.
  return Object.getPrototypeOf(item) === Object.prototype ? { ...item, id: makeId() } : item
}

function isOwnUserMessage(item: unknown): item is Message {
  return (
    isRecord(item) && typeof item['id'] === 'string' && item['role'] === 'user' && typeof item['content'] === 'string'
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
