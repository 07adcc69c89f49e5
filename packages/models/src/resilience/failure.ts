import { RivuletError } from '@rivulet/protocol'
import { fieldsOf, isFields, numberOf, textOf, type Fields } from '../read-fields.ts'

/** Errors lie inside of one another; deeper than this nobody says anything new. */
const MAX_DEPTH = 6

/**
 * Whether the same call may succeed later, by what its failure says of itself, whoever threw it: an error of ours, of a
 * provider's package, or of the network. It may: statuses 408, 409, 425, 429 and from 500 on, and connections that failed or
 * broke. It may not: any other status, a used-up quota, a stop, and what is unknown. A provider that says so itself
 * (`x-should-retry`) is believed.
 */
export function mayPass(error: unknown): boolean {
  const verdicts = chainOf(error).map(verdictOf)
  return verdicts.find((verdict) => verdict !== undefined) ?? false
}

/** How long the provider asks to wait, in ms; `nowMs` is the time since the epoch, for dates in `Retry-After`. */
export function retryAfterOf(error: unknown, nowMs: number): number | undefined {
  const delays = chainOf(error).map((one) => retryAfterIn(one, nowMs))
  return delays.find((delay) => delay !== undefined)
}

/** Whether it is the network that failed: nobody was reached, or the connection broke. */
export function isConnectionFailure(error: unknown): boolean {
  return chainOf(error).some(isOfConnection)
}

/** The HTTP status a failure carries. */
export function statusOf(error: unknown): number | undefined {
  return chainOf(error)
    .map(statusIn)
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
  const status = statusIn(error)
  if (status !== undefined) return isRetryableStatus(status)
  if (typeof error['isRetryable'] === 'boolean') return error['isRetryable']
  return isOfConnection(error) || isOverloaded(error) ? true : undefined
}

/** Errors in the middle of a stream have no status of their own; routers of models say the one behind them as its code. */
function statusIn({ status, statusCode, code }: Fields): number | undefined {
  const said = numberOf(status) ?? numberOf(statusCode)
  if (said !== undefined || typeof code !== 'number') return said
  return code >= 400 && code <= 599 ? code : undefined
}

function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500
}

const CONNECTION_CODES =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|UND_ERR_\w+)$/
const CONNECTION_WORDS =
  /fetch failed|failed to fetch|network ?error|load failed|terminated|socket hang up|other side closed/i

/** Whether the network failed, in the words of Node, the browsers and the providers' packages. */
function isOfConnection(error: Fields): boolean {
  if (error['name'] === 'TimeoutError' || CONNECTION_CODES.test(textOf(error['code']) ?? '')) return true
  if (!(error instanceof Error)) return false
  // The packages of OpenAI and Anthropic tell theirs by class and sentence only, and a bundler may rename the class.
  if (/^APIConnection(Timeout)?Error$/.test(error.constructor.name)) return true
  if (/^(Connection error|Request timed out)\.$/.test(error.message)) return true
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

function retryAfterIn(error: Fields, nowMs: number): number | undefined {
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
