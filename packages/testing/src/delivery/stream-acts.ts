import { toRivuletError, type Frame, type RivuletError, type WireError } from '@rivulet/protocol'
import type { Act } from '../faults/act.ts'

const encoder = new TextEncoder()

/** Statuses by error code, as our server answers them. */
const STATUS: Readonly<Record<string, number>> = {
  INVALID_INPUT: 400,
  AUTH_REQUIRED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  UNSUPPORTED: 404,
  RUN_CONFLICT: 409,
  CURSOR_GONE: 410,
  LIMIT_EXCEEDED: 413,
}

/** What an event stream's head says. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * The schedule of one stream as a server without faults answers it: a head, the frames as they come, and a close. What
 * fails before the first frame is answered as an error, what fails later ends the stream for its reader.
 */
export async function* streamActs(
  frames: AsyncIterable<Frame>,
  fatal: (error: WireError) => Uint8Array,
): AsyncGenerator<Act, void> {
  let isAnswered = false
  const head: Act = { type: 'head', status: 200, headers: STREAM_HEADERS }
  try {
    for await (const frame of frames) {
      if (!isAnswered) yield head
      isAnswered = true
      yield { type: 'frame', frame }
    }
    if (!isAnswered) yield head
    yield { type: 'close', how: 'fin' }
  } catch (thrown) {
    const error = toRivuletError(thrown)
    if (!isAnswered) yield* errorActs(error)
    else yield { type: 'bytes', bytes: fatal(error.toJSON()) }
    yield { type: 'close', how: 'fin' }
  }
}

/** The body of an error's answer. */
export function errorBody(error: RivuletError): { error: WireError } {
  return { error: error.toJSON() }
}

/** The status of an error's answer. */
export function statusOf({ code }: RivuletError): number {
  return STATUS[code] ?? 500
}

/** An error's answer, without its end. */
function errorActs(error: RivuletError): Act[] {
  return [
    { type: 'head', status: statusOf(error), headers: { 'content-type': 'application/json' } },
    { type: 'bytes', bytes: encoder.encode(JSON.stringify(errorBody(error))) },
  ]
}
