import type { ToolSpec } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import {
  addressOf,
  answerText,
  argumentsOf,
  fileMention,
  spokenParts,
  withoutStrayAnswers,
  type FilePart,
} from '../conversation/parts.ts'
import { toolParameters } from '../conversation/tool-parameters.ts'
import type { Fields } from '../read-fields.ts'

/** A conversation as LangChain's models take it: plain objects that they make their own messages of. */
export function langChainMessages(messages: readonly Message[]): Fields[] {
  return withoutStrayAnswers(messages).map((message) => {
    const { id, role, content, toolCalls = [], toolCallId, name } = message
    switch (role) {
      case 'user':
        return { type: 'human', id, content: userContent(message) }
      case 'tool':
        return {
          type: 'tool',
          id,
          content: answerText(message),
          tool_call_id: toolCallId,
          ...(name !== undefined && { name }),
        }
      case 'assistant': {
        const calls = toolCalls.map((call) => ({
          type: 'tool_call',
          id: call.id,
          name: call.name,
          args: argumentsOf(call.args),
        }))
        return { type: 'ai', id, content, ...(calls.length > 0 && { tool_calls: calls }) }
      }
      default:
        return { type: 'system', id, content }
    }
  })
}

function userContent(message: Message): string | Fields[] {
  const parts = spokenParts(message)
  if (parts.every(({ kind }) => kind === 'text')) return message.content
  return parts.map((part) => (part.kind === 'text' ? text(part.text) : file(part)))
}

function text(value: string): Fields {
  return { type: 'text', text: value }
}

function file(part: FilePart): Fields {
  const address = addressOf(part)
  if (part.kind === 'image' && address !== undefined) return { type: 'image_url', image_url: { url: address } }
  if (part.data === undefined) return text(fileMention(part))
  const { kind, mediaType, data, name } = part
  return {
    type: kind,
    source_type: 'base64',
    mime_type: mediaType,
    data,
    ...(name !== undefined && { metadata: { filename: name } }),
  }
}

/** A tool as every `bindTools` takes it. */
export function langChainTool(tool: ToolSpec): Fields {
  const { name, description } = tool
  return { type: 'function', function: { name, description, parameters: toolParameters(tool) } }
}
