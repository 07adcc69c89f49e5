import { RivuletError } from '@rivulet/protocol'
import { fieldsOf, isFields } from './read-fields.ts'
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
  if (isFields(error) && 'error' in error) return reportedError(error, mayPass(error))
  return failed('The call of the model failed.', mayPass(error), error)
}

const UNREACHABLE = 'The model cannot be reached, or the connection to it broke. Check the connection and the address.'

/** The error for an answer that stopped before its end; `begun` says whether anything of it came. */
export function truncatedAnswer(begun: boolean): RivuletError {
  const how = begun
    ? 'The connection to the model ended before its answer did.'
    : 'The model answered without a stream. Check the address, and that the server can stream.'
  return failed(how, true, undefined)
}

/** The error for what came in place of a whole answer: an error with a status that says it is none, or another server's page. */
export function noAnswer(given: unknown): RivuletError {
  const { error } = fieldsOf(given)
  if (error !== undefined && error !== null) return failed('The model answered with an error.', mayPass(error), given)
  return failed('What came is no answer of a model. Check the address.', false, given)
}

/** The error for what a provider said in place of an answer's end. */
export function reportedError(cause: unknown, retryable: boolean): RivuletError {
  return failed('The model reported an error in the middle of its answer.', retryable, cause)
}

function failed(message: string, retryable: boolean, cause: unknown): RivuletError {
  return new RivuletError('PROVIDER_FAILED', message, { retryable, cause })
}
