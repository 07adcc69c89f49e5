import { errorFromWire, type RivuletError, type WireError } from '../errors.ts'
import type { RivuletEvent } from '../events/event.ts'
import type { Frame } from '../frame.ts'
import { parseCursor } from '../log/event-log.ts'
import { mismatch } from './parse-json.ts'

/**
 * Reads one block of the own wire: the fields of an event stream's block, `data` as a value. Over a WebSocket a block is
 * a frame. Throws `PROTOCOL_MISMATCH` for what is no block of ours, and what the server said for this reader alone.
 */
export type BlockReader = (event: string, id: string | undefined, data: unknown) => Frame

/** A reader for one connection, which remembers what the wire does not repeat. */
export function createBlockReader(): BlockReader {
  const place: Place = { log: '', prefix: '', run: undefined }
  return (event, id, data) => readBlock(event, id, data, place)
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

function readBlock(event: string, id: string | undefined, json: unknown, place: Place): Frame {
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

function seqOf(id: string, place: Place): number {
  if (place.prefix !== '' && id.startsWith(place.prefix)) {
    const seq = wholeNumberAt(id, place.prefix.length)
    if (seq !== undefined) return seq
  }
  const cursor = parseCursor(id)
  if (cursor === undefined) throw mismatch(`${JSON.stringify(id.slice(0, 64))} is not a cursor`)
  place.log = cursor.log
  place.prefix = `${cursor.log}.`
  return cursor.seq
}

/** The number that a text ends with, read digit by digit: with its own text for each it would cost as much as its JSON. */
function wholeNumberAt(text: string, start: number): number | undefined {
  const length = text.length - start
  if (length < 1 || length > MAX_DIGITS) return undefined
  let value = 0
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
}

const ZERO = 48
/** As many as a whole number holds exactly. */
const MAX_DIGITS = 15

function fatal(json: Body): RivuletError {
  const { code, message } = json
  if (typeof code !== 'string' || typeof message !== 'string') return mismatch('the server ended the stream')
  // `errorFromWire` takes any text for a code; the optional fields only describe.
  return errorFromWire(json as unknown as WireError)
}

function isBody(json: unknown): json is Body {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
