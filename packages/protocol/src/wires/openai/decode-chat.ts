import type { Usage } from '../../messages/message.ts'
import { createChatDecoder, createChatWriter, type ChatDecoder, type ChatToRead } from '../chat-writer.ts'
import { fieldsIn, fieldsOf, isFields, textOf, type Fields } from '../fields.ts'

/**
 * Reads OpenAI's chat completions stream, and that of the many that speak it too: text, refusals, reasoning where a
 * provider adds it, tool calls. The first choice is read. It is complete with a finish reason or `[DONE]`.
 */
export function createOpenAiChatDecoder(options: ChatToRead): ChatDecoder {
  const writer = createChatWriter(options)
  let id: string | undefined
  let isFinished = false
  const readDelta = (id: string, delta: Fields): void => {
    const { messages } = writer
    const reasoning = textOf(delta['reasoning_content']) ?? textOf(delta['reasoning'])
    if (reasoning) messages.append(id, 'reasoning', reasoning, { kind: 'reasoning' })
    for (const text of [textOf(delta['content']), textOf(delta['refusal'])]) if (text) messages.append(id, 'text', text)
    for (const { index, id: callId, function: called } of fieldsOf(delta['tool_calls'])) {
      const { name, arguments: args }: Fields = isFields(called) ? called : {}
      const call = { kind: 'tool', callId: textOf(callId) ?? '', name: textOf(name) ?? '' } as const
      messages.append(id, `tool ${typeof index === 'number' ? index : 0}`, textOf(args) ?? '', call)
    }
  }
  const read = (chunk: Fields): void => {
    if (chunk['error'] !== undefined)
      return writer.fail(isFields(chunk['error']) ? chunk['error']['message'] : chunk['error'])
    const [choice] = fieldsOf(chunk['choices'])
    if (choice !== undefined) {
      const model = textOf(chunk['model'])
      id ??= writer.start({
        id: textOf(chunk['id']),
        role: 'assistant',
        ...(model !== undefined && { meta: { model } }),
      })
      if (isFields(choice['delta'])) readDelta(id, choice['delta'])
      const finishReason = textOf(choice['finish_reason'])
      if (finishReason !== undefined) writer.messages.note(id, { finishReason })
      isFinished ||= finishReason !== undefined
    }
    const usage = usageOf(chunk['usage'], 'prompt_tokens', 'completion_tokens')
    if (usage !== undefined && id !== undefined) writer.messages.note(id, { usage })
  }
  return createChatDecoder(writer, {
    read(data) {
      if (data.trim() === '[DONE]') return writer.end()
      const chunk = fieldsIn(data)
      if (chunk !== undefined) read(chunk)
    },
    close() {
      if (!isFinished) writer.cutOff()
    },
  })
}

/** Tokens under the names that an API has for them; `undefined` when it counts none. */
export function usageOf(value: unknown, input: string, output: string): Usage | undefined {
  if (!isFields(value)) return undefined
  const { [input]: inputTokens, [output]: outputTokens, total_tokens: totalTokens } = value
  const counts = Object.entries({ inputTokens, outputTokens, totalTokens }).filter(
    ([, count]) => typeof count === 'number',
  )
  return counts.length === 0 ? undefined : Object.fromEntries(counts)
}
