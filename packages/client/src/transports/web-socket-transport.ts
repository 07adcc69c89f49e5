import { createBlockReader, mismatch, parseCursor, parseJson, RivuletError, type Frame } from '@rivulet/protocol'
import { fetchTransport, type FetchTransportOptions } from './fetch-transport.ts'
import { headersOf } from './http.ts'
import { openSocket, type SocketOptions } from './socket.ts'
import type { OpenRequest, Transport } from './transport.ts'

/** How to reach our server over WebSockets. */
export interface WebSocketTransportOptions extends FetchTransportOptions, SocketOptions {}

const PROTOCOL = 'rivulet.v1'

/**
 * Our server with streams over WebSockets, one socket a stream, and everything else over HTTP. The same frames, cursors
 * and errors as {@link fetchTransport}: a thread may be read over the one and then over the other. `headers` are sent as
 * the first frame, as a browser sends none with a socket. Throws `UNSUPPORTED` when it is used where there is no
 * `WebSocket` and none was given.
 */
export function webSocketTransport(options: WebSocketTransportOptions): Transport {
  const address = options.url.replace(/^http/, 'ws').replace(/\/+$/, '') + '/v1/ws'
  return {
    ...fetchTransport(options),
    async *open(request, { signal, after }) {
      let rejected = false
      for (;;) {
        const headers = await headersOf(options.headers, rejected)
        signal.throwIfAborted()
        try {
          return yield* framesOf(address, openingOf(request, after, headers), options, signal)
        } catch (error) {
          // Asked once more for headers, as over HTTP: what was refused has sent no frame yet.
          const isRefused = error instanceof RivuletError && error.code === 'AUTH_REQUIRED'
          if (!isRefused || rejected || typeof options.headers !== 'function') throw error
          rejected = true
        }
      }
    },
  }
}

/** What the client says first. */
function openingOf(
  request: OpenRequest,
  after: string | undefined,
  headers: Readonly<Record<string, string>>,
): object[] {
  const open = { type: 'open', after, ...request }
  return Object.keys(headers).length === 0 ? [open] : [{ type: 'auth', headers }, open]
}

async function* framesOf(
  address: string,
  opening: readonly object[],
  options: WebSocketTransportOptions,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const socket = openSocket(address, options, signal, PROTOCOL)
  const read = createFrameReader(options.maxJsonDepth)
  for (const frame of opening) socket.send(frame)
  try {
    for await (const texts of socket.texts) for (const text of texts) yield read(text)
  } finally {
    socket.close()
  }
}

/** Reads the frames of one socket. */
function createFrameReader(maxJsonDepth: number | undefined): (text: string) => Frame {
  const readBlock = createBlockReader()
  return (text) => {
    // Any JSON at all; every field is checked before it is used.
    const { id, event, data, at, retry } = Object(parseJson(text, 'socket', maxJsonDepth)) as Record<string, unknown>
    if (typeof retry === 'number') return { type: 'retry', delayMs: retry }
    const cursor = typeof at === 'string' ? parseCursor(at) : undefined
    if (cursor !== undefined) return { type: 'at', ...cursor }
    if (typeof event !== 'string') throw mismatch('a frame says nothing')
    return readBlock(event, typeof id === 'string' ? id : undefined, data)
  }
}
