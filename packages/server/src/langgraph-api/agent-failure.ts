import type { WireError } from '@rivulet/protocol'

/** A failure as the agent streaming protocol tells it. */
export interface AgentFailure {
  readonly type: 'error'
  readonly id: number | null
  readonly error: string
  readonly message: string
}

const CODES: Readonly<Partial<Record<WireError['code'], string>>> = {
  INVALID_INPUT: 'invalid_argument',
  INVALID_UPDATE: 'invalid_argument',
  UNSERIALIZABLE: 'invalid_argument',
  NOT_FOUND: 'no_such_run',
  CURSOR_GONE: 'no_such_checkpoint',
  AUTH_REQUIRED: 'permission_denied',
  FORBIDDEN: 'permission_denied',
  UNSUPPORTED: 'not_supported',
}

/** An error in the protocol's words; `id` is the command's that failed. */
export function failureOf(id: number | null, { code, message }: WireError): AgentFailure {
  return { type: 'error', id, error: CODES[code] ?? 'unknown_error', message }
}
