import type { ToolSpec } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import {
  argumentsOf,
  fileMention,
  reasoningOf,
  spokenParts,
  stateOf,
  withoutStrayAnswers,
  type FilePart,
} from '../conversation/parts.ts'
import { toolParameters } from '../conversation/tool-parameters.ts'
import { listOf, numberOf, textOf, type Fields } from '../read-fields.ts'

/** Who the state of reasoning belongs to. */
export const ANTHROPIC = 'anthropic'

/** The body of a request for a message, without model and limits. */
export function messagesRequest(messages: readonly Message[], tools: readonly ToolSpec[]): Fields {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  return {
    ...(system.length > 0 && { system: system.join('\n\n') }),
    messages: inTurns(withoutStrayAnswers(messages).filter(({ role }) => role !== 'system')),
    ...(tools.length > 0 && { tools: tools.map(toolOf) }),
  }
}

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: Fields[]
}

/** User and assistant take turns; answers of tools are the user's, and what follows them belongs to the same turn. */
function inTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = []
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = blocksOf(message)
    if (content.length === 0) continue
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content })
  }
  return turns
}

function blocksOf(message: Message): Fields[] {
  const { role, content, toolCallId, toolCalls = [] } = message
  switch (role) {
    case 'assistant':
      return [
        ...thinkingBlocks(message),
        // An empty text is refused.
        ...textBlock(content),
        ...toolCalls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: argumentsOf(args) })),
      ]
    case 'tool':
      return [{ type: 'tool_result', tool_use_id: toolCallId, content: resultOf(message) }]
    default:
      return spokenParts(message).flatMap((part) => (part.kind === 'text' ? textBlock(part.text) : [fileBlock(part)]))
  }
}

function textBlock(text: string): Fields[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function resultOf(message: Message): string | Fields[] {
  const parts = spokenParts(message)
  if (parts.every(({ kind }) => kind === 'text')) return message.content
  return parts.flatMap((part) => (part.kind === 'text' ? textBlock(part.text) : [fileBlock(part)]))
}

/** Thinking goes back as it came, with its signature; thinking of others has none and would be refused. */
function thinkingBlocks(message: Message): Fields[] {
  const reasoning = reasoningOf(message)
  let at = 0
  return listOf(stateOf(message, ANTHROPIC)?.['blocks']).flatMap((block): Fields[] => {
    const data = textOf(block['redacted'])
    if (data !== undefined) return [{ type: 'redacted_thinking', data }]
    const thinking = reasoning.slice(at, at + (numberOf(block['length']) ?? 0))
    at += thinking.length
    const signature = textOf(block['signature'])
    return signature === undefined ? [] : [{ type: 'thinking', thinking, signature }]
  })
}

function fileBlock(part: FilePart): Fields {
  const { kind, mediaType, data, url, name } = part
  const source = data === undefined ? { type: 'url', url } : { type: 'base64', media_type: mediaType, data }
  const isKnown = kind === 'image' || mediaType === 'application/pdf'
  if (!isKnown || (data === undefined && url === undefined)) return { type: 'text', text: fileMention(part) }
  if (kind === 'image') return { type: 'image', source }
  return { type: 'document', source, ...(name !== undefined && { title: name }) }
}

function toolOf(tool: ToolSpec): Fields {
  const { name, description } = tool
  return { name, description, input_schema: toolParameters(tool) }
}
