import { emptyState, encodeFrame, serializeState, wireState, type RivuletError } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { createClient } from '../../src/client.ts'
import { agUi } from '../../src/foreign/ag-ui.ts'
import { aiSdk } from '../../src/foreign/ai-sdk.ts'
import { langgraph } from '../../src/foreign/langgraph.ts'
import { openAiStream } from '../../src/foreign/open-ai.ts'
import { plain } from '../../src/foreign/plain.ts'
import { fetchTransport } from '../../src/transports/fetch-transport.ts'
import type { Transport } from '../../src/transports/transport.ts'
import { webSocketTransport } from '../../src/transports/web-socket-transport.ts'
import { fakeSockets, type FakeSocket } from '../fake-socket.ts'
import { fakeTiming, settled } from '../fake-timing.ts'
import { chatRun, eventsFrame, stamped } from '../pump.ts'

const url = 'http://example.test'
const maxEventBytes = 100_000
const PIECE = 16 * 1024
/** What nobody reads who keeps to the limit. */
const MOST_BYTES = 1_000_000

/** A backend that answers every stream with the same piece, again and again, for as long as somebody reads. */
function endless(first: string, piece: string) {
  const sent = { bytes: 0, isLeft: false }
  const text = new TextEncoder()
  const answer: typeof fetch = (address) => {
    const { pathname } = new URL(address as string)
    // What a LangGraph server is asked beside its streams.
    if (pathname === '/threads/t') return Promise.resolve(Response.json({ status: 'idle' }))
    if (pathname.endsWith('/commands'))
      return Promise.resolve(Response.json({ type: 'success', id: 1, result: { run_id: 'r' }, meta: {} }))
    let isFirst = true
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (sent.bytes > MOST_BYTES) return controller.close()
          const bytes = text.encode(isFirst ? first : piece)
          isFirst = false
          sent.bytes += bytes.length
          controller.enqueue(bytes)
          return undefined
        },
        cancel() {
          sent.isLeft = true
        },
      },
      { highWaterMark: 0 },
    )
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  }
  return { sent, fetch: answer }
}

type Make = (options: { fetch: typeof fetch; maxEventBytes: number }) => Transport

const overHttp: [string, Make][] = [
  ['our own wire', (options) => fetchTransport({ url, ...options })],
  ['LangGraph, classic', (options) => langgraph({ apiUrl: url, ...options })],
  ['LangGraph, agent stream', (options) => langgraph({ apiUrl: url, protocol: 'agent-stream', ...options })],
  ['AI SDK', (options) => aiSdk({ api: `${url}/chat`, ...options })],
  ['OpenAI', (options) => openAiStream({ url: `${url}/chat`, ...options })],
  ['AG-UI', (options) => agUi({ url: `${url}/chat`, ...options })],
  ['plain', (options) => plain({ url: `${url}/chat`, ...options })],
]

/** What a run over this transport comes to; nothing is waited for. */
async function resultOver(transport: Transport, maxEventsPerSecond?: number): Promise<RivuletError | undefined> {
  const client = createClient({ transport, timing: fakeTiming(), ...(maxEventsPerSecond && { maxEventsPerSecond }) })
  const { error } = await client.thread({ graph: 'g', threadId: 't' }).submit({ messages: 'hi' }).result
  return error
}

const exceeded = expect.objectContaining({ code: 'LIMIT_EXCEEDED', retryable: false }) as unknown

test.each(overHttp)(
  '%s: a line without end is refused, little more of it was read, and the body is let go',
  async (_name, make) => {
    const { sent, fetch } = endless('data: {"', 'x'.repeat(PIECE))
    expect(await resultOver(make({ fetch, maxEventBytes }))).toEqual(exceeded)
    expect(sent.bytes).toBeLessThan(2 * maxEventBytes)
    expect(sent.isLeft).toBe(true)
  },
)

test.each(overHttp)('%s: so are lines that never end their event', async (_name, make) => {
  const { sent, fetch } = endless('event: x\n', `data: ${'x'.repeat(PIECE)}\n`)
  expect(await resultOver(make({ fetch, maxEventBytes }))).toEqual(exceeded)
  expect(sent.bytes).toBeLessThan(2 * maxEventBytes)
})

test('a comment without end is refused where comments are read', async () => {
  const { fetch } = endless('event: x\n', ':'.repeat(PIECE))
  expect(await resultOver(fetchTransport({ url, fetch, maxEventBytes }))).toEqual(exceeded)
})

