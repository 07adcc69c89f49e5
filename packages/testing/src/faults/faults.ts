import type { RivuletEvent } from '@rivulet/protocol'
import type { Act, ByteFault, Fault } from './act.ts'
import { afterBytes, bytesAct, held, inPieces, onBytes, seededLengths } from './on-bytes.ts'
import { frameOf, instead, onEvents } from './on-frames.ts'

/** How a connection ends when it is cut: closed as after a whole answer, broken off, or silent for ever. */
export type CutKind = 'fin' | 'rst' | 'stall'

/** Where a connection is cut: behind this event of the log on this connection, counted from 1, or behind this byte. */
export type CutPlace = { afterEvent: number } | { atByte: number }

/** How an answer other than the expected one looks. */
export interface StatusOptions {
  /** Seconds, or the date as HTTP writes it. */
  retryAfter?: number | string
  headers?: Readonly<Record<string, string>>
  /** The body, as JSON. Default: a sentence, as plain text. */
  body?: unknown
}

const HTML = '<!doctype html><html><title>Sign in</title><body>Please sign in to go on.</body></html>'
const encoder = new TextEncoder()

function cut(place: { atByte: number }, how?: CutKind): ByteFault
function cut(place: CutPlace, how?: CutKind): Fault
function cut(place: CutPlace, how: CutKind = 'fin'): Fault {
  const end: Act = how === 'stall' ? { type: 'stall' } : { type: 'close', how }
  if ('atByte' in place) return afterBytes(place.atByte, end)
  const last = place.afterEvent
  if (last === 0) return onEvents(() => [end])
  return onEvents((event, n, log) => (n === last ? [frameOf(log, [event]), end] : undefined))
}

function split(how: 'byte' | number): ByteFault
function split(how: 'byte' | 'crlf' | number): Fault
function split(how: 'byte' | 'crlf' | number): Fault {
  if (how === 'byte') return inPieces(() => () => 1)
  if (typeof how === 'number') return inPieces(() => seededLengths(how))
  return { ...onBytes(() => crlfPieces), on: 'text' }
}

/** Line ends become CRLF, and every piece ends between the two. */
function crlfPieces(bytes: Uint8Array): Act[] {
  const LF = 10
  const CR = 13
  const acts: Act[] = []
  let from = 0
  let isAfterBreak = false
  bytes.forEach((byte, i) => {
    if (byte !== LF) return
    const line = [...(isAfterBreak ? [LF] : []), ...bytes.subarray(from, i), CR]
    acts.push(bytesAct(Uint8Array.from(line)))
    isAfterBreak = true
    from = i + 1
  })
  const rest = [...(isAfterBreak ? [LF] : []), ...bytes.subarray(from)]
  return rest.length === 0 ? acts : [...acts, bytesAct(Uint8Array.from(rest))]
}

/** What can go wrong between a backend and a page; see {@link faults}. */
export interface Faults {
  /** The connection ends in the middle. Default `fin`. */
  cut: typeof cut
  /**
   * The same bytes in other pieces: one by one, at random for this seed, or with CRLF line ends, each cut in the middle.
   */
  split: typeof split
  /** An event comes twice. */
  duplicate(place: { event: number }): Fault
  /** An event does not come. */
  drop(place: { event: number }): Fault
  /** The answer comes only when a connection opened later has been answered to its end. */
  reorder(): Fault
  /** Every piece comes later than the one before it, by this time in milliseconds. */
  delay(delayMs: number): ByteFault
  /** Another answer than the stream. */
  status(status: number, options?: StatusOptions): Fault
  /** A page for people where a stream was expected, with status 200, as proxies and sign-in walls answer. */
  html(): Fault
  /** Holds bytes back until there are this many, or the end comes, as a proxy that compresses does. Default 16 KiB. */
  buffer(bytes?: number): ByteFault
  /** Behind this event comes one line of this many bytes. Default: 17 MiB, beyond what clients take. */
  oversize(options: { afterEvent: number; bytes?: number }): Fault
  /**
   * Behind this event comes one that breaks whoever trusts it: with `fields` (the default) JSON with fields of the wrong
   * types under a cursor that was sent before, with `json` data that is no JSON.
   */
  poison(options: { afterEvent: number; kind?: 'fields' | 'json' }): Fault
  /** Behind this event the connection is open and dead: nothing comes, and nobody closes it. */
  halfOpen(place: { afterEvent: number }): Fault
}

