import { RivuletError } from '../errors.ts'
import { toJson } from '../json.ts'
import type { Part, ToolCall } from './message.ts'

/** An object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** What a message's content blocks add up to. `answers` is the call that a tool's result block names. */
export interface Body {
  text: string
  parts: Part[]
  toolCalls: ToolCall[]
  answers?: string
}

/** Whether `value` is an object with named fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The first of `values` that is a string. */
export function firstString(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string')
}

/**
 * Reads content as OpenAI, Anthropic, LangChain and the AI SDK write it: a string, or a list of typed blocks. Text
 * blocks are joined as they stand; a block of a kind that is not known here becomes a `data` part with its type as
 * name, so that nothing is lost. Throws `INVALID_INPUT` when it is neither text nor a list of blocks.
 */
export function readContent(content: unknown, where: string): Body {
  const body: Body = { text: '', parts: [], toolCalls: [] }
  if (content === undefined || content === null) return body
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [content]
  blocks.forEach((block, i) => {
    if (typeof block === 'string') addText(body, block)
    else if (isFields(block) && typeof block['type'] === 'string') addBlock(body, block['type'], block)
    else {
      const place = Array.isArray(content) ? `${where}[${i}]` : where
      throw new RivuletError('INVALID_INPUT', `${place} must be text or a content block with a type`)
    }
  })
  return body
}

/** Adds one block of type `type`. */
function addBlock(body: Body, type: string, block: Fields): void {
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return addText(body, firstString(block['text']) ?? '')
    case 'refusal':
      return addText(body, firstString(block['refusal']) ?? '')
    case 'reasoning':
    case 'thinking':
      return addReasoning(body, reasoningText(block))
    case 'image_url':
      return addFile(body, 'image', fieldOrBlock(block, 'image_url'))
    case 'input_audio':
      return addFile(body, 'audio', fieldOrBlock(block, 'input_audio'))
    case 'image':
    case 'audio':
      return addFile(body, type, fieldOrBlock(block, 'source'))
    case 'file':
    case 'document':
      return addFile(body, 'file', isFields(block['file']) ? block['file'] : fieldOrBlock(block, 'source'))
    case 'tool_use':
    case 'tool_call':
    case 'tool-call':
      return addCall(body, block)
    case 'tool-result':
    case 'tool_result':
      return addResult(body, block)
    // A streamed call's arguments in pieces: the message lists the whole call beside its content.
    case 'input_json_delta':
      return undefined
    default:
      body.parts.push({ kind: 'data', name: type, value: toJson(block) })
  }
}

/** Appends text to the message. */
export function addText(body: Body, text: string): void {
  body.text += text
  body.parts.push({ kind: 'text', text })
}

/** Appends reasoning, unless there is none. */
export function addReasoning(body: Body, text: string): void {
  if (text !== '') body.parts.push({ kind: 'reasoning', text })
}

function reasoningText(block: Fields): string {
  const direct = firstString(block['reasoning'], block['thinking'], block['text'])
  if (direct !== undefined) return direct
  const summary: readonly unknown[] = Array.isArray(block['summary']) ? block['summary'] : []
  return summary.map((entry) => (isFields(entry) ? (firstString(entry['text']) ?? '') : '')).join('\n')
}

/** `block[name]` when it holds fields or an address of its own, else the block itself. */
function fieldOrBlock(block: Fields, name: string): Fields {
  const inner = block[name]
  if (typeof inner === 'string') return { url: inner }
  return isFields(inner) ? inner : block
}

/** Appends an image, a sound or another file, from whatever names its source uses. */
export function addFile(body: Body, kind: 'image' | 'audio' | 'file', source: Fields): void {
  const place = sourceOf(source)
  if (place === undefined) {
    body.parts.push({ kind: 'data', name: kind, value: toJson(source) })
    return
  }
  const { url, data } = place
  const mediaType =
    firstString(source['mediaType'], source['media_type'], source['mimeType'], source['mime_type']) ??
    place.mediaType ??
    defaultMediaType(kind, firstString(source['format']))
  const name = firstString(source['filename'], source['name'])
  body.parts.push({
    kind: kindOf(mediaType, kind),
    mediaType,
    ...(url !== undefined && { url }),
    ...(data !== undefined && { data }),
    ...(name !== undefined && { name }),
  })
}

