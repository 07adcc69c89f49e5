import type { MessageChunk } from '@rivulet/core'
import type { Part, Usage } from '@rivulet/protocol'
import { base64Of } from '../conversation/base64.ts'
import { statePart } from '../conversation/parts.ts'
import { defined, fieldsOf, isFields, numberOf, textOf, type Fields } from '../read-fields.ts'

/** Reads the parts of one answer of a language model of the AI SDK, in their order. */
export class PartsReader {
  readonly #provider: string
  /** Calls by id: their index, and whether their arguments came in pieces. */
  readonly #calls = new Map<unknown, { readonly index: number; inPieces: boolean }>()
  /** What the provider says of its calls, by id, and of each piece of its reasoning: it wants that back. */
  readonly #ofCalls: Record<string, unknown> = {}
  readonly #ofReasoning: { length: number; metadata?: unknown }[] = []
  #ended = false

  constructor(provider: string) {
    this.#provider = provider
  }

  /** Whether the answer came to its end. */
  get ended(): boolean {
    return this.#ended
  }

  /** What a part adds to the message. Throws what the provider failed with. */
  read(part: Fields): MessageChunk {
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
        return this.#reasoned(part)
      case 'tool-input-start':
        return this.#callBegan(part)
      case 'tool-input-delta':
        return this.#callGrew(part)
      case 'tool-call':
        return this.#callCame(part)
      case 'file':
        return { parts: fileOf(part) }
      case 'source':
        return { citations: [defined({ url: textOf(part['url']), title: textOf(part['title'], part['filename']) })] }
      case 'finish':
        return this.#finished(part)
      case 'error':
        throw part['error']
      default:
        return {}
    }
  }

  #callOf(id: unknown): { readonly index: number; inPieces: boolean } {
    const known = this.#calls.get(id) ?? { index: this.#calls.size, inPieces: false }
    this.#calls.set(id, known)
    return known
  }

  #callBegan({ id, toolName, providerExecuted }: Fields): MessageChunk {
    // Calls that the provider runs itself are not for us to run.
    if (providerExecuted === true) return {}
    return { toolCallChunks: [defined({ index: this.#callOf(id).index, id: textOf(id), name: textOf(toolName) })] }
  }

  #callGrew({ id, delta }: Fields): MessageChunk {
    const call = this.#calls.get(id)
    if (call === undefined) return {}
    call.inPieces = true
    return { toolCallChunks: [defined({ index: call.index, args: textOf(delta) })] }
  }

  #callCame({ toolCallId, toolName, input, providerMetadata, providerExecuted }: Fields): MessageChunk {
    if (providerExecuted === true) return {}
    if (typeof toolCallId === 'string' && isFields(providerMetadata)) this.#ofCalls[toolCallId] = providerMetadata
    const { index, inPieces } = this.#callOf(toolCallId)
    if (inPieces) return {}
    const args = typeof input === 'string' ? input : JSON.stringify(input ?? {})
    return { toolCallChunks: [defined({ index, id: textOf(toolCallId), name: textOf(toolName), args })] }
  }

  /** What a provider says of its reasoning may come at its start, in its middle or at its end. */
  #reasoned({ type, delta, text, providerMetadata }: Fields): MessageChunk {
    const blocks = this.#ofReasoning
    if (type === 'reasoning-start' || type === 'reasoning' || blocks.length === 0) blocks.push({ length: 0 })
    const block = blocks.at(-1)!
    const said = textOf(delta, text)
    block.length += said?.length ?? 0
    if (isFields(providerMetadata)) block.metadata = providerMetadata
    return defined({ reasoning: said })
  }

  #finished({ finishReason, usage }: Fields): MessageChunk {
    this.#ended = true
    const state = { reasoning: this.#ofReasoning, calls: this.#ofCalls }
    const kept = state.reasoning.some(({ metadata }) => metadata !== undefined) || Object.keys(state.calls).length > 0
    return defined({
      usage: usageOf(usage),
      finishReason: textOf(finishReason, fieldsOf(finishReason)['unified']),
      parts: kept ? [statePart(this.#provider, state)] : undefined,
    })
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
  const base64 = base64Of(inner)
  const url = place['url'] instanceof URL ? place['url'].href : textOf(place['url'])
  const kind = type.startsWith('image/') ? 'image' : type.startsWith('audio/') ? 'audio' : 'file'
  if (base64 === undefined && url === undefined) return []
  return [{ kind, mediaType: type, ...(base64 === undefined ? { url: `${url}` } : { data: base64 }) }]
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
