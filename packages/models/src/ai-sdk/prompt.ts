import type { ToolSpec } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import {
  answerText,
  argumentsOf,
  fileMention,
  reasoningOf,
  spokenParts,
  stateOf,
  withoutStrayAnswers,
  type FilePart,
} from '../conversation/parts.ts'
import { toolParameters } from '../conversation/tool-parameters.ts'
import { fieldsOf, isFields, listOf, numberOf, type Fields } from '../read-fields.ts'

/** What differs between the versions of the interface, and between providers. */
export interface Dialect {
  /** From version 4 on a file's content says what it is. */
  readonly taggedFiles: boolean
  /** Who the state that a message keeps belongs to. */
  readonly provider: string
}

/** What is asked of a model of the AI SDK. */
export function callOptions(messages: readonly Message[], tools: readonly ToolSpec[], dialect: Dialect): Fields {
  return {
    prompt: promptOf(withoutStrayAnswers(messages), dialect),
    ...(tools.length > 0 && { tools: tools.map(toolOf), toolChoice: { type: 'auto' } }),
  }
}

function promptOf(messages: readonly Message[], dialect: Dialect): Fields[] {
  const names = new Map(messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, name }) => [id, name] as const)))
  return messages.flatMap((message) => promptMessage(message, names, dialect))
}

function promptMessage(message: Message, names: ReadonlyMap<string, string>, dialect: Dialect): Fields[] {
  const { role, content, toolCallId = '', name } = message
  switch (role) {
    case 'system':
      return [{ role, content }]
    case 'user':
      return [
        {
          role,
          content: spokenParts(message).map((part) => (part.kind === 'text' ? text(part.text) : file(part, dialect))),
        },
      ]
    case 'tool': {
      const toolName = names.get(toolCallId) ?? name ?? ''
      return [
        {
          role,
          content: [
            { type: 'tool-result', toolCallId, toolName, output: { type: 'text', value: answerText(message) } },
          ],
        },
      ]
    }
    default: {
      const parts = assistantParts(message, dialect)
      return parts.length > 0 ? [{ role, content: parts }] : []
    }
  }
}

function assistantParts(message: Message, { provider }: Dialect): Fields[] {
  const state = fieldsOf(stateOf(message, provider))
  const ofCalls = fieldsOf(state['calls'])
  const calls = (message.toolCalls ?? []).map(({ id, name, args }) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: name,
    input: argumentsOf(args),
    ...withOptions(ofCalls[id]),
  }))
  return [...reasoningParts(message, state), ...(message.content === '' ? [] : [text(message.content)]), ...calls]
}

/** Reasoning goes back with what its provider said of it, such as a signature; reasoning of which nothing was said does not. */
function reasoningParts(message: Message, state: Fields): Fields[] {
  const reasoning = reasoningOf(message)
  let at = 0
  return listOf(state['reasoning']).flatMap(({ length, metadata }) => {
    const said = reasoning.slice(at, at + (numberOf(length) ?? 0))
    at += said.length
    return isFields(metadata) ? [{ type: 'reasoning', text: said, ...withOptions(metadata) }] : []
  })
}

function withOptions(metadata: unknown): { providerOptions?: Fields } {
  return isFields(metadata) ? { providerOptions: metadata } : {}
}

function text(value: string): Fields {
  return { type: 'text', text: value }
}

function file(part: FilePart, { taggedFiles }: Dialect): Fields {
  const { mediaType, data, url, name } = part
  const place = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  if (data === undefined && place === undefined) return text(fileMention(part))
  const content = data ?? place
  const tagged = data === undefined ? { type: 'url', url: place } : { type: 'data', data }
  const named = name === undefined ? {} : { filename: name }
  return { type: 'file', mediaType, data: taggedFiles ? tagged : content, ...named }
}

function toolOf(tool: ToolSpec): Fields {
  const { name, description } = tool
  return { type: 'function', name, description, inputSchema: toolParameters(tool) }
}
