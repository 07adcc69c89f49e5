import type { ToolSpec } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import {
  addressOf,
  answerText,
  fileMention,
  spokenParts,
  withoutStrayAnswers,
  type FilePart,
} from '../conversation/parts.ts'
import { toolParameters } from '../conversation/tool-parameters.ts'
import type { Fields } from '../read-fields.ts'

/** The body of a request for a chat completion, without the model. */
export function chatRequest(messages: readonly Message[], tools: readonly ToolSpec[]): Fields {
  return {
    messages: withoutStrayAnswers(messages).flatMap(chatMessage),
    ...(tools.length > 0 && { tools: tools.map(chatTool) }),
  }
}

function chatMessage(message: Message): Fields[] {
  const { role, content, toolCalls = [], toolCallId } = message
  switch (role) {
    case 'user':
      return [{ role, content: userContent(message) }]
    case 'tool':
      return [{ role, tool_call_id: toolCallId, content: answerText(message) }]
    case 'assistant': {
      if (toolCalls.length === 0) return content === '' ? [] : [{ role, content }]
      const calls = toolCalls.map(({ id, name, args }) => ({
        id,
        type: 'function',
        function: { name, arguments: args },
      }))
      return [{ role, content: content === '' ? null : content, tool_calls: calls }]
    }
    default:
      return [{ role, content }]
  }
}

/** Text alone as text, which every compatible server takes; a list of parts where there is more. */
function userContent(message: Message): string | readonly Fields[] {
  const parts = spokenParts(message).map((part) => (part.kind === 'text' ? textPart(part.text) : filePart(part)))
  const texts = parts.map(({ text }) => text)
  return texts.every((text) => typeof text === 'string') ? joined(texts) : parts
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n\n')
}

function textPart(text: string): Fields {
  return { type: 'text', text }
}

/** A file as the API takes it; what it cannot take is named in the text, since its content is with the tools. */
function filePart(part: FilePart): Fields {
  const address = addressOf(part)
  if (part.kind === 'image' && address !== undefined) return { type: 'image_url', image_url: { url: address } }
  if (part.data === undefined || address === undefined) return textPart(fileMention(part))
  if (part.kind === 'audio') {
    return {
      type: 'input_audio',
      input_audio: { data: part.data, format: part.mediaType.replace(/^audio\/(x-)?/, '') },
    }
  }
  return { type: 'file', file: { filename: part.name ?? 'file', file_data: address } }
}

function chatTool(tool: ToolSpec): Fields {
  const { name, description } = tool
  return { type: 'function', function: { name, description, parameters: toolParameters(tool) } }
}
