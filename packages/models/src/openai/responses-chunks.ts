import type { Citation, MessageChunk } from '@rivulet/core'
import type { Part, Usage } from '@rivulet/protocol'
import { statePart } from '../conversation/parts.ts'
import { reportedError } from '../provider-error.ts'
import { defined, fieldsOf, listOf, numberOf, textOf, type Fields } from '../read-fields.ts'
import { RESPONSES } from './responses-request.ts'

/** Reads the events of one response of the responses API, in their order. */
export class ResponsesReader {
  /** Places of the calls whose arguments came in pieces: their whole text comes again at the end. */
  readonly #inPieces = new Set<number>()
  readonly #reasoning: Fields[] = []
  #hasCalls = false
  #ended = false

  /** Whether the response came to its end. */
  get ended(): boolean {
    return this.#ended
  }

  /** What an event adds to the message. Throws `PROVIDER_FAILED` for one that says that the response failed. */
  read(event: Fields): MessageChunk {
    const delta = textOf(event['delta'])
    switch (event['type']) {
      case 'response.created':
        return begun(fieldsOf(event['response']))
      case 'response.output_item.added':
        return this.#itemAdded(placeOf(event), fieldsOf(event['item']))
      case 'response.output_item.done':
        return this.#itemDone(fieldsOf(event['item']))
      case 'response.function_call_arguments.delta':
        this.#inPieces.add(placeOf(event))
        return { toolCallChunks: [defined({ index: placeOf(event), args: delta })] }
      case 'response.function_call_arguments.done':
        return this.#argumentsDone(placeOf(event), textOf(event['arguments']))
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return defined({ content: delta })
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        return defined({ reasoning: delta })
      case 'response.reasoning_summary_part.added':
        // A summary's paragraphs come one by one, without what stands between them.
        return (numberOf(event['summary_index']) ?? 0) > 0 ? { reasoning: '\n\n' } : {}
      case 'response.output_text.annotation.added':
        return { citations: citationsOf(fieldsOf(event['annotation'])) }
      case 'response.completed':
      case 'response.incomplete':
        return this.#finished(fieldsOf(event['response']))
      case 'response.failed':
        throw failure(fieldsOf(fieldsOf(event['response'])['error']))
      case 'error':
        throw failure(event)
      default:
        return {}
    }
  }

  #itemAdded(index: number, item: Fields): MessageChunk {
    if (item['type'] !== 'function_call') return {}
    this.#hasCalls = true
    return { toolCallChunks: [defined({ index, id: textOf(item['call_id']), name: textOf(item['name']) })] }
  }

  #itemDone(item: Fields): MessageChunk {
    switch (item['type']) {
      case 'message':
      case 'function_call':
        return {}
      case 'reasoning':
        this.#reasoning.push(reasoningItem(item))
        return {}
      case 'image_generation_call':
        return { parts: imageOf(item) }
      default:
        // What the provider's own tools did: nothing to run here, but nothing to lose either.
        return { parts: [{ kind: 'data', name: textOf(item['type']) ?? 'item', value: item }] }
    }
  }

  #argumentsDone(index: number, args: string | undefined): MessageChunk {
    return this.#inPieces.has(index) ? {} : { toolCallChunks: [defined({ index, args })] }
  }

  #finished(response: Fields): MessageChunk {
    this.#ended = true
    const incomplete = textOf(fieldsOf(response['incomplete_details'])['reason'])
    return defined({
      usage: usageOf(response['usage']),
      finishReason: incomplete ?? (this.#hasCalls ? 'tool_calls' : 'stop'),
      parts: this.#reasoning.length > 0 ? [statePart(RESPONSES, { items: this.#reasoning })] : undefined,
    })
  }
}

/** A whole response as the events it would have come in. Throws `PROVIDER_FAILED` for one that failed. */
export function responseEvents(response: Fields): readonly Fields[] {
  const items = listOf(response['output']).flatMap((item, place) => itemEvents(item, place))
  const type = `response.${textOf(response['status']) ?? 'completed'}`
  return [{ type: 'response.created', response }, ...items, { type, response }]
}

function itemEvents(item: Fields, place: number): readonly Fields[] {
  const at = { output_index: place }
  const inner = listOf(item['content']).flatMap(({ type, text, refusal, annotations }) => [
    {
      type: type === 'reasoning_text' ? 'response.reasoning_text.delta' : 'response.output_text.delta',
      delta: text ?? refusal,
    },
    ...listOf(annotations).map((annotation) => ({ type: 'response.output_text.annotation.added', annotation })),
  ])
  const summary = listOf(item['summary']).flatMap(({ text }, i) => [
    { type: 'response.reasoning_summary_part.added', summary_index: i },
    { type: 'response.reasoning_summary_text.delta', delta: text },
  ])
  const whole =
    item['type'] === 'function_call'
      ? [{ type: 'response.function_call_arguments.done', ...at, arguments: item['arguments'] }]
      : []
  return [
    { type: 'response.output_item.added', ...at, item },
    ...summary,
    ...inner,
    ...whole,
    { type: 'response.output_item.done', ...at, item },
  ]
}

function begun(response: Fields): MessageChunk {
  const model = textOf(response['model'])
  return defined({ id: textOf(response['id']), metadata: model === undefined ? undefined : { model } })
}

function placeOf(event: Fields): number {
  return numberOf(event['output_index']) ?? 0
}

/** What goes back of a reasoning item: its id, its summary, and its content where that came encrypted. */
function reasoningItem({ id, summary, encrypted_content }: Fields): Fields {
  const encrypted = textOf(encrypted_content)
  return {
    type: 'reasoning',
    id,
    summary: listOf(summary),
    ...(encrypted !== undefined && { encrypted_content: encrypted }),
  }
}

function imageOf({ result, output_format }: Fields): Part[] {
  const data = textOf(result)
  return data === undefined ? [] : [{ kind: 'image', mediaType: `image/${textOf(output_format) ?? 'png'}`, data }]
}

function citationsOf(annotation: Fields): Citation[] {
  const found: Citation = defined({
    url: textOf(annotation['url']),
    title: textOf(annotation['title'], annotation['filename']),
    start: numberOf(annotation['start_index']),
    end: numberOf(annotation['end_index']),
  })
  return Object.keys(found).length === 0 ? [] : [found]
}

function usageOf(value: unknown): Usage | undefined {
  const usage = fieldsOf(value)
  if (numberOf(usage['output_tokens']) === undefined) return undefined
  return defined({
    inputTokens: numberOf(usage['input_tokens']),
    outputTokens: numberOf(usage['output_tokens']),
    totalTokens: numberOf(usage['total_tokens']),
    reasoningTokens: numberOf(fieldsOf(usage['output_tokens_details'])['reasoning_tokens']),
    cachedInputTokens: numberOf(fieldsOf(usage['input_tokens_details'])['cached_tokens']),
  })
}

function failure({ code, message }: Fields): Error {
  const retryable = code === 'server_error' || code === 'rate_limit_exceeded'
  return reportedError({ code, message }, retryable)
}