test.each(overHttp)('%s: an event that is nested too deep is refused', async (_name, make) => {
  const deep = '['.repeat(30_000) + ']'.repeat(30_000)
  const { fetch } = endless(
    `id: a.1\nevent: custom\ndata: {"type":"custom","data":${deep}}\n\n`,
    `: ${'x'.repeat(1_000)}\n\n`,
  )
  expect(await resultOver(make({ fetch, maxEventBytes }))).toEqual(exceeded)
})

test('more events a second than agreed end a connection of our own wire and of others', async () => {
  const wire = wireState()
  const own = Array.from({ length: 2_000 }, (_, i) =>
    encodeFrame(eventsFrame({ type: 'custom', run: 'r', data: i, seq: i + 1 }), wire),
  )
  const flood = endless(own.join(''), `: ${'x'.repeat(1_000)}\n\n`)
  expect(await resultOver(fetchTransport({ url, fetch: flood.fetch }), 1_000)).toEqual(exceeded)
  const tokens = endless('data: {"type":"token","content":"x"}\n\n'.repeat(2_000), `: ${'x'.repeat(1_000)}\n\n`)
  expect(await resultOver(plain({ url, fetch: tokens.fetch }), 1_000)).toEqual(exceeded)
  const few = endless(
    'data: {"type":"token","content":"x"}\n\n'.repeat(500) + 'data: [DONE]\n\n',
    `: ${'x'.repeat(1_000)}\n\n`,
  )
  expect(await resultOver(plain({ url, fetch: few.fetch }), 1_000)).toBeUndefined()
})

/** A thread whose run is read over a socket that the test plays. */
async function overSocket(make: (webSocket: ReturnType<typeof fakeSockets>['WebSocket']) => Transport, limit?: number) {
  const { sockets, WebSocket } = fakeSockets()
  const timing = fakeTiming()
  const client = createClient({ transport: make(WebSocket), timing, ...(limit && { maxEventsPerSecond: limit }) })
  const run = client
    .thread({ graph: 'g', threadId: 't' })
    .submit({ messages: { id: 'u', role: 'user', content: 'hi' } })
  await settled()
  const socket: FakeSocket = sockets[0]!
  socket.open()
  return { run, socket, sockets, timing }
}

const sockets: [string, Parameters<typeof overSocket>[0]][] = [
  ['our own wire', (webSocket) => webSocketTransport({ url, webSocket, maxEventBytes, maxBufferedFrames: 50 })],
  ['plain', (webSocket) => plain({ url: 'ws://example.test', webSocket, maxEventBytes, maxBufferedFrames: 50 })],
]

test.each(sockets)(
  '%s over a socket: a frame too long or too deep is refused, and the socket is closed',
  async (_name, make) => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    for (const data of ['x'.repeat(maxEventBytes + 1), `{"type":"custom","data":${deep}}`]) {
      const { run, socket } = await overSocket(make)
      socket.serve(data)
      expect((await run.result).error).toEqual(exceeded)
      await settled()
      expect(socket.isClosed).toBe(true)
    }
  },
)

test('over a socket, too, more events a second than agreed end it', async () => {
  const { run, socket } = await overSocket(sockets[1]![1], 20)
  socket.serve(...Array.from({ length: 40 }, () => ({ type: 'token', content: 'x' })))
  expect((await run.result).error).toEqual(exceeded)
})

test('frames that nobody reads wait up to a bound; beyond it the socket is opened again behind what was read', async () => {
  const { run, socket, sockets: all, timing } = await overSocket(sockets[0]![1])
  const events = stamped(
    chatRun(
      run.id,
      { id: 'u', content: 'hi' },
      Array.from({ length: 100 }, () => 'x'),
    ),
  )
  const frames = events.map(({ seq, type, ...data }) => ({ id: `log1.${seq}`, event: type, data }))
  socket.serve({ id: 'log1.0', event: 'sync', data: { phase: 'snapshot', state: serializeState(emptyState()) } })
  socket.serve(...frames)
  await settled()
  await timing.advance(1_000)
  const second = all[1]!
  second.open()
  const { after } = second.sent[0] as { after: string }
  expect(Number(after.split('.')[1])).toBeLessThanOrEqual(50)
  for (const frame of frames.slice(Number(after.split('.')[1]))) {
    second.serve(frame)
    await settled()
  }
  expect((await run.result).status).toBe('done')
})
