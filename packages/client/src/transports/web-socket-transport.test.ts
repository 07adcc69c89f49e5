import type { Frame } from '@rivulet/protocol'
import { expect, test, vi } from 'vitest'
import { settled } from '../../test/fake-timing.ts'
import { fakeSockets, type FakeSocket } from '../../test/fake-socket.ts'
import type { OpenRequest } from './transport.ts'
import { webSocketTransport, type WebSocketTransportOptions } from './web-socket-transport.ts'

/** Opens one stream and collects what comes of it. */
async function opened(
  options: Partial<WebSocketTransportOptions> = {},
  request: Partial<OpenRequest> = {},
  after?: string,
) {
  const { sockets, WebSocket } = fakeSockets()
  const transport = webSocketTransport({ url: 'https://example.test/agents/', webSocket: WebSocket, ...options })
  const controller = new AbortController()
  const frames: Frame[] = []
  const read = async () => {
    for await (const frame of transport.open({ thread: 't', ...request }, { signal: controller.signal, after })) {
      frames.push(frame)
    }
  }
  const done = read().then(
    () => 'complete' as const,
    (error: unknown) => error,
  )
  await settled()
  sockets[0]?.open()
  return {
    sockets,
    controller,
    frames,
    done,
    get socket(): FakeSocket {
      return sockets.at(-1)!
    },
  }
}

const error = (code: string, message: string) => ({ event: 'error', data: { code, message } })

test('a stream is a socket that says first what it is for', async () => {
  const start = { run: 'r', graph: 'agent', input: null }
  const { socket } = await opened({}, { start }, 'log.3')
  expect(socket).toMatchObject({ url: 'wss://example.test/agents/v1/ws', protocol: 'rivulet.v1' })
  expect(socket.sent).toEqual([{ type: 'open', thread: 't', after: 'log.3', start }])
})

test('blocks, batches, heartbeats and hints arrive as over server-sent events', async () => {
  const { socket, frames, done } = await opened()
  socket.serve(
    { id: 'log.1', event: 'run.start', data: { run: 'r', protocol: 1 } },
    { id: 'log.2', event: 'message.delta', data: { id: 'm', at: 0, text: 'a' } },
    {
      id: 'log.4',
      event: 'batch',
      data: [{ type: 'message.delta', seq: 3, id: 'm', at: 1, text: 'b' }, { type: 'error' }],
    },
    { at: 'log.4' },
    { retry: 500 },
  )
  socket.end(1000)
  expect(await done).toBe('complete')
  expect(frames).toEqual([
    { type: 'events', log: 'log', events: [{ type: 'run.start', seq: 1, run: 'r', protocol: 1 }] },
    {
      type: 'events',
      log: 'log',
      events: [{ type: 'message.delta', seq: 2, run: 'r', id: 'm', part: 0, at: 0, text: 'a' }],
    },
    {
      type: 'events',
      log: 'log',
      events: [
        { type: 'message.delta', seq: 3, run: 'r', id: 'm', part: 0, at: 1, text: 'b' },
        { type: 'error', seq: 4, run: 'r' },
      ],
    },
    { type: 'at', log: 'log', seq: 4 },
    { type: 'retry', delayMs: 500 },
  ])
  expect(socket.isClosed).toBe(true)
})

test.each([
  ['the connection is lost', (socket: FakeSocket) => socket.end(), { code: 'DISCONNECTED', retryable: true }],
  ['the server goes away', (socket: FakeSocket) => socket.end(1001), { code: 'DISCONNECTED', retryable: true }],
  ['the socket fails', (socket: FakeSocket) => socket.fail(), { code: 'DISCONNECTED', retryable: true }],
  ['it is refused', (socket: FakeSocket) => socket.end(4403), { code: 'FORBIDDEN', retryable: false }],
  ['nobody knows who it is', (socket: FakeSocket) => socket.end(4401), { code: 'AUTH_REQUIRED', retryable: false }],
  [
    'the server says why',
    (socket: FakeSocket) => socket.serve(error('RUN_CONFLICT', 'busy')),
    { code: 'RUN_CONFLICT' },
  ],
  ['a frame is not JSON', (socket: FakeSocket) => socket.serve('hello'), { code: 'PROTOCOL_MISMATCH' }],
  ['a frame is null', (socket: FakeSocket) => socket.serve('null'), { code: 'PROTOCOL_MISMATCH' }],
  ['a frame says nothing', (socket: FakeSocket) => socket.serve({}), { code: 'PROTOCOL_MISMATCH' }],
  [
    'a frame has no cursor',
    (socket: FakeSocket) => socket.serve({ event: 'custom', data: {} }),
    { code: 'PROTOCOL_MISMATCH' },
  ],
  ['a frame is not text', (socket: FakeSocket) => socket.serveBinary(new Uint8Array(3)), { code: 'PROTOCOL_MISMATCH' }],
  ['a frame is too long', (socket: FakeSocket) => socket.serve('x'.repeat(1001)), { code: 'LIMIT_EXCEEDED' }],
  ['a frame is too deep', (socket: FakeSocket) => socket.serve('['.repeat(99)), { code: 'LIMIT_EXCEEDED' }],
])('when %s, the stream ends with a typed error', async (_what, happen, expected) => {
  const { socket, done } = await opened({ maxEventBytes: 1000, maxJsonDepth: 40 })
  happen(socket)
  expect(await done).toMatchObject({ name: 'RivuletError', ...expected })
  expect(socket.isClosed).toBe(true)
})

