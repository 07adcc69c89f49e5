import type { Message, Part, Usage } from '../../messages/message.ts'
import { isFields, type Fields } from '../fields.ts'

/** What LangChain calls our roles. */
export const MESSAGE_TYPES = { user: 'human', assistant: 'ai', system: 'system', tool: 'tool' } as const

/** A message as LangGraph's servers write it: a flat dict, as `JSON.stringify` of no class would. */
export function writeDict({ id, role, content, parts, toolCalls, toolCallId, name, meta = {} }: Message): Fields {
  return {
    type: MESSAGE_TYPES[role],
    id,
    content: parts === undefined ? content : parts.map(writePart),
    additional_kwargs: {},
    response_metadata: {
      ...(meta.model !== undefined && { model_name: meta.model }),
      ...(meta.finishReason !== undefined && { finish_reason: meta.finishReason }),
    },
    ...(name !== undefined && { name }),
    ...(toolCallId !== undefined && { tool_call_id: toolCallId, status: 'success' }),
    ...(role === 'assistant' && writeCalls(toolCalls ?? [])),
    ...(meta.usage && { usage_metadata: writeUsage(meta.usage) }),
  }
}

/**
 * A value as nodes read and write it, the messages in it as dicts: one by itself, those of a list, and those under the
 * keys of an object.
 */
export function writeMessages(value: unknown, depth = 0): unknown {
  if (isMessage(value)) return writeDict(value)
  if (Array.isArray(value)) return value.map((one: unknown) => (isMessage(one) ? writeDict(one) : one))
  if (!isFields(value) || depth > 0) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, writeMessages(one, depth + 1)]))
}

function isMessage(value: unknown): value is Message {
  return isFields(value) && typeof value['content'] === 'string' && Object.hasOwn(MESSAGE_TYPES, String(value['role']))
}

function writeCalls(calls: NonNullable<Message['toolCalls']>): Fields {
  const read = readCalls(calls)
  return {
    tool_calls: read.filter(({ type }) => type === 'tool_call'),
    invalid_tool_calls: read.filter(({ type }) => type === 'invalid_tool_call'),
  }
}

/**
 * Calls with their arguments read. Arguments that are no JSON object are told as what they are: calls that a model wrote
 * badly.
 */
export function readCalls(calls: NonNullable<Message['toolCalls']>): (Fields & { type: string })[] {
  return calls.map(({ id, name, args: text }) => {
    const args = objectIn(text)
    return args === undefined
      ? { id, name, args: text, error: 'Malformed args.', type: 'invalid_tool_call' }
      : { id, name, args, type: 'tool_call' }
  })
}

function objectIn(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    // Any JSON object; nothing is known of its fields.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

/** One part as a content block. */
export function writePart(part: Part): Fields {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'reasoning':
      return { type: 'reasoning', reasoning: part.text }
    case 'data':
      return { type: 'data', name: part.name, value: part.value }
    default: {
      const { kind, mediaType, ...place } = part
      return { type: kind, mime_type: mediaType, ...place }
    }
  }
}

/** Usage in LangChain's names. */
export function writeUsage({ inputTokens, outputTokens, totalTokens }: Usage): Fields {
  return {
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(totalTokens !== undefined && { total_tokens: totalTokens }),
  }
}
