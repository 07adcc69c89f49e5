import type { SocketLike } from '../src/transports/socket.ts'

type Listener = (event: { data: unknown; code: number }) => void

/** A socket whose other end a test plays. */
export class FakeSocket implements SocketLike {
  readonly url: string
  readonly protocol: string
  /** Frames the client sent, parsed. */
  readonly sent: unknown[] = []
  isClosed = false
  readonly #listeners = new Map<string, Listener[]>()

  constructor(url: string, protocol = '') {
    this.url = url
    this.protocol = protocol
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    // Every event made here has what any listener reads.
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener as Listener])
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    queueMicrotask(() => this.#emit('close', undefined, 1000))
  }

  open(): void {
    this.#emit('open')
  }

  /** The server sends frames: values as JSON, text as it is. */
  serve(...frames: unknown[]): void {
    for (const frame of frames) this.#emit('message', typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  serveBinary(data: Uint8Array): void {
    this.#emit('message', data)
  }

  fail(): void {
    this.#emit('error')
  }

  /** The server closes, or the connection is lost (1006). */
  end(code = 1006): void {
    this.#emit('close', undefined, code)
  }

  #emit(type: string, data?: unknown, code = 0): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data, code })
  }
}

/** A constructor for fake sockets, with those it has made. */
export function fakeSockets(): {
  sockets: FakeSocket[]
  WebSocket: new (url: string, protocol?: string) => SocketLike
} {
  const sockets: FakeSocket[] = []
  class Made extends FakeSocket {
    constructor(url: string, protocol = '') {
      super(url, protocol)
      sockets.push(this)
    }
  }
  return { sockets, WebSocket: Made }
}
