import type { Context } from 'hono'
import { streamBody } from '../stream/stream-body.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { AppEnv } from './deps.ts'

/** Tells nginx and what follows its example to pass events on as they come. */
const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }

/**
 * Answers with a stream. Beside the body, which any host can read, the stream itself is handed up to the app: on its way
 * there the response may be copied, so it cannot be found by that.
 */
export function offer(context: Context<AppEnv>, stream: EventStream): Response {
  context.env.offered.stream = stream
  return new Response(streamBody(stream), { headers: HEADERS })
}
