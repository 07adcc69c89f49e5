import type { Message } from '@rivulet/protocol'
import type { StandardSchema } from './standard-schema.ts'
import { messageList, type MessageList, type MessageListUpdate } from './message-list.ts'

declare const types: unique symbol

/** One key of the state: how it starts and how an update changes it. Made by {@link value}, {@link reduced}, `messages()`. */
export interface Field<Value = unknown, Update = Value, Input = Update> {
  readonly [types]?: { value: Value; update: Update; input: Input }
  readonly kind: 'value' | 'reduced' | 'messages'
  /** Value before anything was written; a field without it is absent from the state until then. */
  readonly initial?: () => Value
  /** New value; must not change its arguments. */
  readonly reduce?: (current: Value, update: Update) => Value
  /** On `messages`: how it takes in what is written. */
  readonly list?: MessageList
  /** Checks and converts what a caller passes in. */
  readonly schema?: StandardSchema
  /** Hidden from `values` and from what `invoke` returns. */
  readonly private?: boolean
}

/** Options that every kind of field takes. */
export interface FieldOptions {
  /** Hidden from `values` and from what `invoke` returns; nodes still read it. Default `false`. */
  private?: boolean
}

/** A key where the last write wins. Two nodes writing it in one step are an `INVALID_UPDATE`. */
export function value<T>(options: FieldOptions & { initial?: () => T } = {}): Field<T> {
  return { kind: 'value', ...options }
}

/** A key that joins every write into what is there. `reduce` must be pure; updates apply in a fixed order. */
export function reduced<Value, Update = Value>(
  options: FieldOptions & { initial: () => Value; reduce: (current: Value, update: Update) => Value },
): Field<Value, Update> {
  return { kind: 'reduced', ...options }
}

/**
 * A list of messages merged by id: a message with a known id replaces it, others are appended, {@link removeMessage}
 * takes one out. Takes one message or a list, of our shape or LangChain's, OpenAI's, AI SDK's, or a string.
 */
export function messages(options: FieldOptions = {}): Field<Message[], MessageListUpdate, MessageListUpdate> {
  return { kind: 'messages', initial: () => [], list: messageList, ...options }
}
