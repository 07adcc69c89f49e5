import { createChatDecoder, createChatWriter, type ChatDecoder, type ChatToRead } from '../chat-writer.ts'
import { fieldsIn, isFields, textOf, type Fields } from '../fields.ts'
import { usageOf } from './decode-chat.ts'

/** Text of these events goes on with a part of this kind. */
const DELTAS: ReadonlyMap<unknown, 'text' | 'reasoning'> = new Map<unknown, 'text' | 'reasoning'>([
  ['response.output_text.delta', 'text'],
  ['response.refusal.delta', 'text'],
  ['response.reasoning_text.delta', 'reasoning'],
  ['response.reasoning_summary_text.delta', 'reasoning'],
])

/**
 * Reads OpenAI's responses stream: all output of one response is one message, its text, reasoning and function calls in
 * the order of the output. Complete with `response.completed`; `response.failed` and `error` fail the run.
 */
export function createOpenAiResponsesDecoder(options: ChatToRead): ChatDecoder {
  const writer = createChatWriter(options)
  const { messages } = writer
  const calls = new Map<unknown, { kind: 'tool'; callId: string; name: string }>()
  let id: string | undefined
  const message = (response: Fields = {}) => {
    const model = textOf(response['model'])
    id ??= writer.start({
      id: textOf(response['id']),
      role: 'assistant',
      ...(model !== undefined && { meta: { model } }),
    })
    return id
  }
  const finish = (response: Fields, finishReason: string): void => {
    const usage = usageOf(response['usage'], 'input_tokens', 'output_tokens')
    messages.note(message(response), { finishReason, ...(usage && { usage }) })
    writer.end()
  }
  const read = (event: Fields): void => {
    const { type, item_id: item, delta } = event
    const response = isFields(event['response']) ? event['response'] : {}
    const kind = DELTAS.get(type)
    if (kind !== undefined) {
      const place = event['content_index'] ?? event['summary_index']
      return messages.append(message(), `${kind} ${String(item)} ${String(place)}`, textOf(delta) ?? '', { kind })
    }
    switch (type) {
      case 'response.created':
        return void message(response)
      case 'response.output_item.added':
      case 'response.output_item.done':
        return readItem(isFields(event['item']) ? event['item'] : {})
      case 'response.function_call_arguments.delta':
        return messages.append(message(), `tool ${String(item)}`, textOf(delta) ?? '', calls.get(item))
      case 'response.completed':
        return finish(response, 'stop')
      case 'response.incomplete':
        return finish(response, 'length')
      case 'response.failed':
        writer.fail(isFields(response['error']) ? response['error']['message'] : undefined)
        return writer.end()
      case 'error':
        writer.fail(event['message'])
        return writer.end()
      default:
        return undefined
    }
  }
  const readItem = ({ type, id: item, call_id: callId, name, arguments: args }: Fields): void => {
    if (type !== 'function_call' || calls.has(item)) return
    const call = { kind: 'tool', callId: textOf(callId) ?? '', name: textOf(name) ?? '' } as const
    calls.set(item, call)
    messages.append(message(), `tool ${String(item)}`, textOf(args) ?? '', call)
  }
  return createChatDecoder(writer, {
    read(data) {
      const event = fieldsIn(data)
      if (event !== undefined) read(event)
    },
    close: () => writer.cutOff(),
  })
}
