import { RivuletError } from '@rivulet/protocol'
import { isConnectionFailure, mayPass, statusOf } from './resilience/failure.ts'

const HINTS: ReadonlyMap<number, string> = new Map([
  [400, ': it did not accept the conversation.'],
  [401, ': check the API key.'],
  [403, ': the key may not use this model.'],
  [404, ': check the name of the model and the address.'],
  [413, ': the conversation is too large.'],
  [422, ': it did not accept the conversation.'],
  [429, ': it is busy, or the quota is used up. Try again in a moment.'],
])

/**
 * What a failed call means to the person who waits for the answer, as `PROVIDER_FAILED`. The provider's own words stay in
 * `cause`, since they can hold parts of the key or of the conversation. What was stopped fails with the reason of that.
 */
export function providerError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof RivuletError) return error
  const status = statusOf(error)
  if (status !== undefined) {
    return failed(`The model answered with status ${status}${HINTS.get(status) ?? '.'}`, mayPass(error), error)
  }
  if (isConnectionFailure(error)) return failed(UNREACHABLE, true, error)
  return reportedError(error, mayPass(error))
}

const UNREACHABLE = 'The model cannot be reached, or the connection to it broke. Check the connection and the address.'

/** The error for an answer that stopped before its end. */
export function truncatedAnswer(): RivuletError {
  return failed('The connection to the model ended before its answer did.', true, undefined)
}

/** The error for what a provider said in place of an answer's end. */
export function reportedError(cause: unknown, retryable: boolean): RivuletError {
  return failed('The model reported an error in the middle of its answer.', retryable, cause)
}

function failed(message: string, retryable: boolean, cause: unknown): RivuletError {
  return new RivuletError('PROVIDER_FAILED', message, { retryable, cause })
}
