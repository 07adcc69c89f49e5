import {
  addCallOnce,
  addReasoning,
  argsText,
  type Body,
  type Fields,
  firstString,
  isFields,
  readContent,
} from './content.ts'
import { toJson } from '../json.ts'
import { type Draft, invalid, roleOf } from './draft.ts'
import type { MessageMeta, Usage } from './message.ts'

/** What LangChain calls its kinds of message: in dicts, and as class names in older serialised ones. */
const KINDS: Readonly<Record<string, string>> = Object.freeze({
  human: 'user',
  HumanMessage: 'user',
  HumanMessageChunk: 'user',
  ai: 'assistant',
  AIMessage: 'assistant',
  AIMessageChunk: 'assistant',
  system: 'system',
  SystemMessage: 'system',
  SystemMessageChunk: 'system',
  developer: 'developer',
  tool: 'tool',
  ToolMessage: 'tool',
  ToolMessageChunk: 'tool',
  function: 'tool',
  FunctionMessage: 'tool',
  FunctionMessageChunk: 'tool',
})

/** Kinds that say who speaks in a `role` of their own. */
const GENERIC: ReadonlySet<string> = new Set(['generic', 'chat', 'ChatMessage', 'ChatMessageChunk'])

/** Whether `input` is one of LangChain's messages: an instance by its `getType`, a dict by its `type`, or serialised. */
export function isLangChainMessage(input: Fields): boolean {
  if (isConstructor(input)) return true
  const kind = kindOf(input)
  return kind !== undefined && (Object.hasOwn(KINDS, kind) || GENERIC.has(kind) || kind === 'remove')
}

/** Reads a LangChain message. Throws `INVALID_INPUT` for one that removes another, which is no message. */
export function readLangChain(input: Fields, where: string): Draft {
  const kind = isConstructor(input) ? lastOf(input['id']) : kindOf(input)
  const fields = fieldsOf(input)
  if (kind === 'remove' || kind === 'RemoveMessage') {
    throw invalid(`${where} removes a message; use removeMessage(id) for that`)
  }
  const role = roleOf(kind !== undefined && Object.hasOwn(KINDS, kind) ? KINDS[kind] : fields['role'], `${where}.role`)
  return {
    id: fields['id'],
    role,
    body: readBody(fields, where),
    toolCallId: firstString(fields['tool_call_id']),
    name: firstString(fields['name']),
    meta: readMeta(fields),
  }
}

function kindOf(input: Fields): string | undefined {
  // Called as methods: instances read their own fields there.
  if (typeof input['getType'] === 'function') return firstString((input as { getType(): unknown }).getType())
  if (typeof input['_getType'] === 'function') return firstString((input as { _getType(): unknown })._getType())
  return firstString(input['type'])
}

/** `{ lc, type: "constructor", id: [...path, class name], kwargs }`: what `JSON.stringify` makes of an instance. */
function isConstructor(input: Fields): boolean {
  return input['type'] === 'constructor' && isFields(input['kwargs']) && lastOf(input['id']) !== undefined
}

function lastOf(path: unknown): string | undefined {
  return Array.isArray(path) ? firstString(path.at(-1)) : undefined
}

/** Where the fields stand: in `kwargs` of a constructor, in `data` of a stored message, else on top. */
function fieldsOf(input: Fields): Fields {
  if (isConstructor(input) && isFields(input['kwargs'])) return input['kwargs']
  return isFields(input['data']) && !('content' in input) ? input['data'] : input
}

function readBody(fields: Fields, where: string): Body {
  const extra: Fields = isFields(fields['additional_kwargs']) ? fields['additional_kwargs'] : {}
  const content = readContent(fields['content'], `${where}.content`)
  const body: Body = { ...content, parts: [] }
  addReasoning(body, firstString(extra['reasoning_content']) ?? '')
  body.parts.push(...content.parts)
  for (const call of listOf(fields['tool_calls'])) addCall(body, call)
  for (const call of listOf(fields['invalid_tool_calls'])) addCall(body, call)
  // Only where the message itself lists none: providers leave the raw form beside the parsed one.
  if (body.toolCalls.length === 0) for (const call of listOf(extra['tool_calls'])) addCall(body, call)
  if (fields['artifact'] !== undefined && fields['artifact'] !== null) {
    body.parts.push({ kind: 'data', name: 'artifact', value: toJson(fields['artifact']) })
  }
  return body
}

function addCall(body: Body, call: Fields): void {
  const inner = isFields(call['function']) ? call['function'] : call
  // A call that a model wrote badly may lack its id or name; it is kept, so that what was written can be seen.
  addCallOnce(body, {
    id: firstString(call['id']) ?? `call_${body.toolCalls.length}`,
    name: firstString(inner['name']) ?? '',
    args: argsText(inner['args'] ?? inner['arguments']),
  })
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : []
}

function readMeta(fields: Fields): MessageMeta | undefined {
  const response: Fields = isFields(fields['response_metadata']) ? fields['response_metadata'] : {}
  const model = firstString(response['model_name'], response['model'])
  const finishReason = firstString(response['finish_reason'], response['stop_reason'])
  const usage = readUsage(fields['usage_metadata'])
  if (model === undefined && finishReason === undefined && usage === undefined) return undefined
  return {
    ...(model !== undefined && { model }),
    ...(usage !== undefined && { usage }),
    ...(finishReason !== undefined && { finishReason }),
  }
}

function readUsage(value: unknown): Usage | undefined {
  if (!isFields(value)) return undefined
  const { input_tokens: input, output_tokens: output, total_tokens: total } = value
  return {
    ...(typeof input === 'number' && { inputTokens: input }),
    ...(typeof output === 'number' && { outputTokens: output }),
    ...(typeof total === 'number' && { totalTokens: total }),
  }
}
