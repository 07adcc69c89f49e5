import { RivuletError } from '@rivulet/protocol'
import { APIConnectionError, APIError } from 'openai'

/**
 * What a failed call means to the person at the page, as `PROVIDER_FAILED`. The provider's own words stay in `cause`,
 * since they can hold parts of the key or of the conversation.
 */
export function providerError(error: unknown): unknown {
  if (error instanceof APIConnectionError) {
    return failed('The model cannot be reached. Check the connection and OPENAI_BASE_URL.', true, error)
  }
  if (!(error instanceof APIError)) return error
  // Typed as the generic parameter's bound, which is loose; a status is a number or missing.
  const status = error.status as number | undefined
  if (status === undefined) return failed('The model reported an error in the middle of its answer.', true, error)
  const retryable = status === 408 || status === 409 || status === 429 || status >= 500
  return failed(`The model answered with status ${status}${hints.get(status) ?? '.'}`, retryable, error)
}

/** The error for an answer that stopped before its end. */
export function truncatedAnswer(): RivuletError {
  return failed('The connection to the model ended before its answer did.', true)
}

const hints: ReadonlyMap<number, string> = new Map([
  [400, ': it did not accept the conversation.'],
  [401, ': check OPENAI_API_KEY.'],
  [403, ': the key may not use this model.'],
  [404, ': check OPENAI_MODEL and OPENAI_BASE_URL.'],
  [429, ': it is busy, or the quota is used up. Try again in a moment.'],
])

function failed(message: string, retryable: boolean, cause?: unknown): RivuletError {
  return new RivuletError('PROVIDER_FAILED', message, { retryable, cause })
}
