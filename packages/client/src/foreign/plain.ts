import { createPlainDecoder, type PlainFrame } from '@rivulet/protocol/wires/plain'
import { openSocket, type SocketOptions } from '../transports/socket.ts'
import type { Transport } from '../transports/transport.ts'
import { chatTransport, readEvents, type ChatRequest, type ChatStreamOptions } from './chat.ts'

/** How to reach an endpoint that streams plain tokens. */
export interface PlainOptions extends ChatStreamOptions, SocketOptions {
  /** The endpoint itself: `http:` or `https:` for server-sent events, `ws:` or `wss:` for a WebSocket. */
  url: string
  /** Default `GET`, with the last message's text in the address. */
  method?: 'GET' | 'POST' | undefined
  /** Name of the text in a `GET`'s address. Default `query`. */
  query?: string | undefined
  /** What a `POST` or a WebSocket sends first. Default `{ query, messages }`. */
  body?: ((request: ChatRequest) => unknown) | undefined
  /** Makes frames of ours of what arrives; `undefined` for what says nothing. */
  map?: ((data: string) => PlainFrame | readonly PlainFrame[] | undefined) | undefined
  /** What ends an answer: a frame that says so (`[DONE]`, `{"type":"done"}`), or that the body ends. Default `done-frame`. */
  end?: 'done-frame' | 'close' | undefined
}

/**
 * Any endpoint that streams `{"type":"token","content":"…"}` and `[DONE]`; `{"type":"error","message":"…"}` fails the
 * run. Over a WebSocket the same frames, and `{"type":"cancel"}` from here when the run is stopped.
 */
export function plain(options: PlainOptions): Transport {
  const { map, end, query = 'query', method = 'GET' } = options
  const body = options.body ?? (({ text, messages }: ChatRequest) => ({ query: text, messages }))
  return chatTransport({
    read(request, signal) {
      if (/^wss?:/.test(options.url)) return readSocket(options, body(request), signal)
      if (method === 'POST') return readEvents(options, { body: body(request) }, signal)
      const mark = options.url.includes('?') ? '&' : '?'
      const url = `${options.url}${mark}${new URLSearchParams({ [query]: request.text }).toString()}`
      return readEvents({ ...options, url }, {}, signal)
    },
    decoder: (chat) => createPlainDecoder({ ...chat, map, end }),
  })
}

async function* readSocket(
  options: PlainOptions,
  first: unknown,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const socket = openSocket(options.url, options, signal)
  socket.send(first)
  try {
    yield* socket.texts
  } finally {
    if (signal.aborted) socket.send({ type: 'cancel' })
    socket.close()
  }
}
