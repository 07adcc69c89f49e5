import { mismatch, RivuletError } from '@rivulet/protocol'
import { createInbox } from './inbox.ts'

/** What is used of a `WebSocket`: the browser's has it, and so has that of the package `ws`. */
export interface SocketLike {
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void
  send(text: string): void
  close(): void
}

/** How sockets are made and bounded. */
export interface SocketOptions {
  /** Used in place of the global `WebSocket`, which Node 20 does not have. */
  webSocket?: (new (url: string, protocol?: string) => SocketLike) | undefined
  /** Longest frame in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
  /** Frames that may wait until they are read; one more ends the stream with `SLOW_CONSUMER`. Default 10,000. */
  maxBufferedFrames?: number | undefined
}

/** A socket that is being read. */
export interface OpenSocket {
  /** Frames in groups as they arrive, until the other side closes with 1000. Throws why it ended otherwise. */
  readonly texts: AsyncIterable<readonly string[]>
  /** Sends a frame as JSON, once the socket is open. */
  send(frame: unknown): void
  close(): void
  /** Resolves once it is closed on both sides. */
  readonly closed: Promise<void>
}

/** What a server of ours adds to the HTTP status when it closes after an error. */
const STATUS_BASE = 4000

/** Opens a socket. Throws `UNSUPPORTED` where there is no `WebSocket`, `INVALID_INPUT` for an address that cannot be one. */
export function openSocket(
  address: string,
  options: SocketOptions,
  signal: AbortSignal,
  protocol?: string,
): OpenSocket {
  const { maxEventBytes = 16 * 1024 * 1024, maxBufferedFrames = 10_000 } = options
  const inbox = createInbox<string>(maxBufferedFrames)
  const socket = connect(options.webSocket, address, protocol)
  let waiting: string[] | undefined = []
  const stop = () => inbox.end(signal.reason as Error)
  signal.addEventListener('abort', stop)
  socket.addEventListener('open', () => {
    const unsent = signal.aborted ? [] : (waiting ?? [])
    waiting = undefined
    for (const text of unsent) socket.send(text)
  })
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string') inbox.end(mismatch('a frame is not text'))
    else if (data.length <= maxEventBytes) inbox.put(data)
    else
      inbox.end(new RivuletError('LIMIT_EXCEEDED', `a frame of the socket is longer than ${maxEventBytes} characters`))
  })
  socket.addEventListener('error', () => inbox.end(lost(`the socket to ${address} failed`)))
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', ({ code }) => {
      inbox.end(reasonOfClose(code, address))
      resolve()
    })
  })
  return {
    texts: textsOf(() => inbox.take(), signal),
    send(frame) {
      const text = JSON.stringify(frame)
      if (waiting === undefined) socket.send(text)
      else waiting.push(text)
    },
    close() {
      signal.removeEventListener('abort', stop)
      // Whatever the socket says from now on is not wanted.
      inbox.end()
      socket.close()
    },
    closed,
  }
}

async function* textsOf(
  take: () => Promise<readonly string[] | undefined>,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  signal.throwIfAborted()
  for (let texts = await take(); texts !== undefined; texts = await take()) yield texts
}

function connect(given: SocketOptions['webSocket'], address: string, protocol: string | undefined): SocketLike {
  const Socket: SocketOptions['webSocket'] = given ?? globalThis.WebSocket
  if (Socket === undefined) {
    throw new RivuletError(
      'UNSUPPORTED',
      'there is no WebSocket here; pass one as `webSocket`, such as that of the package ws',
    )
  }
  try {
    return new Socket(address, protocol)
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', `${address} cannot be connected to`, { cause })
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
