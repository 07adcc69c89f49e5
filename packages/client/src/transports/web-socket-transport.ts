import { createBlockReader, mismatch, parseCursor, parseJson, RivuletError, type Frame } from '@rivulet/protocol'
import { fetchTransport, type FetchTransportOptions } from './fetch-transport.ts'
import { headersOf } from './http.ts'
import { createInbox, type Inbox } from './inbox.ts'
import type { OpenRequest, Transport } from './transport.ts'

/** What is used of a `WebSocket`: the browser's has it, and so has that of the package `ws`. */
export interface SocketLike {
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void
  send(text: string): void
  close(): void
}

/** How to reach our server over WebSockets. */
export interface WebSocketTransportOptions extends FetchTransportOptions {
  /** Used in place of the global `WebSocket`, which Node 20 does not have. */
  webSocket?: (new (url: string, protocol: string) => SocketLike) | undefined
  /** Events and batches that may wait until they are read; one more closes the socket, and it is resumed. Default 10,000. */
  maxBufferedFrames?: number | undefined
}

const PROTOCOL = 'rivulet.v1'
/** What a server adds to the HTTP status when it closes after an error. */
const STATUS_BASE = 4000

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
  { webSocket, maxEventBytes, maxJsonDepth, maxBufferedFrames = 10_000 }: WebSocketTransportOptions,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const inbox = createInbox<string>(maxBufferedFrames)
  const socket = connect(webSocket, address)
  socket.addEventListener('open', () => {
    if (!signal.aborted) for (const frame of opening) socket.send(JSON.stringify(frame))
  })
  socket.addEventListener('message', ({ data }) => receive(inbox, data, maxEventBytes))
  socket.addEventListener('error', () => inbox.end(lost(`the socket to ${address} failed`)))
  socket.addEventListener('close', ({ code }) => inbox.end(reasonOfClose(code, address)))
  const stop = () => inbox.end(signal.reason)
  signal.addEventListener('abort', stop)
  const read = createFrameReader(maxJsonDepth)
  try {
    signal.throwIfAborted()
    for (;;) {
      const texts = await inbox.take()
      if (texts === undefined) return
      for (const text of texts) yield read(text)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    // Whatever the socket says from now on is not wanted.
    inbox.end()
    socket.close()
  }
}

function connect(given: WebSocketTransportOptions['webSocket'], address: string): SocketLike {
  const Socket: WebSocketTransportOptions['webSocket'] = given ?? globalThis.WebSocket
  if (Socket === undefined) {
    throw new RivuletError(
      'UNSUPPORTED',
      'there is no WebSocket here; pass one as `webSocket`, such as that of the package ws',
    )
  }
  try {
    return new Socket(address, PROTOCOL)
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', `${address} cannot be connected to`, { cause })
  }
}

function receive(inbox: Inbox<string>, data: unknown, maxEventBytes = 16 * 1024 * 1024): void {
  if (typeof data !== 'string') inbox.end(mismatch('a frame is not text'))
  else if (data.length > maxEventBytes) {
    inbox.end(new RivuletError('LIMIT_EXCEEDED', `a frame of the socket is longer than ${maxEventBytes} characters`))
  } else inbox.put(data)
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

/** Why the frames end: nothing when the server says that the stream is complete. */
function reasonOfClose(code: number, address: string): RivuletError | undefined {
  if (code === 1000) return undefined
  if (code === STATUS_BASE + 401) return new RivuletError('AUTH_REQUIRED', `${address} does not know who this is`)
  if (code === STATUS_BASE + 403) return new RivuletError('FORBIDDEN', `${address} refuses this`)
  return lost(`the socket to ${address} was closed with ${code}`)
}

function lost(sentence: string): RivuletError {
  return new RivuletError('DISCONNECTED', sentence, { retryable: true })
}