test('frames before the end of a socket still arrive', async () => {
  const { socket, frames, done } = await opened()
  socket.serve({ at: 'log.1' }, { at: 'log.2' })
  socket.end()
  expect(await done).toMatchObject({ code: 'DISCONNECTED' })
  expect(frames).toHaveLength(2)
})

test('whoever aborts is done at once, and the socket is closed', async () => {
  const { socket, controller, done, frames } = await opened()
  controller.abort(new Error('enough'))
  socket.serve({ at: 'log.1' })
  expect(await done).toMatchObject({ message: 'enough' })
  expect(socket.isClosed).toBe(true)
  expect(frames).toEqual([])
})

test('a socket that opens after the reader has gone is told nothing', async () => {
  const { sockets, WebSocket } = fakeSockets()
  const transport = webSocketTransport({ url: 'http://example.test', webSocket: WebSocket })
  const controller = new AbortController()
  const frames = transport.open({ thread: 't' }, { signal: controller.signal, after: undefined })
  const first = frames[Symbol.asyncIterator]().next()
  await settled()
  controller.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  sockets[0]?.open()
  expect(sockets[0]).toMatchObject({ url: 'ws://example.test/v1/ws', sent: [], isClosed: true })
})

test('headers are the first frame, and are asked for once more when they were refused', async () => {
  const headers = vi.fn<(why: { rejected: boolean }) => Record<string, string>>(({ rejected }) => ({
    authorization: rejected ? 'new' : 'old',
  }))
  const stream = await opened({ headers })
  expect(stream.socket.sent[0]).toEqual({ type: 'auth', headers: { authorization: 'old' } })
  stream.socket.serve(error('AUTH_REQUIRED', 'who?'))
  await settled()
  expect(stream.sockets).toHaveLength(2)
  stream.socket.open()
  expect(stream.socket.sent[0]).toEqual({ type: 'auth', headers: { authorization: 'new' } })
  stream.socket.end(4401)
  expect(await stream.done).toMatchObject({ code: 'AUTH_REQUIRED' })
  expect(stream.sockets).toHaveLength(2)
  expect(headers.mock.calls).toEqual([[{ rejected: false }], [{ rejected: true }]])
})

test('more frames than may wait end the socket, and it may be resumed', async () => {
  const { socket, done } = await opened({ maxBufferedFrames: 3 })
  socket.serve({ at: 'log.1' }, { at: 'log.2' }, { at: 'log.3' }, { at: 'log.4' })
  expect(await done).toMatchObject({ code: 'SLOW_CONSUMER', retryable: true })
})

test('an address that no socket can have is the caller’s mistake', async () => {
  // A function, as it is called with `new`.
  function refuse(): never {
    throw new SyntaxError('bad address')
  }
  // Never gets as far as being used.
  const webSocket = refuse as unknown as NonNullable<WebSocketTransportOptions['webSocket']>
  const { done } = await opened({ webSocket })
  expect(await done).toMatchObject({ code: 'INVALID_INPUT' })
})

test('where there is no WebSocket, one has to be given', async () => {
  vi.stubGlobal('WebSocket', undefined)
  try {
    const { done } = await opened({ webSocket: undefined })
    expect(await done).toMatchObject({ code: 'UNSUPPORTED' })
  } finally {
    vi.unstubAllGlobals()
  }
})
