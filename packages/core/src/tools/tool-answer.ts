import {
  normalizeMessage,
  toJson,
  type Message,
  type MessageInput,
  type Part,
  type ToolCall,
} from '@rivulet/protocol/model'
import { type AnyCommand, isCommand } from '../graph/command.ts'
import { answeredCall, type CallEffect, listOfUpdates, messagesIn } from './tool-updates.ts'

/** What a tool returned: as readers are told it, as the model reads it, and what it wants of the graph. */
export interface ToolAnswer extends CallEffect {
  readonly output: unknown
}

/** What a command is answered with that says nothing for the model. */
const DONE = 'Done.'

/** Reads what a tool returned. Throws `UNSERIALIZABLE` on what is no JSON, `INVALID_INPUT` on a message that is none. */
export function readAnswer(call: ToolCall, returned: unknown, messagesKey: string): ToolAnswer {
  if (isCommand(returned)) {
    const said = ownAnswer(call, returned, messagesKey)
    const answer = said === undefined ? answerWith(call, DONE) : answerFrom(call, said)
    const { update, goto, graph } = returned
    return { output: answer.content, answer, command: { update, goto, toParent: graph !== undefined } }
  }
  if (isToolMessage(returned)) {
    const answer = answerFrom(call, returned)
    return {
      output: answer.parts === undefined ? answer.content : { content: answer.content, parts: answer.parts },
      answer,
    }
  }
  const parts = partsIn(returned)
  if (parts !== undefined) {
    const answer = answerFrom(call, { role: 'tool', content: '', parts, toolCallId: call.id })
    return { output: toJson(returned), answer: { ...answer, content: textIn(parts) } }
  }
  const output = toJson(returned)
  return { output, answer: answerWith(call, typeof output === 'string' ? output : JSON.stringify(output)) }
}

/** An answer of this text. */
export function answerWith({ id, name }: ToolCall, content: string): MessageInput {
  return { role: 'tool', content, toolCallId: id, name }
}

/** A message as the answer to this call, whatever call it says it answers. */
function answerFrom(call: ToolCall, message: unknown): MessageInput {
  const { id, ...read } = normalizeMessage(message, () => '', `the answer of tool "${call.name}"`)
  return { ...(id !== '' && { id }), ...read, role: 'tool', toolCallId: call.id, name: read.name ?? call.name }
}

/** The message among a command's own that answers this call. */
function ownAnswer({ id }: ToolCall, { update }: AnyCommand, messagesKey: string): unknown {
  const said = listOfUpdates(update).flatMap((one) => messagesIn(one, messagesKey))
  return said.find((message) => answeredCall(message) === id)
}

/** A tool's message, ours or LangChain's. */
function isToolMessage(value: unknown): value is Partial<Message> {
  if (typeof value !== 'object' || value === null || !('content' in value)) return false
  const { role, type } = value as { role?: unknown; type?: unknown }
  return role === 'tool' || (type === 'tool' && 'tool_call_id' in value)
}

const MEDIA: ReadonlySet<unknown> = new Set(['image', 'audio', 'file'])

/** Parts of a message: a list of nothing else, or a single image, audio or file. */
function partsIn(value: unknown): readonly Part[] | undefined {
  if (isMedia(value)) return [value]
  if (!Array.isArray(value) || value.length === 0) return undefined
  const items: readonly unknown[] = value
  return items.every((item): item is Part => isMedia(item) || isText(item)) ? items : undefined
}

function isMedia(value: unknown): value is Part {
  if (typeof value !== 'object' || value === null) return false
  const { kind, mediaType } = value as { kind?: unknown; mediaType?: unknown }
  return MEDIA.has(kind) && typeof mediaType === 'string'
}

function isText(value: unknown): value is Part {
  if (typeof value !== 'object' || value === null) return false
  const { kind, text } = value as { kind?: unknown; text?: unknown }
  return kind === 'text' && typeof text === 'string'
}

function textIn(parts: readonly Part[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
}
