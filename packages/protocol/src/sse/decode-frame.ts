import { errorFromWire, RivuletError, type WireError } from '../errors.ts'
import type { RivuletEvent } from '../events/event.ts'
import type { Frame } from '../frame.ts'
import { parseCursor } from '../log/event-log.ts'
import { createSseDecoder, MAX_EVENT_BYTES, type SseEvent } from './decode-sse.ts'

/** Bounds of a {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Longest event or batch, in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
}

/** A decoder of one response body of the own wire. */
export interface FrameDecoder {
  /**
   * The frames that this piece completes; pieces may be cut anywhere. After something that ends the stream the frames
   * before it are still returned and {@link FrameDecoder.error} is set; the next call throws it, and this one does when
   * there is nothing to return.
   *
   * Throws `PROTOCOL_MISMATCH` for what is not the own wire (malformed JSON, an event without a cursor),
   * `LIMIT_EXCEEDED` for an event that is too long, and whatever the server said for this reader (`SLOW_CONSUMER`).
   */
  push(chunk: Uint8Array | string): Frame[]
  /** The body ended; what came of an event that was not complete is dropped. Throws {@link FrameDecoder.error}. */
  end(): void
  /** Why the stream cannot be read on. */
  readonly error: RivuletError | undefined
}

/**
 * Reads the own wire that `encodeFrame` writes. Events are taken as they come, whatever their type: validating each one
 * would cost more than parsing it, and the fold ignores and counts what it does not know.
 */
export function createFrameDecoder({ maxEventBytes = MAX_EVENT_BYTES }: FrameDecoderOptions = {}): FrameDecoder {
  const place: Place = { log: '', prefix: '', run: undefined }
  let frames: Frame[] = []
  let failure: RivuletError | undefined
  const decoder = createSseDecoder({
    maxEventBytes,
    onEvent: (event) => frames.push(decodeBlock(event, place)),
    onComment(comment) {
      if (!comment.startsWith('at ')) return
      const cursor = parseCursor(comment.slice('at '.length))
      if (cursor !== undefined) frames.push({ type: 'at', log: cursor.log, seq: cursor.seq })
    },
    onRetry: (delayMs) => frames.push({ type: 'retry', delayMs }),
  })
  function fail(): void {
    if (failure !== undefined) throw failure
  }
  return {
    push(chunk) {
      fail()
      frames = []
      try {
        decoder.push(chunk)
      } catch (error) {
        // Only our own errors are thrown by the callbacks above; the parser throws none before a limit was met.
        failure = error instanceof RivuletError ? error : mismatch('the stream cannot be read', error)
      }
      if (frames.length === 0) fail()
      return frames
    },
    end: fail,
    get error() {
      return failure
    },
  }
}

/** Where the connection stands: what the wire leaves out because it was said before. */
interface Place {
  log: string
  /** `<log>.`: ids of the same log are told by it without parsing. */
  prefix: string
  run: string | undefined
}

/** An event as JSON carries it: nothing is known of its fields but that it is an object. */
type Body = Record<string, unknown>

function decodeBlock({ event, data, id }: SseEvent, place: Place): Frame {
  const json = parse(event, data)
  if (id === undefined) {
    if (event === 'error' && isBody(json)) throw fatal(json)
    throw mismatch(`a ${event} event has no cursor`)
  }
  const seq = seqOf(id, place)
  if (event === 'batch') return { type: 'events', log: place.log, events: decodeBatch(json, seq, place) }
  if (!isBody(json)) throw mismatch(`the data of a ${event} event is not an object`)
  json['type'] = event
  return { type: 'events', log: place.log, events: [complete(json, seq, place)] }
}

function decodeBatch(json: unknown, last: number, place: Place): RivuletEvent[] {
  if (!Array.isArray(json)) throw mismatch('the data of a batch is not a list')
  let seq = 0
  const events = json.map((body: unknown) => {
    if (!isBody(body) || typeof body['type'] !== 'string') throw mismatch('an event of a batch has no type')
    seq = typeof body['seq'] === 'number' ? body['seq'] : seq + 1
    return complete(body, seq, place)
  })
  if (seq !== last) throw mismatch(`a batch ends at ${seq}, its cursor says ${last}`)
  return events
}

/** Adds what the wire left out. Written into the parsed object: it is ours alone, and copying it costs. */
function complete(body: Body, seq: number, place: Place): RivuletEvent {
  body['seq'] = seq
  if (body['type'] === 'sync') {
    body['log'] = place.log
  } else if (typeof body['run'] === 'string') {
    place.run = body['run']
  } else if (place.run !== undefined) {
    body['run'] = place.run
  }
  if (body['type'] === 'message.delta') body['part'] ??= 0
  // An object with type and seq; the fold checks the fields that it relies on and counts what lacks them.
  return body as unknown as RivuletEvent
}

function parse(event: string, data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (error) {
    throw mismatch(`the data of a ${event} event is not JSON`, error)
  }
}

function seqOf(id: string, place: Place): number {
  if (place.prefix !== '' && id.startsWith(place.prefix)) {
    const seq = Number(id.slice(place.prefix.length))
    if (Number.isSafeInteger(seq)) return seq
  }
  const cursor = parseCursor(id)
  if (cursor === undefined) throw mismatch(`${JSON.stringify(id.slice(0, 64))} is not a cursor`)
  place.log = cursor.log
  place.prefix = `${cursor.log}.`
  return cursor.seq
}

function fatal(json: Body): RivuletError {
  const { code, message } = json
  if (typeof code !== 'string' || typeof message !== 'string') return mismatch('the server ended the stream')
  // `errorFromWire` takes any text for a code; the optional fields only describe.
  return errorFromWire(json as unknown as WireError)
}

function isBody(json: unknown): json is Body {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function mismatch(sentence: string, cause?: unknown): RivuletError {
  return new RivuletError('PROTOCOL_MISMATCH', `not the expected stream: ${sentence}`, { cause })
}
