/**
 * One entry per failure a caller can act on. Renaming one is a breaking change.
 *
 * - `INVALID_INPUT`: what the caller sent has the wrong shape; the message says where.
 * - `INVALID_GRAPH`: the graph itself is wrong (unknown node, no way in); thrown at `compile()`.
 * - `INVALID_UPDATE`: two nodes wrote one key in the same step, or a node returned something that is no update.
 * - `NODE_FAILED`: a node threw; `node` names it and `cause` is what it threw, untouched.
 * - `NODE_TIMEOUT`: a node ran longer than its time, or was silent for too long.
 * - `RECURSION_LIMIT`: the graph took more steps than allowed without ending.
 * - `CANCELLED`: the run was stopped on purpose.
 * - `NO_CONTEXT`: a function that needs a running node was called outside of one.
 * - `UNSERIALIZABLE`: a value that must be JSON is not (function, symbol, bigint, cycle).
 * - `PROVIDER_FAILED`: a model's provider failed; `retryable` says whether trying again may help.
 * - `PROTOCOL_MISMATCH`: what arrived is not the protocol that was expected (an HTML page, another version).
 * - `STREAM_GAP`: an event is missing between what we have and what arrived; a resync follows.
 * - `LIMIT_EXCEEDED`: a bound on size, count or time was reached.
 * - `MODE_NOT_RECORDED`: a reader asked for a mode that the run did not record.
 * - `CURSOR_GONE`: the log no longer holds what follows this cursor; read a snapshot instead.
 * - `RUN_CONFLICT`: the thread is busy with another run.
 * - `SLOW_CONSUMER`: the reader fell too far behind and was dropped; it may resume.
 * - `DISCONNECTED`: the connection is gone and the retries are used up.
 * - `RUN_LOST`: the server stopped during the run, which cannot go on: its graph remembers nothing, or it was lost too often.
 * - `AUTH_REQUIRED`, `FORBIDDEN`, `NOT_FOUND`, `UNSUPPORTED`, `UNSUPPORTED_MEDIA_TYPE`: as in HTTP.
 * - `INTERNAL`: a defect of ours or of a store; the cause is in the server's log.
 */
export const errorCodes = [
  'INVALID_INPUT',
  'INVALID_GRAPH',
  'INVALID_UPDATE',
  'NODE_FAILED',
  'NODE_TIMEOUT',
  'RECURSION_LIMIT',
  'CANCELLED',
  'NO_CONTEXT',
  'UNSERIALIZABLE',
  'PROVIDER_FAILED',
  'PROTOCOL_MISMATCH',
  'STREAM_GAP',
  'LIMIT_EXCEEDED',
  'MODE_NOT_RECORDED',
  'CURSOR_GONE',
  'RUN_CONFLICT',
  'SLOW_CONSUMER',
  'DISCONNECTED',
  'RUN_LOST',
  'AUTH_REQUIRED',
  'FORBIDDEN',
  'NOT_FOUND',
  'UNSUPPORTED',
  'UNSUPPORTED_MEDIA_TYPE',
  'INTERNAL',
] as const

/** A failure's name; see {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number]

/** Where and how something failed, beside its code and sentence. */
export interface ErrorDetails {
  /** Whether the same call may succeed later. Default `false`. */
  retryable?: boolean | undefined
  /** Id of the run it happened in. */
  run?: string | undefined
  /** Graph node it happened in. */
  node?: string | undefined
  /** What lay beneath, untouched. Never crosses the wire. */
  cause?: unknown
}

/** An error as it crosses the wire: no stack, no cause. */
export interface WireError {
  code: ErrorCode
  message: string
  retryable?: boolean
  run?: string
  node?: string
}

/** Every error we throw on purpose. Branch on `code`; read `cause` for what lay beneath. */
export class RivuletError extends Error {
  override readonly name = 'RivuletError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly run: string | undefined
  readonly node: string | undefined

  constructor(code: ErrorCode, message: string, { retryable = false, run, node, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable
    this.run = run
    this.node = node
  }

  /** The wire form, which is also what `JSON.stringify` writes. */
  toJSON(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.retryable && { retryable: true }),
      ...(this.run !== undefined && { run: this.run }),
      ...(this.node !== undefined && { node: this.node }),
    }
  }
}

/** The error a {@link WireError} describes. An unknown code becomes `INTERNAL`; the sentence is kept. */
export function errorFromWire(wire: WireError): RivuletError {
  const code = errorCodes.includes(wire.code) ? wire.code : 'INTERNAL'
  return new RivuletError(code, wire.message, wire)
}

/** `error` itself when it is ours, else a `RivuletError` of `code` around it. Never throws, whatever was thrown. */
export function toRivuletError(error: unknown, code: ErrorCode = 'INTERNAL', details: ErrorDetails = {}): RivuletError {
  if (error instanceof RivuletError) return error
  return new RivuletError(code, messageOfThrown(error), { ...details, cause: error })
}

/** The sentence in whatever was thrown: an error's message, a string itself, else its text. Never throws. */
export function messageOfThrown(error: unknown): string {
  if (error instanceof Error) return error.message
  if (typeof error === 'string') return error
  try {
    return String(error)
  } catch {
    return 'a value that cannot be described was thrown'
  }
}
