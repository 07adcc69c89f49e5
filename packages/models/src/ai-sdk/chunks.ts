import type { MessageChunk } from '@rivulet/core'
import type { Part, Usage } from '@rivulet/protocol'
import { statePart } from '../conversation/parts.ts'
import { defined, fieldsOf, isFields, numberOf, textOf, type Fields } from '../read-fields.ts'

/** Reads the parts of one stream of the AI SDK's language models, in their order. */
export interface PartsReader {
  /** What a part adds to the message. Throws what the provider failed with. */
  read(part: Fields): MessageChunk
  /** Whether the answer came to its end. */
  readonly ended: boolean
}

/** A reader for one answer of this provider. */
export function partsReader(provider: string): PartsReader {
  /** Calls by id: their index, and whether their arguments came in pieces. */
  const calls = new Map<unknown, { index: number; inPieces: boolean }>()
  const ofCalls: Record<string, unknown> = {}
  const reasoning: { length: number; metadata?: unknown }[] = []
  let ended = false

  function callOf(id: unknown): { index: number; inPieces: boolean } {
    const known = calls.get(id) ?? { index: calls.size, inPieces: false }
    calls.set(id, known)
    return known
  }

  /** Calls that the provider runs itself are not for us to run. */
  function callBegan(part: Fields): MessageChunk {
    if (part['providerExecuted'] === true) return {}
    const { index } = callOf(part['id'])
    return { toolCallChunks: [defined({ index, id: textOf(part['id']), name: textOf(part['toolName']) })] }
  }

  function callGrew(part: Fields): MessageChunk {
    const call = calls.get(part['id'])
    if (call === undefined) return {}
    call.inPieces = true
    return { toolCallChunks: [defined({ index: call.index, args: textOf(part['delta']) })] }
  }

  function callCame(part: Fields): MessageChunk {
    if (part['providerExecuted'] === true) return {}
    const { toolCallId, toolName, input, providerMetadata } = part
    if (typeof toolCallId === 'string' && isFields(providerMetadata)) ofCalls[toolCallId] = providerMetadata
    const call = callOf(toolCallId)
    if (call.inPieces) return {}
    const args = typeof input === 'string' ? input : JSON.stringify(input ?? {})
    return { toolCallChunks: [defined({ index: call.index, id: textOf(toolCallId), name: textOf(toolName), args })] }
  }

  /** What a provider says of its reasoning may come at its start, in its middle or at its end. */
  function reasoned(part: Fields): MessageChunk {
    const said = textOf(part['delta'], part['text'])
    if (part['type'] === 'reasoning-start' || part['type'] === 'reasoning' || reasoning.length === 0)
      reasoning.push({ length: 0 })
    const block = reasoning.at(-1)!
    block.length += said?.length ?? 0
    if (isFields(part['providerMetadata'])) block.metadata = part['providerMetadata']
    return defined({ reasoning: said })
  }

  function finished(part: Fields): MessageChunk {
    ended = true
    const { finishReason } = part
    const kept = reasoning.some(({ metadata }) => metadata !== undefined) || Object.keys(ofCalls).length > 0
    return defined({
      usage: usageOf(part['usage']),
      finishReason: textOf(finishReason, fieldsOf(finishReason)['unified']),
      parts: kept ? [statePart(provider, { reasoning, calls: ofCalls })] : undefined,
    })
  }

  function read(part: Fields): MessageChunk {
    switch (part['type']) {
      case 'response-metadata': {
        const model = textOf(part['modelId'])
        return defined({ id: textOf(part['id']), metadata: model === undefined ? undefined : { model } })
      }
      case 'text':
      case 'text-delta':
        return defined({ content: textOf(part['delta'], part['text']) })
      case 'reasoning':
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
        return reasoned(part)
      case 'tool-input-start':
        return callBegan(part)
      case 'tool-input-delta':
        return callGrew(part)
      case 'tool-call':
        return callCame(part)
      case 'file':
        return { parts: fileOf(part) }
      case 'source':
        return { citations: [defined({ url: textOf(part['url']), title: textOf(part['title'], part['filename']) })] }
      case 'finish':
        return finished(part)
      case 'error':
        throw part['error']
      default:
        return {}
    }
  }
  return {
    read,
    get ended() {
      return ended
    },
  }
}

/** A whole answer as the parts it would have come in. */
export function generatedParts({ content, response, usage, finishReason }: Fields): readonly Fields[] {
  const parts: readonly unknown[] = Array.isArray(content) ? content : []
  return [
    { type: 'response-metadata', ...fieldsOf(response) },
    ...parts.map(fieldsOf),
    { type: 'finish', usage, finishReason },
  ]
}

function fileOf({ mediaType, data }: Fields): Part[] {
  const type = textOf(mediaType) ?? 'application/octet-stream'
  const place = isFields(data) && !(data instanceof Uint8Array) ? data : { data }
  const inner = place['data']
  const base64 = inner instanceof Uint8Array ? base64Of(inner) : textOf(inner)
  const url = place['url'] instanceof URL ? place['url'].href : textOf(place['url'])
  const kind = type.startsWith('image/') ? 'image' : type.startsWith('audio/') ? 'audio' : 'file'
  if (base64 === undefined && url === undefined) return []
  return [{ kind, mediaType: type, ...(base64 === undefined ? { url: `${url}` } : { data: base64 }) }]
}

function base64Of(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Counts stand side by side up to version 2, and by kind from version 3 on. */
function usageOf(value: unknown): Usage | undefined {
  if (!isFields(value)) return undefined
  const { inputTokens: input, outputTokens: output } = value
  return defined({
    inputTokens: numberOf(input) ?? numberOf(fieldsOf(input)['total']),
    outputTokens: numberOf(output) ?? numberOf(fieldsOf(output)['total']),
    totalTokens: numberOf(value['totalTokens']),
    reasoningTokens: numberOf(value['reasoningTokens']) ?? numberOf(fieldsOf(output)['reasoning']),
    cachedInputTokens: numberOf(value['cachedInputTokens']) ?? numberOf(fieldsOf(input)['cacheRead']),
  })
}