/** Where a file's content is: behind an address, or here as base64. `undefined` when it is neither. */
interface Source {
  url?: string
  data?: string
  mediaType?: string
}

function sourceOf(source: Fields): Source | undefined {
  const address = addressText(source['url'])
  if (address !== undefined) return dataUrl(address) ?? { url: address }
  for (const field of ['image', 'data', 'file_data', 'base64']) {
    const text = addressText(source[field])
    if (text === undefined) continue
    return dataUrl(text) ?? (/^https?:/i.test(text) ? { url: text } : { data: text })
  }
  return undefined
}

function addressText(value: unknown): string | undefined {
  return value instanceof URL ? value.href : firstString(value)
}

/** The media type and base64 text inside a `data:` URL; `undefined` for anything else. */
function dataUrl(text: string): Source | undefined {
  const comma = text.startsWith('data:') ? text.indexOf(',') : -1
  const head = text.slice('data:'.length, Math.max(comma, 0))
  if (!head.endsWith(';base64')) return undefined
  const mediaType = head.slice(0, head.indexOf(';'))
  return { data: text.slice(comma + 1), ...(mediaType !== '' && { mediaType }) }
}

function defaultMediaType(kind: 'image' | 'audio' | 'file', format: string | undefined): string {
  if (kind === 'image') return 'image/*'
  if (kind === 'audio') return `audio/${format ?? '*'}`
  return 'application/octet-stream'
}

function kindOf(mediaType: string, kind: 'image' | 'audio' | 'file'): 'image' | 'audio' | 'file' {
  if (kind !== 'file') return kind
  if (mediaType.startsWith('image/')) return 'image'
  return mediaType.startsWith('audio/') ? 'audio' : 'file'
}

function addCall(body: Body, block: Fields): void {
  const call = readCall(block)
  if (call !== undefined) addCallOnce(body, call)
}

/** Adds `call` unless one with its id is there: some providers name a call in the content and beside it. */
export function addCallOnce(body: Body, call: ToolCall): void {
  if (!body.toolCalls.some((known) => known.id === call.id)) body.toolCalls.push(call)
}

/** A tool call under any of the names in use; `undefined` when it names no tool or has no id. */
export function readCall(call: Fields): ToolCall | undefined {
  const inner = isFields(call['function']) ? call['function'] : call
  const id = firstString(call['id'], call['toolCallId'], call['call_id'])
  const name = firstString(inner['name'], inner['toolName'])
  if (id === undefined || name === undefined) return undefined
  return { id, name, args: argsText(inner['arguments'] ?? inner['args'] ?? inner['input']) }
}

/** Arguments as JSON text: kept as they are when they are text already. */
export function argsText(args: unknown): string {
  if (typeof args === 'string') return args
  return args === undefined || args === null ? '{}' : JSON.stringify(toJson(args))
}

function addResult(body: Body, block: Fields): void {
  const id = firstString(block['toolCallId'], block['tool_use_id'], block['tool_call_id'])
  if (id === undefined || (body.answers !== undefined && body.answers !== id)) {
    throw new RivuletError('INVALID_INPUT', 'a message can hold the result of one tool call; send one message a result')
  }
  body.answers = id
  const output = block['output'] ?? block['content'] ?? block['result']
  // The AI SDK wraps a result as `{ type, value }`.
  const value = isFields(output) && 'value' in output ? output['value'] : output
  addText(body, textOf(value))
}

/** A tool's result as text: text as it is, the text of content blocks, anything else as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  const blocks = Array.isArray(value) && value.every((block) => isFields(block) && typeof block['text'] === 'string')
  return blocks ? readContent(value, 'content').text : JSON.stringify(toJson(value))
}
