import { addCallOnce, type Fields, firstString, isFields, readCall, readContent } from './content.ts'
import { finishDraft, invalid, nameOf, roleOf } from './draft.ts'
import { isLangChainMessage, readLangChain } from './from-langchain.ts'
import { isUiMessage, readUiMessage } from './from-ui-message.ts'
import { toJson } from '../json.ts'
import type { Message, MessageMeta, Part, ToolCall } from './message.ts'

/**
 * One message of ours out of whatever a caller has: a message of ours, a string (a user's message), a LangChain
 * message (an instance, a dict with `type: "human"`, or its serialised form), an OpenAI chat message, or an AI SDK UI
 * or model message. An id is kept where there is one and made by `makeId` where there is none. `where` names the place
 * in error sentences.
 *
 * Content that is only text becomes `content`; anything more is also in `parts`. Of `status` only `cut` is kept. A UI
 * message may hold a tool's output beside the call: it becomes a `data` part named `tool-output` (`{ toolCallId,
 * output }` or `{ toolCallId, errorText }`), as a message of ours answers no call of its own.
 *
 * The result shares nothing with `input`. Throws `INVALID_INPUT` with a sentence that says which field is wrong, and
 * `UNSERIALIZABLE` when a part that must be JSON is not.
 */
export function normalizeMessage(input: unknown, makeId: () => string, where = 'message'): Message {
  if (typeof input === 'string') return { id: makeId(), role: 'user', content: input }
  if (!isFields(input)) throw invalid(`${where} must be text or a message object, not ${nameOf(input)}`)
  if (isLangChainMessage(input)) return finishDraft(readLangChain(input, where), makeId, where)
  if (isUiMessage(input)) return finishDraft(readUiMessage(input, where), makeId, where)
  return readChatMessage(input, makeId, where)
}

/** Ours and OpenAI's: told apart field by field, as neither names itself. */
function readChatMessage(input: Fields, makeId: () => string, where: string): Message {
  if (input['role'] === undefined) throw invalid(`${where}.role is missing`)
  const role = roleOf(input['role'], `${where}.role`)
  const body = readContent(input['content'], `${where}.content`)
  const own = readOwnParts(input['parts'], `${where}.parts`)
  if (own !== undefined) {
    body.parts = own
    if (typeof input['content'] !== 'string') body.text = joinText(own)
  }
  for (const call of readCalls(input, where)) addCallOnce(body, call)
  const message = finishDraft(
    {
      id: input['id'],
      role,
      body,
      toolCallId: firstString(input['toolCallId'], input['tool_call_id']),
      name: firstString(input['name']),
      meta: readMeta(input['meta'], `${where}.meta`),
    },
    makeId,
    where,
  )
  return input['status'] === 'cut' ? { ...message, status: 'cut' } : message
}

function readCalls(input: Fields, where: string): ToolCall[] {
  const calls = input['toolCalls'] ?? input['tool_calls']
  if (calls === undefined || calls === null) return []
  const field = input['toolCalls'] === undefined ? 'tool_calls' : 'toolCalls'
  if (!Array.isArray(calls)) throw invalid(`${where}.${field} must be a list`)
  return calls.map((call: unknown, i) => {
    const read = isFields(call) ? readCall(call) : undefined
    if (read === undefined) throw invalid(`${where}.${field}[${i}] must have an id and a name`)
    return read
  })
}

function readMeta(meta: unknown, where: string): MessageMeta | undefined {
  if (meta === undefined || meta === null) return undefined
  if (!isFields(meta)) throw invalid(`${where} must be an object`)
  // Checked to be a JSON object; readers of its fields expect any of them to be missing.
  return toJson(meta) as MessageMeta
}

/** Parts of our own shape; `undefined` when there are none. */
function readOwnParts(parts: unknown, where: string): Part[] | undefined {
  if (parts === undefined || parts === null) return undefined
  if (!Array.isArray(parts)) throw invalid(`${where} must be a list`)
  return parts.map((part: unknown, i) => readOwnPart(part, `${where}[${i}]`))
}

function readOwnPart(part: unknown, where: string): Part {
  if (!isFields(part)) throw invalid(`${where} must be an object with a kind`)
  const { kind, text, mediaType, name, url, data } = part
  switch (kind) {
    case 'text':
    case 'reasoning':
      if (typeof text !== 'string') throw invalid(`${where}.text must be text`)
      return { kind, text }
    case 'image':
    case 'audio':
    case 'file':
      if (typeof mediaType !== 'string') throw invalid(`${where}.mediaType must be text`)
      return {
        kind,
        mediaType,
        ...(typeof url === 'string' && { url }),
        ...(typeof data === 'string' && { data }),
        ...(typeof name === 'string' && { name }),
      }
    case 'data':
      if (typeof name !== 'string') throw invalid(`${where}.name must be text`)
      return { kind, name, value: toJson(part['value']) }
    default:
      throw invalid(`${where}.kind must be text, reasoning, image, audio, file or data`)
  }
}

function joinText(parts: readonly Part[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
}
