import type { Citation, MessageChunk, ToolCallChunk } from '@rivulet/core'
import type { Part, Usage } from '@rivulet/protocol'
import { defined, fieldsOf, isFields, listOf, numberOf, textOf, type Fields } from '../read-fields.ts'

/** What one chunk of a chat completion adds to the message. Reads what compatible servers add to the API as well. */
export function chatChunk(part: Fields): MessageChunk {
  return chunkOf(part, (choice) => fieldsOf(choice['delta']))
}

/** A whole chat completion as one chunk. */
export function chatCompletion(completion: Fields): MessageChunk {
  return chunkOf(completion, (choice) => fieldsOf(choice['message']))
}

function chunkOf(part: Fields, said: (choice: Fields) => Fields): MessageChunk {
  // More than one choice can be asked for; a message is one of them.
  const choice = fieldsOf(listOf(part['choices']).find(({ index = 0 }) => index === 0))
  const delta = said(choice)
  const calls = listOf(delta['tool_calls']).map(toolCallChunk)
  const citations = listOf(delta['annotations']).flatMap(citation)
  const images = listOf(delta['images']).flatMap(imagePart)
  const model = textOf(part['model'])
  return defined({
    id: textOf(part['id']),
    reasoning: textOf(delta['reasoning_content'], delta['reasoning'], thinkingIn(delta['content'])),
    content: textOf(delta['content'], textIn(delta['content']), delta['refusal']),
    toolCallChunks: calls.length > 0 ? calls : undefined,
    citations: citations.length > 0 ? citations : undefined,
    parts: images.length > 0 ? images : undefined,
    finishReason: textOf(choice['finish_reason']),
    usage: usageOf(part['usage']),
    metadata: model === undefined ? undefined : { model },
  })
}

/** Some servers say content in blocks, as Mistral's do for models that think. */
function textIn(blocks: unknown): string {
  return listOf(blocks)
    .map(({ text }) => textOf(text) ?? '')
    .join('')
}

function thinkingIn(blocks: unknown): string {
  return listOf(blocks)
    .map(({ thinking }) => textOf(thinking) ?? textIn(thinking))
    .join('')
}

/** A call's place in its list is its index where a whole completion gives it none. */
function toolCallChunk(call: Fields, place: number): ToolCallChunk {
  const called = fieldsOf(call['function'])
  return defined({
    index: numberOf(call['index']) ?? place,
    id: textOf(call['id']),
    name: textOf(called['name']),
    args: argumentsIn(called['arguments']),
  })
}

/** JSON text; some servers give the object itself. */
function argumentsIn(said: unknown): string | undefined {
  return isFields(said) ? JSON.stringify(said) : textOf(said)
}

function citation(annotation: Fields): Citation[] {
  const cited = fieldsOf(annotation['url_citation'])
  const found: Citation = defined({
    url: textOf(cited['url']),
    title: textOf(cited['title']),
    start: numberOf(cited['start_index']),
    end: numberOf(cited['end_index']),
  })
  return found.url === undefined ? [] : [found]
}

function imagePart(image: Fields): Part[] {
  const url = textOf(fieldsOf(image['image_url'])['url'])
  const inline = /^data:([^;,]+);base64,(.*)$/s.exec(url ?? '')
  if (inline) return [{ kind: 'image', mediaType: `${inline[1]}`, data: `${inline[2]}` }]
  return url === undefined ? [] : [{ kind: 'image', mediaType: 'image/*', url }]
}

function usageOf(value: unknown): Usage | undefined {
  const usage = fieldsOf(value)
  if (numberOf(usage['prompt_tokens']) === undefined && numberOf(usage['completion_tokens']) === undefined)
    return undefined
  return defined({
    inputTokens: numberOf(usage['prompt_tokens']),
    outputTokens: numberOf(usage['completion_tokens']),
    totalTokens: numberOf(usage['total_tokens']),
    reasoningTokens: numberOf(fieldsOf(usage['completion_tokens_details'])['reasoning_tokens']),
    cachedInputTokens: numberOf(fieldsOf(usage['prompt_tokens_details'])['cached_tokens']),
  })
}
