import type { StandardSchema } from './standard-schema.ts'
import type { MessageList } from './message-list.ts'

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
  /** On `messages`: the class that tells readers of it. */
  readonly news?: unknown
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
