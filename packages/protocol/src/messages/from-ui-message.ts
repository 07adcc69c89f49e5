import {
  addCallOnce,
  addFile,
  addReasoning,
  addText,
  argsText,
  type Body,
  type Fields,
  firstString,
  isFields,
} from './content.ts'
import { type Draft, invalid, roleOf } from './draft.ts'
import { toJson } from '../json.ts'

/** Whether `input` is an AI SDK UI message: its content is a list of parts that have a `type`. */
export function isUiMessage(input: Fields): boolean {
  const parts = input['parts']
  if (!Array.isArray(parts)) return false
  return parts.length === 0
    ? input['content'] === undefined
    : isFields(parts[0]) && typeof parts[0]['type'] === 'string'
}

/** Reads a UI message. Throws `INVALID_INPUT` for a part without a type. */
export function readUiMessage(input: Fields, where: string): Draft {
  const body: Body = { text: '', parts: [], toolCalls: [] }
  const parts: readonly unknown[] = Array.isArray(input['parts']) ? input['parts'] : []
  parts.forEach((part, i) => {
    const type = isFields(part) ? part['type'] : undefined
    if (!isFields(part) || typeof type !== 'string') throw invalid(`${where}.parts[${i}].type is missing`)
    addPart(body, type, part, `${where}.parts[${i}]`)
  })
  return {
    id: input['id'],
    role: roleOf(input['role'], `${where}.role`),
    body,
    ...(isFields(input['metadata']) && { meta: { metadata: toJson(input['metadata']) as Fields } }),
  }
}

function addPart(body: Body, type: string, part: Fields, where: string): void {
  if (type === 'dynamic-tool') return addTool(body, part['toolName'], part, where)
  if (type.startsWith('tool-')) return addTool(body, type.slice('tool-'.length), part, where)
  switch (type) {
    case 'text':
      return addText(body, firstString(part['text']) ?? '')
    case 'reasoning':
      return addReasoning(body, firstString(part['text']) ?? '')
    case 'file':
      return addFile(body, 'file', part)
    // Where one call of the model ends and the next begins: nothing a reader sees.
    case 'step-start':
      return undefined
    default: {
      const name = type.startsWith('data-') ? type.slice('data-'.length) : type
      body.parts.push({ kind: 'data', name, value: toJson('data' in part ? part['data'] : part) })
    }
  }
}

/** A part that holds a call and, when the tool has run, its output. */
function addTool(body: Body, name: unknown, part: Fields, where: string): void {
  const toolCallId = part['toolCallId']
  if (typeof toolCallId !== 'string') throw invalid(`${where}.toolCallId must be text`)
  if (typeof name !== 'string') throw invalid(`${where}.toolName must be text`)
  addCallOnce(body, { id: toolCallId, name, args: argsText(part['input'] ?? part['rawInput']) })
  const answer: Fields | undefined =
    typeof part['errorText'] === 'string'
      ? { toolCallId, errorText: part['errorText'] }
      : part['output'] === undefined
        ? undefined
        : { toolCallId, output: part['output'] }
  if (answer !== undefined) body.parts.push({ kind: 'data', name: 'tool-output', value: toJson(answer) })
}