/**
 * Faults by name. Events and bytes are counted on the connection that the fault is on, from 1; what only says where a
 * reader stands (`sync`) does not count. Hand them to a delivery: `memoryTransport(pump, { faults: [faults.cut({
 * afterEvent: 3 })] })` has the first connection cut and every later one whole.
 */
export const faults: Faults = {
  cut,
  split,
  duplicate: ({ event }) =>
    onEvents((one, n, log) => (n === event ? [frameOf(log, [one]), frameOf(log, [one])] : undefined)),
  drop: ({ event }) => onEvents((_one, n) => (n === event ? [] : undefined)),
  reorder: () => heldHead(),
  delay: (delayMs) => onBytes(() => (bytes) => [{ type: 'wait', delayMs }, bytesAct(bytes)]),
  status: (status, options = {}) =>
    answer(status, options.body === undefined ? 'text/plain' : 'application/json', bodyOf(status, options), {
      ...(options.retryAfter !== undefined && { 'retry-after': String(options.retryAfter) }),
      ...options.headers,
    }),
  html: () => answer(200, 'text/html; charset=utf-8', HTML),
  buffer: (bytes = 16 * 1024) => held(bytes),
  oversize: ({ afterEvent, bytes = 17 * 1024 * 1024 }) =>
    onEvents((event, n, log) => (n === afterEvent ? [frameOf(log, [event]), ...longLine(bytes)] : undefined)),
  poison: ({ afterEvent, kind = 'fields' }) =>
    onEvents((event, n, log) => (n === afterEvent ? [frameOf(log, [event]), poisonOf(event, log, kind)] : undefined)),
  halfOpen: ({ afterEvent }) => cut({ afterEvent }, 'stall'),
}

function heldHead(): Fault {
  return { on: 'frames', begin: () => (act) => (act.type === 'head' ? [{ type: 'hold' }, act] : [act]) }
}

function answer(
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Fault {
  return instead([
    { type: 'head', status, headers: { 'content-type': contentType, ...headers } },
    bytesAct(encoder.encode(body)),
    { type: 'close', how: 'fin' },
  ])
}

function bodyOf(status: number, { body }: StatusOptions): string {
  return body === undefined ? `the server answers ${status}` : JSON.stringify(body)
}

/** A piece of it at a time: who collects them all must notice by himself. */
function longLine(bytes: number): Act[] {
  const PIECE = 64 * 1024
  const piece = new Uint8Array(PIECE).fill('x'.charCodeAt(0))
  const begin = bytesAct(encoder.encode('data: '))
  const whole = Array.from({ length: Math.floor(bytes / PIECE) }, () => bytesAct(piece))
  return [begin, ...whole, bytesAct(piece.subarray(0, bytes % PIECE)), bytesAct(encoder.encode('\n\n'))]
}

function poisonOf(event: RivuletEvent, log: string, kind: 'fields' | 'json'): Act {
  if (kind === 'json')
    return bytesAct(encoder.encode(`id: ${log}.${event.seq}\nevent: message.delta\ndata: {"text": "brok\n\n`))
  const wrong: unknown = {
    type: 'message.delta',
    seq: event.seq,
    run: null,
    id: { length: -1 },
    part: 'x',
    at: null,
    text: null,
  }
  // What must not be trusted has the type of what is.
  return frameOf(log, [wrong as RivuletEvent])
}

/** Faults by connection: of the first, the second, and so on; those beyond have none. Or a function of the number, from 0. */
export type FaultPlan = readonly (Fault | readonly Fault[])[] | ((connection: number) => Fault | readonly Fault[])

/** The faults of this connection, counted from 0. */
export function faultsOf(plan: FaultPlan, connection: number): readonly Fault[] {
  const found = typeof plan === 'function' ? plan(connection) : (plan[connection] ?? [])
  return 'begin' in found ? [found] : found
}
