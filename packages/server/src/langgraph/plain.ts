/** A message of LangChain, by structure. */
interface MessageLike {
  getType?: () => unknown
  _getType?: () => unknown
  lc_kwargs?: unknown
}

/** What of a message is written; whatever is missing is left out. */
const FIELDS = [
  'id',
  'content',
  'name',
  'tool_calls',
  'invalid_tool_calls',
  'tool_call_chunks',
  'tool_call_id',
  'status',
  'usage_metadata',
  'response_metadata',
  'additional_kwargs',
]

/** Deepest nesting that is looked into. */
const MAX_DEPTH = 64

/** A value as LangGraph's server would write it: messages, which are class instances, as flat objects with a `type`. */
export function plain(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((one: unknown) => plain(one, depth + 1))
  const type = typeOf(value)
  if (type !== undefined) return { type, ...fieldsOf(value, depth) }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one, depth + 1)]))
}

function typeOf(value: MessageLike): string | undefined {
  if (value.lc_kwargs === undefined) return undefined
  const type = typeof value.getType === 'function' ? value.getType() : value._getType?.()
  return typeof type === 'string' ? type : undefined
}

function fieldsOf(message: object, depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const name of FIELDS) {
    const value: unknown = (message as Record<string, unknown>)[name]
    if (value !== undefined && value !== null) fields[name] = plain(value, depth + 1)
  }
  return fields
}
