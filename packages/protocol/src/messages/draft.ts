import { RivuletError } from '../errors.ts'
import type { Body } from './content.ts'
import type { Message, MessageMeta, Role } from './message.ts'

/** A message whose form is known, before it has its id and its defaults. */
export interface Draft {
  id: unknown
  role: Role
  body: Body
  toolCallId?: string | undefined
  name?: string | undefined
  meta?: MessageMeta | undefined
}

const ROLES: Readonly<Record<string, Role>> = Object.freeze({
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  ai: 'assistant',
  system: 'system',
  developer: 'system',
  tool: 'tool',
  function: 'tool',
})

/** The role that `name` means, developer and function included. Throws `INVALID_INPUT` when it means none. */
export function roleOf(name: unknown, where: string): Role {
  const role = typeof name === 'string' && Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
  if (role !== undefined) return role
  const given = typeof name === 'string' ? JSON.stringify(name) : nameOf(name)
  throw invalid(`${where} must be user, assistant, system, developer or tool, not ${given}`)
}

/** Puts a draft together. Throws `INVALID_INPUT` for an id that is no text. */
export function finishDraft(draft: Draft, makeId: () => string, where: string): Message {
  const { id, role, body, name, meta } = draft
  if (id !== undefined && id !== null && (typeof id !== 'string' || id === '')) {
    throw invalid(`${where}.id must be a text that is not empty`)
  }
  const toolCallId = draft.toolCallId ?? body.answers
  const onlyText = body.parts.every((part) => part.kind === 'text')
  return {
    id: id ?? makeId(),
    role,
    content: body.text,
    ...(!onlyText && { parts: body.parts }),
    ...(body.toolCalls.length > 0 && { toolCalls: body.toolCalls }),
    ...(toolCallId !== undefined && { toolCallId }),
    ...(name !== undefined && { name }),
    ...(meta !== undefined && { meta }),
  }
}

/** What kind of value this is, for an error's sentence. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value
}

/** The error for input of the wrong shape. */
export function invalid(sentence: string): RivuletError {
  return new RivuletError('INVALID_INPUT', sentence)
}
