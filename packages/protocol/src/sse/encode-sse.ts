import { RivuletError } from '../errors.ts'

/** One block of an event stream. Fields that are left out are not written. */
export interface SseFields {
  /** A comment: no event, but it keeps the connection awake. Each of its lines becomes a comment line. */
  comment?: string | undefined
  /** Last event id from here on. */
  id?: string | undefined
  /** Event name. Without one a browser's `EventSource` calls it `message`. */
  event?: string | undefined
  /** Payload; each of its lines becomes a `data` line. Without it the block is no event. */
  data?: string | undefined
  /** Reconnection time in milliseconds. */
  retry?: number | undefined
}

/**
 * Writes one block of an event stream, `id` before `event` before `data`, closed by a blank line (HTML standard,
 * section 9.2.5). What is in a field cannot become another field: line ends inside `data` and comments start a new line
 * of the same kind, and an `id` or `event` with CR, LF or NUL throws `INVALID_INPUT`, as does a `retry` that is not a
 * whole number of milliseconds. CR and CRLF inside `data` arrive as LF: the format has no other form for them.
 */
export function encodeSse({ comment, id, event, data, retry }: SseFields): string {
  let block = ''
  if (comment !== undefined) block += lines(': ', comment)
  if (retry !== undefined) block += `retry: ${wholeNumber(retry)}\n`
  if (id !== undefined) block += `id: ${oneLine('id', id)}\n`
  if (event !== undefined) block += `event: ${oneLine('event', event)}\n`
  if (data !== undefined) block += lines('data: ', data)
  return `${block}\n`
}

function lines(prefix: string, text: string): string {
  if (!text.includes('\n') && !text.includes('\r')) return `${prefix}${text}\n`
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `${prefix}${line}\n`)
    .join('')
}

function oneLine(field: string, text: string): string {
  if (text.includes('\n') || text.includes('\r') || text.includes('\0')) {
    throw new RivuletError('INVALID_INPUT', `an event stream's ${field} cannot hold ${JSON.stringify(text)}`)
  }
  return text
}

function wholeNumber(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RivuletError('INVALID_INPUT', `retry must be a whole number of milliseconds, not ${value}`)
}
