import type { WireError } from '../errors.ts'
import type { RivuletEvent } from '../events/event.ts'
import type { Frame } from '../frame.ts'
import { formatCursor } from '../log/event-log.ts'
import { encodeSse, type SseFields } from './encode-sse.ts'

/** What a connection has been told already and need not be told again. One for each response body. */
export interface WireState {
  /** Run of the last event that was written. */
  run: string | undefined
}

/** The state of a connection before its first frame. */
export function wireState(): WireState {
  return { run: undefined }
}

/** Names that stand on an `event:` line as they are; `batch` is the wire's own. */
const PLAIN_NAME = /^(?!batch$)[\w.:-]+$/

/**
 * Writes a frame for the own wire over SSE. An event is `id: <log>.<seq>`, `event: <type>` and its other fields as JSON
 * in `data`; `run` is left out while it is the one of the event before it on this connection, which `wire` remembers,
 * and the `part` of a delta while it is 0, as most are.
 * Several events are one `event: batch`: a JSON array of events with their `type`, and with their `seq` where it is not
 * the one before plus 1; `id` is the last one's cursor. A heartbeat is the comment `: at <log>.<seq>`. A frame without
 * events is the empty string.
 */
export function encodeFrame(frame: Frame, wire: WireState): string {
  if (frame.type === 'at') return encodeSse({ comment: `at ${formatCursor(frame.log, frame.seq)}` })
  if (frame.type === 'retry') return encodeSse({ retry: frame.delayMs })
  return encodeEvents(frame.log, frame.events, wire, encodeSse)
}

/**
 * Writes a frame for the own wire over WebSocket: the same fields as {@link encodeFrame} as one JSON object, with `data`
 * as the value itself; a heartbeat is `{ "at" }`. A frame without events is the empty string.
 */
export function encodeSocketFrame(frame: Frame, wire: WireState): string {
  if (frame.type === 'at') return JSON.stringify({ at: formatCursor(frame.log, frame.seq) })
  if (frame.type === 'retry') return JSON.stringify({ retry: frame.delayMs })
  return encodeEvents(frame.log, frame.events, wire, socketBlock)
}

/** Writes {@link encodeFatal} for a WebSocket. */
export function encodeSocketFatal(error: WireError): string {
  return socketBlock({ event: 'error', data: JSON.stringify(error) })
}

/** The block as JSON; its data is JSON text already. */
function socketBlock({ id, event, data }: SseFields): string {
  const place = id === undefined ? '' : `"id":${JSON.stringify(id)},`
  return `{${place}"event":${JSON.stringify(event)},"data":${data}}`
}

/**
 * Writes what ends the stream for this reader alone, such as `SLOW_CONSUMER`. It is no event of the log, so it has no
 * id: that is how a reader tells it from an `error` event, after which a run goes on.
 */
export function encodeFatal(error: WireError): string {
  return encodeSse({ event: 'error', data: JSON.stringify(error) })
}

function encodeEvents(
  log: string,
  events: readonly RivuletEvent[],
  wire: WireState,
  write: (fields: SseFields) => string,
): string {
  const last = events.at(-1)
  if (last === undefined) return ''
  const id = formatCursor(log, last.seq)
  if (events.length === 1 && PLAIN_NAME.test(last.type)) {
    return write({ id, event: last.type, data: JSON.stringify(bodyOf(last, wire)) })
  }
  let before: number | undefined
  const elements = events.map((event) => {
    const { type, seq } = event
    const place = before === undefined || seq !== before + 1 ? { type, seq } : { type }
    before = seq
    return { ...place, ...bodyOf(event, wire) }
  })
  return write({ id, event: 'batch', data: JSON.stringify(elements) })
}

/** The event without what stands beside it on the wire or is known to the connection. */
function bodyOf(event: RivuletEvent, wire: WireState): object {
  if (event.type === 'sync') {
    const { type: _type, seq: _seq, log: _log, ...body } = event
    return body
  }
  const { type: _type, seq, prev, run, ...body } = event
  const known = run === wire.run
  wire.run = run
  return {
    ...body,
    // Not written by JSON; deleting it would cost more.
    ...(event.type === 'message.delta' && event.part === 0 && { part: undefined }),
    ...(!known && { run }),
    ...(prev !== undefined && prev !== seq - 1 && { prev }),
  }
}
