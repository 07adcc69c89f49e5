import { type IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { App } from '../app/create-app.ts'
import { streamOf } from '../stream/stream-body.ts'
import { writeStream } from './write-stream.ts'

/** Answers one request of `node:http`; resolves when it is answered or, for a stream, when that has begun. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * The app as a listener for `node:http` and for middleware of Connect's kind, also where that is mounted under a path:
 * routes are found by the address as it came in. Streams are written straight to the socket. A request whose body has
 * arrived is carried out, also when the client leaves before it is answered: a page that is reloaded right after it sent
 * something finds it when it is back.
 */
export function nodeListener(app: Pick<App, 'fetch'>): NodeListener {
  const listener = getRequestListener(
    async (request, { outgoing }) => {
      const response = await app.fetch(request)
      const stream = streamOf(response)
      if (stream === undefined || !(outgoing instanceof ServerResponse)) return response
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      void writeStream(stream, outgoing)
      return RESPONSE_ALREADY_SENT
    },
    { overrideGlobalObjects: false },
  )
  return async (request, response) => {
    const { originalUrl } = request as { originalUrl?: unknown }
    if (typeof originalUrl === 'string') request.url = originalUrl
    await listener(request, response)
  }
}
