import type { ToolSpec } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import {
  addressOf,
  fileMention,
  spokenParts,
  stateOf,
  withoutStrayAnswers,
  type FilePart,
} from '../conversation/parts.ts'
import { toolParameters } from '../conversation/tool-parameters.ts'
import { listOf, textOf, type Fields } from '../read-fields.ts'

/** Who the state of reasoning belongs to. */
export const RESPONSES = 'openai-responses'

/**
 * The body of a request for a response, without the model. `stored` says whether the provider keeps what it answered, so
 * that its reasoning can be named by id; else only reasoning that carries its encrypted content goes back.
 */
export function responsesRequest(messages: readonly Message[], tools: readonly ToolSpec[], stored: boolean): Fields {
  return {
    input: withoutStrayAnswers(messages).flatMap((message) => inputItems(message, stored)),
    ...(tools.length > 0 && { tools: tools.map(functionTool) }),
  }
}

function inputItems(message: Message, stored: boolean): Fields[] {
  const { role, content, toolCalls = [], toolCallId } = message
  switch (role) {
    case 'user':
      return [
        { role, content: spokenParts(message).map((part) => (part.kind === 'text' ? text(part.text) : file(part))) },
      ]
    case 'tool':
      return [{ type: 'function_call_output', call_id: toolCallId, output: outputOf(message) }]
    case 'assistant':
      return [
        ...reasoningItems(message, stored),
        ...(content === '' ? [] : [{ role, content }]),
        ...toolCalls.map(({ id, name, args }) => ({ type: 'function_call', call_id: id, name, arguments: args })),
      ]
    default:
      return [{ role, content }]
  }
}

/** Text alone as text; a list where a tool answered with files. */
function outputOf(message: Message): string | readonly Fields[] {
  const parts = spokenParts(message)
  if (parts.every(({ kind }) => kind === 'text')) return message.content
  return parts.map((part) => (part.kind === 'text' ? text(part.text) : file(part)))
}

/** Reasoning goes back as it came, without which the model would reason anew after each tool. */
function reasoningItems(message: Message, stored: boolean): readonly Fields[] {
  const items = listOf(stateOf(message, RESPONSES)?.['items'])
  return items.filter((item) => stored || textOf(item['encrypted_content']) !== undefined)
}

function text(value: string): Fields {
  return { type: 'input_text', text: value }
}

function file(part: FilePart): Fields {
  const address = addressOf(part)
  if (address === undefined || part.kind === 'audio') return text(fileMention(part))
  if (part.kind === 'image') return { type: 'input_image', image_url: address, detail: 'auto' }
  if (part.data === undefined) return { type: 'input_file', file_url: address }
  return { type: 'input_file', filename: part.name ?? 'file', file_data: address }
}

function functionTool(tool: ToolSpec): Fields {
  const { name, description } = tool
  return { type: 'function', name, description, parameters: toolParameters(tool), strict: false }
}
