import { createParser } from 'eventsource-parser'
import { RivuletError } from '../errors.ts'

/** One event of a stream. */
export interface SseEvent {
  /** Its name; `message` when the block has none. */
  event: string
  data: string
  /** The id in its own block; `undefined` when the block has none. */
  id: string | undefined
}

/** What to do with what arrives. */
export interface SseDecoderOptions {
  onEvent: (event: SseEvent) => void
  onComment?: (comment: string) => void
  /** Reconnection time in milliseconds. */
  onRetry?: (delayMs: number) => void
  /** Longest event or line, in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
}

/** A decoder of one response body. */
export interface SseDecoder {
  /**
   * Takes the next piece, cut anywhere, also inside a character. Throws `LIMIT_EXCEEDED` when an event is longer than
   * allowed; the stream cannot be read on after that. What a callback throws comes out of here.
   */
  push(chunk: Uint8Array | string): void
  /** Id of the last block that had one, `""` before the first: kept over blocks without, as browsers keep it. */
  lastEventId(): string
}

/** Longest event that decoders take unless told otherwise, in characters. */
export const MAX_EVENT_BYTES: number = 16 * 1024 * 1024

/**
 * Reads an event stream as the HTML standard (section 9.2.6) says: LF, CRLF or CR, a leading BOM, comments, several
 * `data` lines, unknown fields, ids with NUL ignored. An event that is not closed by a blank line when the body ends is
 * not delivered.
 */
export function createSseDecoder(options: SseDecoderOptions): SseDecoder {
  let lastEventId = ''
  const push = createSsePush(options, (id) => {
    lastEventId = id
  })
  return { push, lastEventId: () => lastEventId }
}

/** {@link SseDecoder.push} by itself, for whoever has its place in the events: noting each id would cost a call an event. */
export function createSsePush(
  { onEvent, onComment, onRetry, maxEventBytes = MAX_EVENT_BYTES }: SseDecoderOptions,
  onId?: (id: string) => void,
): SseDecoder['push'] {
  // The parser drops the BOM itself, and only one: the text decoder must leave it in.
  const text = new TextDecoder('utf-8', { ignoreBOM: true })
  const parser = createParser({
    maxBufferSize: maxEventBytes,
    onEvent(message) {
      if (message.data.length > maxEventBytes) throw tooLong(maxEventBytes)
      message.event ??= 'message'
      // The parser makes an object for each event and keeps none: with its name it is what is handed on, without a copy.
      onEvent(message as SseEvent)
    },
    ...(onId && { onId }),
    onComment,
    onRetry,
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') throw tooLong(maxEventBytes)
    },
  })
  return (chunk) => parser.feed(typeof chunk === 'string' ? chunk : text.decode(chunk, { stream: true }))
}

function tooLong(maxEventBytes: number): RivuletError {
  return new RivuletError('LIMIT_EXCEEDED', `an event of the stream is longer than ${maxEventBytes} characters`)
}
