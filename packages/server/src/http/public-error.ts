import { RivuletError, type ErrorCode } from '@rivulet/protocol'

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_INPUT: 400,
  INVALID_UPDATE: 400,
  UNSERIALIZABLE: 400,
  MODE_NOT_RECORDED: 400,
  AUTH_REQUIRED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RUN_CONFLICT: 409,
  CURSOR_GONE: 410,
  LIMIT_EXCEEDED: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNSUPPORTED: 501,
  DISCONNECTED: 503,
}

/**
 * The HTTP status that an error is answered with: 429 where a limit is one of the moment, 500 for what is the server's
 * own fault.
 */
export function statusOf({ code, retryable }: RivuletError): number {
  if (code === 'LIMIT_EXCEEDED' && retryable) return 429
  return STATUS[code] ?? 500
}

/**
 * What a stranger may be told of an error: an error of ours as it is (its wire form has neither stack nor cause), and of
 * anything else, whose text may hold a path or a secret, only that it happened.
 */
export function publicError(error: unknown): RivuletError {
  if (error instanceof RivuletError && error.code !== 'INTERNAL') return error
  return new RivuletError('INTERNAL', 'the server failed; its operator can see why')
}
