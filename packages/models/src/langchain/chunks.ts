import type { MessageChunk, ToolCallChunk } from '@rivulet/core'
import type { Part, Usage } from '@rivulet/protocol'
import { base64Of } from '../conversation/base64.ts'
import { defined, fieldsOf, isFields, listOf, numberOf, textOf, type Fields } from '../read-fields.ts'

/**
 * What a chunk of LangChain's adds to the message. Its counts are those since the chunk before, so they are added; a whole
 * message is one chunk.
 */
export function langChainChunk(given: unknown): MessageChunk {
  const chunk = fieldsOf(given)
  const said = readContent(chunk['content'])
  const extra = fieldsOf(chunk['additional_kwargs'])
  const about = fieldsOf(chunk['response_metadata'])
  const calls = callsOf(chunk)
  const model = textOf(about['model_name'], about['model'])
  return defined({
    id: textOf(chunk['id']),
    reasoning: textOf(said.reasoning, extra['reasoning_content']),
    content: textOf(said.content),
    toolCallChunks: calls.length > 0 ? calls : undefined,
    parts: said.parts.length > 0 ? said.parts : undefined,
    usageDelta: usageOf(chunk['usage_metadata']),
    finishReason: textOf(about['finish_reason'], about['stop_reason']),
    metadata: model === undefined ? undefined : { model },
  })
}

interface Said {
  content: string
  reasoning: string
  parts: Part[]
}

function readContent(content: unknown): Said {
  const said: Said = { content: '', reasoning: '', parts: [] }
  if (typeof content === 'string') said.content = content
  for (const block of listOf(content)) addBlock(said, block)
  return said
}

function addBlock(said: Said, block: Fields): void {
  const { type } = block
  if (type === 'text' || type === 'text_delta') said.content += textOf(block['text']) ?? ''
  else if (type === 'reasoning' || type === 'thinking')
    said.reasoning += textOf(block['reasoning'], block['thinking'], block['text']) ?? ''
  else if (type === 'image_url') said.parts.push(...imageOf(block['image_url']))
  else if (type === 'image' || type === 'audio' || type === 'file') said.parts.push(...fileOf(type, block))
}

function imageOf(image: unknown): Part[] {
  const url = textOf(image, fieldsOf(image)['url'])
  return url === undefined ? [] : [{ kind: 'image', mediaType: 'image/*', url }]
}

/** A file as LangChain's standard blocks have it, whose names differ from version to version. */
function fileOf(kind: 'image' | 'audio' | 'file', block: Fields): Part[] {
  const data = base64Of(block['data'])
  const url = textOf(block['url'])
  if (data === undefined && url === undefined) return []
  const any = kind === 'file' ? 'application/octet-stream' : `${kind}/*`
  const mediaType = textOf(block['mimeType'], block['mime_type']) ?? any
  return [{ kind, mediaType, ...(data === undefined ? { url: `${url}` } : { data }) }]
}

/** Calls in pieces, or whole ones where a model does not stream them. */
function callsOf(chunk: Fields): readonly ToolCallChunk[] {
  const pieces = listOf(chunk['tool_call_chunks'])
  if (pieces.length > 0) return pieces.map((piece, place) => callChunk(piece, place, textOf(piece['args'])))
  // Arguments that LangChain could not read are text: whoever makes the call says what is wrong with them.
  return [...listOf(chunk['tool_calls']), ...listOf(chunk['invalid_tool_calls'])].map((call, place) =>
    callChunk(call, place, textOf(call['args']) ?? JSON.stringify(call['args'] ?? {})),
  )
}

function callChunk(call: Fields, place: number, args: string | undefined): ToolCallChunk {
  return defined({ index: numberOf(call['index']) ?? place, id: textOf(call['id']), name: textOf(call['name']), args })
}

function usageOf(usage: unknown): Usage | undefined {
  if (!isFields(usage)) return undefined
  return defined({
    inputTokens: numberOf(usage['input_tokens']),
    outputTokens: numberOf(usage['output_tokens']),
    totalTokens: numberOf(usage['total_tokens']),
    reasoningTokens: numberOf(fieldsOf(usage['output_token_details'])['reasoning']),
    cachedInputTokens: numberOf(fieldsOf(usage['input_token_details'])['cache_read']),
  })
}
