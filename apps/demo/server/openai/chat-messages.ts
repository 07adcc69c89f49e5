import type { Message } from '@rivulet/protocol'
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { fileNames } from '../rules/turn.ts'

/**
 * A conversation as the chat completions API takes it. Files are named in the text, since their contents stay with the
 * tools. A call without an answer, as a stopped run leaves it, is left out with everything that only belongs to it:
 * the API refuses a conversation that has one.
 */
export function chatMessages(messages: readonly Message[]): ChatCompletionMessageParam[] {
  const answered = new Set(messages.flatMap(({ toolCallId }) => (toolCallId === undefined ? [] : [toolCallId])))
  const asked = new Set(messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id)))
  return messages.flatMap((message) => chatMessage(message, answered, asked))
}

function chatMessage(
  message: Message,
  answered: ReadonlySet<string>,
  asked: ReadonlySet<string>,
): ChatCompletionMessageParam[] {
  const { role, content, toolCalls = [], toolCallId } = message
  switch (role) {
    case 'system':
      return [{ role, content }]
    case 'user':
      return [{ role, content: withFiles(message) }]
    case 'tool':
      return toolCallId !== undefined && asked.has(toolCallId) ? [{ role, tool_call_id: toolCallId, content }] : []
    case 'assistant': {
      const calls = toolCalls.filter(({ id }) => answered.has(id))
      if (calls.length === 0) return content === '' ? [] : [{ role, content }]
      const tool_calls = calls.map(({ id, name, args }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: args },
      }))
      return [{ role, content: content === '' ? null : content, tool_calls }]
    }
    default:
      return []
  }
}

function withFiles(message: Message): string {
  const files = fileNames(message).map((name) => `[Attached file: ${name}]`)
  return [message.content, ...files].filter((text) => text !== '').join('\n\n')
}
