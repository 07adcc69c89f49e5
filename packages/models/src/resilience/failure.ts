import { RivuletError } from '@rivulet/protocol'
import { fieldsOf, isFields, numberOf, textOf, type Fields } from '../read-fields.ts'

/** How a call failed, as far as trying it again is concerned. */
export interface Failure {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** How long the provider asks to wait, in ms. */
  readonly retryAfterMs: number | undefined
}

/** Errors lie inside of one another; deeper than this nobody says anything new. */
const MAX_DEPTH = 6

/**
 * What a failure says of itself, whoever threw it: an error of ours, of a provider's package, or of the network. May be
 * tried again: statuses 408, 409, 425, 429 and from 500 on, and connections that failed or broke. May not: any other
 * status, a used-up quota, a stop, and what is unknown. A provider that says so itself (`x-should-retry`) is believed.
 * `nowMs` is the time since the epoch, for dates in `Retry-After`.
 */
export function failureOf(error: unknown, nowMs: number): Failure {
  const chain = chainOf(error)
  const retryAfterMs = chain.map((one) => retryAfterOf(one, nowMs)).find((delay) => delay !== undefined)
  const verdicts = chain.map(verdictOf).filter((verdict) => verdict !== undefined)
  return { retryable: verdicts[0] ?? false, retryAfterMs }
}

/** The HTTP status a failure carries. */
export function statusOf(error: unknown): number | undefined {
  return chainOf(error)
    .map((one) => numberOf(one['status']) ?? numberOf(one['statusCode']))
    .find((status) => status !== undefined)
}

function chainOf(error: unknown): readonly Fields[] {
  const chain: Fields[] = []
  for (let one = error; isFields(one) && chain.length < MAX_DEPTH; one = one['cause']) chain.push(one)
  return chain
}

/** Whether this one error says that another try may help; `undefined` when it does not say. */
function verdictOf(error: Fields): boolean | undefined {
  if (error instanceof RivuletError) return error.retryable || error.code === 'NODE_TIMEOUT'
  const name = textOf(error['name'])
  if (name === 'AbortError' || name === 'APIUserAbortError') return false
  const said = headerOf(error, 'x-should-retry')
  if (said === 'true' || said === 'false') return said === 'true'
  if (error['code'] === 'insufficient_quota') return false
  const status = numberOf(error['status']) ?? numberOf(error['statusCode'])
  if (status !== undefined) return isRetryableStatus(status)
  if (typeof error['isRetryable'] === 'boolean') return error['isRetryable']
  return isConnectionFailure(error, name) || isOverloaded(error) ? true : undefined
}

function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500
}

const CONNECTION_CODES =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|UND_ERR_\w+)$/
const CONNECTION_WORDS =
  /fetch failed|failed to fetch|network ?error|load failed|terminated|socket hang up|other side closed/i

/** Whether the network failed, in the words of Node, the browsers and the providers' packages. */
function isConnectionFailure(error: Fields, name: string | undefined): boolean {
  if (name === 'APIConnectionError' || name === 'APIConnectionTimeoutError' || name === 'TimeoutError') return true
  // The packages of OpenAI and Anthropic name their errors by their classes only.
  if (/^APIConnection(Timeout)?Error$/.test(error.constructor.name)) return true
  if (CONNECTION_CODES.test(textOf(error['code']) ?? '')) return true
  return error instanceof TypeError && CONNECTION_WORDS.test(error.message)
}

/** Errors in the middle of a stream have no status; what they are about stands in their type. */
function isOverloaded(error: Fields): boolean {
  const inner = fieldsOf(error['error'])
  const types = [error['type'], error['code'], inner['type'], inner['code'], fieldsOf(inner['error'])['type']]
  return types.some(
    (type) => typeof type === 'string' && /^(overloaded|api|server|timeout|rate_limit)_?(error|exceeded)/.test(type),
  )
}

function retryAfterOf(error: Fields, nowMs: number): number | undefined {
  const ms = Number(headerOf(error, 'retry-after-ms') ?? NaN)
  if (Number.isFinite(ms) && ms >= 0) return ms
  const said = headerOf(error, 'retry-after')?.trim()
  if (said === undefined || said === '') return undefined
  if (/^\d+(\.\d+)?$/.test(said)) return Number(said) * 1000
  const date = Date.parse(said)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}

/** A header of the answer that an error is about; names are in lower case. */
function headerOf(error: Fields, name: string): string | undefined {
  const places = [error['headers'], error['responseHeaders'], fieldsOf(error['response'])['headers']]
  for (const headers of places) {
    if (headers instanceof Headers) return headers.get(name) ?? undefined
    if (!isFields(headers)) continue
    const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name)
    if (entry !== undefined) return String(entry[1])
  }
  return undefined
}
