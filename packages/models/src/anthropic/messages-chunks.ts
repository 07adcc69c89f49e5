import type { Citation, MessageChunk } from '@rivulet/core'
import type { Usage } from '@rivulet/protocol'
import { statePart } from '../conversation/parts.ts'
import { defined, fieldsOf, listOf, numberOf, textOf, type Fields } from '../read-fields.ts'
import { ANTHROPIC } from './messages-request.ts'

/** Reads the events of one message of the messages API, in their order. */
export interface MessagesReader {
  /** What an event adds to the message. */
  read(event: Fields): MessageChunk
  /** Whether the message came to its end. */
  readonly ended: boolean
}

type Thinking = { length: number; signature?: string } | { redacted: string }

export function messagesReader(): MessagesReader {
  const thinking = new Map<unknown, Thinking>()
  let ended = false

  function blockStarted(index: unknown, block: Fields): MessageChunk {
    switch (block['type']) {
      case 'text':
        return defined({ content: textOf(block['text']), citations: citationsOf(listOf(block['citations'])) })
      case 'thinking': {
        const said = textOf(block['thinking'])
        thinking.set(index, { length: said?.length ?? 0, ...signed(block['signature']) })
        return defined({ reasoning: said })
      }
      case 'redacted_thinking':
        thinking.set(index, { redacted: textOf(block['data']) ?? '' })
        return {}
      case 'tool_use': {
        const call = { index: numberOf(index) ?? 0, id: textOf(block['id']), name: textOf(block['name']) }
        return { toolCallChunks: [defined(call)] }
      }
      default:
        // What the provider's own tools did: nothing to run here, but nothing to lose either.
        return { parts: [{ kind: 'data', name: textOf(block['type']) ?? 'block', value: block }] }
    }
  }

  function blockGrew(index: unknown, delta: Fields): MessageChunk {
    switch (delta['type']) {
      case 'text_delta':
        return defined({ content: textOf(delta['text']) })
      case 'input_json_delta':
        return { toolCallChunks: [defined({ index: numberOf(index) ?? 0, args: textOf(delta['partial_json']) })] }
      case 'thinking_delta': {
        const said = textOf(delta['thinking'])
        const known = thinking.get(index)
        if (known !== undefined && 'length' in known) known.length += said?.length ?? 0
        return defined({ reasoning: said })
      }
      case 'signature_delta': {
        const known = thinking.get(index)
        if (known !== undefined && 'length' in known) Object.assign(known, signed(delta['signature']))
        return {}
      }
      case 'citations_delta':
        return defined({ citations: citationsOf([fieldsOf(delta['citation'])]) })
      default:
        return {}
    }
  }

  function read(event: Fields): MessageChunk {
    switch (event['type']) {
      case 'message_start':
        return begun(fieldsOf(event['message']))
      case 'content_block_start':
        return blockStarted(event['index'], fieldsOf(event['content_block']))
      case 'content_block_delta':
        return blockGrew(event['index'], fieldsOf(event['delta']))
      case 'message_delta': {
        const finishReason = textOf(fieldsOf(event['delta'])['stop_reason'])
        return defined({ finishReason, usage: usageOf(event['usage']) })
      }
      case 'message_stop': {
        ended = true
        const blocks = [...thinking.values()]
        return blocks.length > 0 ? { parts: [statePart(ANTHROPIC, { blocks })] } : {}
      }
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

function signed(signature: unknown): { signature?: string } {
  const text = textOf(signature)
  return text === undefined ? {} : { signature: text }
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
