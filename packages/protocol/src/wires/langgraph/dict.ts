import { fieldsOf, isFields, textOf, type Fields } from '../fields.ts'
import type { Message, MessageMeta, Part, Role, ToolCall, Usage } from '../../messages/message.ts'

const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['human', 'user'],
  ['user', 'user'],
  ['ai', 'assistant'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['developer', 'system'],
  ['tool', 'tool'],
  ['function', 'tool'],
])

/** Who speaks in a message dict, of JavaScript (`ai`) or Python (`AIMessageChunk`); `undefined` when it is none. */
export function roleOf(dict: Fields): Role | undefined {
  const type = textOf(dict['type']) ?? textOf(dict['role']) ?? ''
  return ROLES.get(type.replace(/Message(Chunk)?$/, '').toLowerCase())
}

/** Blocks of content that are not streamed text: what the message lists beside its content is left out. */
const TOLD_ELSEWHERE = new Set(['tool_use', 'tool_call', 'tool_call_chunk', 'input_json_delta', 'server_tool_call'])

/** One piece of text in a content: what kind, and in which block. */
export interface TextPiece {
  kind: 'text' | 'reasoning'
  /** Tells blocks apart: their index, where they have one. */
  key: string
  text: string
}

/** Text and reasoning of a message's content, and of where older providers put reasoning. */
export function piecesOf(dict: Fields): TextPiece[] {
  const { content, additional_kwargs: extra } = dict
  const reasoning = isFields(extra) ? textOf(extra['reasoning_content']) : undefined
  const before: TextPiece[] = reasoning ? [{ kind: 'reasoning', key: 'reasoning', text: reasoning }] : []
  if (typeof content === 'string')
    return content === '' ? before : [...before, { kind: 'text', key: 'text', text: content }]
  const blocks = Array.isArray(content)
    ? content.map((block) => (typeof block === 'string' ? { type: 'text', text: block } : block))
    : []
  return [...before, ...fieldsOf(blocks).flatMap((block) => pieceOf(block) ?? [])]
}

function pieceOf(block: Fields): TextPiece | undefined {
  const { type, index = '' } = block
  const kind = type === 'text' ? 'text' : type === 'reasoning' || type === 'thinking' ? 'reasoning' : undefined
  const text = textOf(block['text']) ?? textOf(block['reasoning']) ?? textOf(block['thinking']) ?? ''
  return kind && text !== '' ? { kind, key: `${kind}${String(index)}`, text } : undefined
}

/** The message that a dict is; `undefined` when it is none. Without an id it gets `fallbackId`. */
export function readDict(dict: Fields, fallbackId: string): Message | undefined {
  const role = roleOf(dict)
  if (role === undefined) return undefined
  const pieces = piecesOf(dict)
  const others = fieldsOf(dict['content']).flatMap((block) => partOf(block) ?? [])
  const isPlain = others.length === 0 && pieces.every(({ kind }) => kind === 'text')
  const parts: Part[] = [...pieces.map(({ kind, text }) => ({ kind, text })), ...others]
  const toolCalls = [...fieldsOf(dict['tool_calls']), ...fieldsOf(dict['invalid_tool_calls'])].map(readCall)
  const toolCallId = textOf(dict['tool_call_id'])
  const name = textOf(dict['name'])
  const meta = metaOf(dict)
  return {
    id: textOf(dict['id']) ?? fallbackId,
    role,
    content: pieces.map(({ kind, text }) => (kind === 'text' ? text : '')).join(''),
    ...(!isPlain && { parts }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(toolCallId !== undefined && { toolCallId }),
    ...(name !== undefined && { name }),
    ...(Object.keys(meta).length > 0 && { meta }),
  }
}

function partOf(block: Fields): Part | undefined {
  const type = textOf(block['type']) ?? ''
  if (type === '' || type === 'text' || type === 'reasoning' || type === 'thinking' || TOLD_ELSEWHERE.has(type)) {
    return undefined
  }
  const mediaType = textOf(block['mime_type'])
  if (mediaType === undefined || (type !== 'image' && type !== 'audio' && type !== 'file')) {
    const isOurs = type === 'data' && typeof block['name'] === 'string'
    return isOurs
      ? { kind: 'data', name: String(block['name']), value: block['value'] }
      : { kind: 'data', name: type, value: block }
  }
  const [url, data, name] = [textOf(block['url']), textOf(block['data']), textOf(block['name'])]
  return {
    kind: type,
    mediaType,
    ...(url !== undefined && { url }),
    ...(data !== undefined && { data }),
    ...(name !== undefined && { name }),
  }
}

function readCall({ id, name, args }: Fields): ToolCall {
  return { id: textOf(id) ?? '', name: textOf(name) ?? '', args: textOf(args) ?? JSON.stringify(args ?? {}) }
}

/** Why a model stopped, where its message tells. */
export function finishReasonOf({ response_metadata: response }: Fields): string | undefined {
  return isFields(response) ? (textOf(response['finish_reason']) ?? textOf(response['stop_reason'])) : undefined
}

/** Model, finish reason and usage, where a dict tells them. */
function metaOf(dict: Fields): MessageMeta {
  const response = isFields(dict['response_metadata']) ? dict['response_metadata'] : {}
  const model = textOf(response['model_name']) ?? textOf(response['model'])
  const finishReason = finishReasonOf(dict)
  const usage = readUsage(dict['usage_metadata'])
  return { ...(model && { model }), ...(finishReason && { finishReason }), ...(usage && { usage }) }
}

/** Usage in LangChain's names; `undefined` when it counts nothing. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isFields(value)) return undefined
  const { input_tokens: input, output_tokens: output, total_tokens: total } = value
  const usage = {
    ...(typeof input === 'number' && { inputTokens: input }),
    ...(typeof output === 'number' && { outputTokens: output }),
    ...(typeof total === 'number' && { totalTokens: total }),
  }
  return Object.keys(usage).length > 0 ? usage : undefined
}
