import { errorFromWire, RivuletError, type ErrorCode, type WireError } from '@rivulet/protocol'

/** Answers that a server gives for a while only. */
const PASSING: readonly number[] = [408, 425, 429, 502, 503, 504]

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_INPUT',
  401: 'AUTH_REQUIRED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'RUN_CONFLICT',
  410: 'CURSOR_GONE',
  413: 'LIMIT_EXCEEDED',
  422: 'INVALID_INPUT',
  429: 'LIMIT_EXCEEDED',
}

/** The error that an answer other than 2xx stands for: the one its JSON body names, else one made of its status. */
export async function errorOfResponse(response: Response): Promise<RivuletError> {
  const { status, type } = response
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    discardBody(response)
    return new RivuletError('PROTOCOL_MISMATCH', `${addressOf(response)} redirects`)
  }
  const wire = wireErrorIn(await response.text().catch(() => ''))
  const isPassing = PASSING.includes(status)
  const retryable = wire?.retryable ?? isPassing
  const code = CODES[status] ?? (isPassing ? 'DISCONNECTED' : 'INTERNAL')
  return errorFromWire({ code, message: `${addressOf(response)} answered ${status}`, ...wire, retryable })
}

function wireErrorIn(text: string): WireError | undefined {
  try {
    // Any JSON at all; what is looked at is checked, and to look into `null` throws.
    const { error } = JSON.parse(text) as { error?: WireError }
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : undefined
  } catch {
    return undefined
  }
}

/** Milliseconds that the `retry-after` header asks to wait, given in seconds or as a date; `undefined` without one. */
export function retryAfterOf(response: Response, epochMs: number): number | undefined {
  const value = response.headers.get('retry-after')
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - epochMs
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** Where the answer came from, without what a query or a fragment may give away. */
export function addressOf(response: Response): string {
  return response.url.replace(/[?#].*/, '') || 'the server'
}

/** Lets go of a body that nobody will read, without waiting for it. */
export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => {})
}
