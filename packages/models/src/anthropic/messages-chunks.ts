import type { Citation, MessageChunk } from '@rivulet/core'
import type { Part, Usage } from '@rivulet/protocol'
import { argumentsOf, statePart } from '../conversation/parts.ts'
import { defined, fieldsOf, listOf, numberOf, textOf, type Fields } from '../read-fields.ts'
import { ANTHROPIC } from './messages-request.ts'

type Thinking = { length: number; signature?: string } | { redacted: string }

/** Reads the events of one message of the messages API, in their order. */
export class MessagesReader {
  /** What is said of each thinking block, by its place. */
  readonly #thinking = new Map<number, Thinking>()
  /** Blocks that are open of the provider's own tools, by place, with what came of their input in pieces. */
  readonly #others = new Map<number, { readonly block: Fields; input: string }>()
  #ended = false

  /** Whether the message came to its end. */
  get ended(): boolean {
    return this.#ended
  }

  /** What an event adds to the message. */
  read(event: Fields): MessageChunk {
    const index = numberOf(event['index']) ?? 0
    switch (event['type']) {
      case 'message_start':
        return begun(fieldsOf(event['message']))
      case 'content_block_start':
        return this.#blockBegan(index, fieldsOf(event['content_block']))
      case 'content_block_delta':
        return this.#blockGrew(index, fieldsOf(event['delta']))
      case 'content_block_stop':
        return withParts(this.#othersEnded([index]))
      case 'message_delta': {
        const finishReason = textOf(fieldsOf(event['delta'])['stop_reason'])
        return defined({ finishReason, usage: usageOf(event['usage']) })
      }
      case 'message_stop':
        return this.#messageEnded()
      default:
        return {}
    }
  }

  #blockBegan(index: number, block: Fields): MessageChunk {
    switch (block['type']) {
      case 'text':
        return defined({ content: textOf(block['text']), citations: citationsOf(listOf(block['citations'])) })
      case 'thinking':
        this.#thinking.set(index, { length: 0 })
        return this.#thought(index, textOf(block['thinking']), block['signature'])
      case 'redacted_thinking':
        this.#thinking.set(index, { redacted: textOf(block['data']) ?? '' })
        return {}
      case 'tool_use':
        return { toolCallChunks: [defined({ index, id: textOf(block['id']), name: textOf(block['name']) })] }
      default:
        // What the provider's own tools did: nothing to run here, but nothing to lose either.
        this.#others.set(index, { block, input: '' })
        return {}
    }
  }

  #blockGrew(index: number, delta: Fields): MessageChunk {
    switch (delta['type']) {
      case 'text_delta':
        return defined({ content: textOf(delta['text']) })
      case 'input_json_delta':
        return this.#inputGrew(index, textOf(delta['partial_json']))
      case 'thinking_delta':
      case 'signature_delta':
        return this.#thought(index, textOf(delta['thinking']), delta['signature'])
      case 'citations_delta':
        return defined({ citations: citationsOf([fieldsOf(delta['citation'])]) })
      default:
        return {}
    }
  }

  #inputGrew(index: number, json: string | undefined): MessageChunk {
    const other = this.#others.get(index)
    if (other === undefined) return { toolCallChunks: [defined({ index, args: json })] }
    other.input += json ?? ''
    return {}
  }

  #othersEnded(places: readonly number[]): Part[] {
    return places.flatMap((index): Part[] => {
      const other = this.#others.get(index)
      if (other === undefined) return []
      this.#others.delete(index)
      const { block, input } = other
      const value = input === '' ? block : { ...block, input: argumentsOf(input) }
      return [{ kind: 'data', name: textOf(block['type']) ?? 'block', value }]
    })
  }

  #messageEnded(): MessageChunk {
    this.#ended = true
    const thinking = [...this.#thinking.values()]
    const state = thinking.length === 0 ? [] : [statePart(ANTHROPIC, { blocks: thinking })]
    return withParts([...this.#othersEnded([...this.#others.keys()]), ...state])
  }

  #thought(index: number, said: string | undefined, signature: unknown): MessageChunk {
    const block = this.#thinking.get(index)
    if (block !== undefined && 'length' in block) {
      block.length += said?.length ?? 0
      const signed = textOf(signature)
      if (signed !== undefined) block.signature = signed
    }
    return defined({ reasoning: said })
  }
}

function withParts(parts: readonly Part[]): MessageChunk {
  return parts.length > 0 ? { parts } : {}
}

/** A whole message as the events it would have come in. */
export function messageEvents(message: Fields): readonly Fields[] {
  const blocks = listOf(message['content']).flatMap((block, index) => [
    { type: 'content_block_start', index, content_block: block },
    ...(block['type'] === 'tool_use'
      ? [
          {
            type: 'content_block_delta',
            index,
            delta: { type: 'input_json_delta', partial_json: JSON.stringify(block['input'] ?? {}) },
          },
        ]
      : []),
    { type: 'content_block_stop', index },
  ])
  return [
    { type: 'message_start', message },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason: message['stop_reason'] }, usage: message['usage'] },
    { type: 'message_stop' },
  ]
}

function begun(message: Fields): MessageChunk {
  const model = textOf(message['model'])
  return defined({
    id: textOf(message['id']),
    usage: usageOf(message['usage']),
    metadata: model === undefined ? undefined : { model },
  })
}

function citationsOf(given: readonly Fields[]): Citation[] | undefined {
  const found = given.map(({ url, title, document_title, cited_text }): Citation =>
    defined({ url: textOf(url), title: textOf(title, document_title), quote: textOf(cited_text) }),
  )
  return found.length > 0 ? found : undefined
}

/** The input that was in the cache, or went into it, is counted beside the rest of it. */
function usageOf(value: unknown): Usage | undefined {
  const usage = fieldsOf(value)
  const fresh = numberOf(usage['input_tokens'])
  const cached = numberOf(usage['cache_read_input_tokens'])
  const outputTokens = numberOf(usage['output_tokens'])
  if (fresh === undefined && outputTokens === undefined) return undefined
  const inputTokens = fresh && fresh + (cached ?? 0) + (numberOf(usage['cache_creation_input_tokens']) ?? 0)
  return defined({ inputTokens, outputTokens, cachedInputTokens: cached })
}
