import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeFatal, encodeFrame, formatCursor, wireState, type Frame, type RivuletEvent } from '@rivulet/protocol'
import { expect, onTestFinished, test, vi } from 'vitest'
import { fakeTiming, settled } from '../../test/fake-timing.ts'
import { chatRun, eventsFrame, LOG, stamped, sync } from '../../test/pump.ts'
import { createClient } from '../client.ts'
import type { ThreadStore } from '../store/thread-store.ts'
import { fetchTransport, type FetchTransportOptions } from './fetch-transport.ts'
import type { OpenRequest, Transport } from './transport.ts'

const question = { id: 'u1', content: 'hi' }
const events = stamped(chatRun('r1', question, ['Grüße ', '🌍, ', 'alle']))
const frames: Frame[] = [
  eventsFrame(sync('replay')),
  ...events.map((event) => eventsFrame(event)),
  { type: 'at', log: LOG, seq: events.length },
]

function encoded(all: readonly Frame[] = frames): string {
  const wire = wireState()
  return all.map((frame) => encodeFrame(frame, wire)).join('')
}

function streaming(text: string, chunkBytes = Infinity): Response {
  const bytes = new TextEncoder().encode(text)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += chunkBytes) controller.enqueue(bytes.slice(at, at + chunkBytes))
      controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
}

type Call = { url: string; init: RequestInit; json: unknown }

/** A transport whose `fetch` gives these answers, in turn; the last again and again. */
function answering(
  answers: (Response | Error | ((init: RequestInit) => Promise<Response>))[],
  options: Partial<FetchTransportOptions> = {},
) {
  const calls: Call[] = []
  const answer: typeof fetch = (url, init = {}) => {
    // The transport addresses by text and sends text.
    calls.push({ url: url as string, init, json: init.body ? JSON.parse(init.body as string) : undefined })
    const next = answers[Math.min(calls.length, answers.length) - 1]!
    if (next instanceof Error) return Promise.reject(next)
    return next instanceof Response ? Promise.resolve(next.clone()) : next(init)
  }
  return { calls, transport: fetchTransport({ url: 'https://example.test/base/', fetch: answer, ...options }) }
}

async function collect(transport: Transport, into: Frame[], request: OpenRequest = { thread: 't' }): Promise<void> {
  const { signal } = new AbortController()
  for await (const frame of transport.open(request, { signal, after: undefined })) into.push(frame)
}

async function read(
  { transport }: { transport: Transport },
  request: OpenRequest = { thread: 't' },
  { after, signal = new AbortController().signal }: { after?: string; signal?: AbortSignal } = {},
) {
  const seen: Frame[] = []
  for await (const frame of transport.open(request, { signal, after })) seen.push(frame)
  return seen
}

function eventsIn(seen: readonly Frame[]): RivuletEvent[] {
  return seen.flatMap((frame) => (frame.type === 'events' ? frame.events : []))
}

function errorJson(status: number, error: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ error }), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

// Requests.

test('a run is posted with all it is started with', async () => {
  const server = answering([streaming(encoded())])
  const start = { run: 'r1', graph: 'agent', input: { messages: [] }, modes: ['updates' as const], tags: ['x'] }
  await read(server, { thread: 'a/b c', start }, { after: formatCursor(LOG, 3) })
  expect(server.calls).toMatchObject([
    {
      url: 'https://example.test/base/v1/threads/a%2Fb%20c/runs',
      json: { ...start, after: 'log1.3' },
      init: { method: 'POST', headers: { accept: 'text/event-stream', 'content-type': 'application/json' } },
    },
  ])
})

test('a thread is read from a cursor, up to a run’s end, filtered', async () => {
  const server = answering([streaming(encoded())])
  const filter = { namespaces: [['a:1'], ['b:2', 'c:3']], nodes: ['agent'], tags: ['x', 'y&z'] }
  await read(server, { thread: 't', until: 'r1', filter }, { after: 'log1.3' })
  expect(server.calls[0]).toMatchObject({
    url: 'https://example.test/base/v1/threads/t/events?after=log1.3&until=r1&ns=a%3A1&ns=b%3A2%7Cc%3A3&node=agent&tag=x&tag=y%26z',
    init: { method: 'GET', headers: { accept: 'text/event-stream' } },
  })
  await read(server)
  expect(server.calls[1]?.url).toBe('https://example.test/base/v1/threads/t/events')
})

test('everything else is plain JSON', async () => {
  const json = (body: unknown) =>
    new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
  const { calls, transport } = answering([json({ ok: true })])
  const { threads } = transport
  await transport.cancel!('t', 'r1', {})
  await transport.state!('t', { checkpointId: 'c1' })
  await transport.history!('t', { limit: 5, before: 'c2' })
  await transport.history!('t', { outline: true })
  await transport.state!('t', { ns: ['a:1', 'b:2'], subgraphs: true })
  await transport.history!('t', { ns: ['a:1'] })
  await transport.update!('t', {}, { ns: ['a:1'] })
  await threads!.list({ limit: 10, cursor: 'next' })
  await threads!.create({ id: 't', metadata: { title: 'cats' } })
  await threads!.get('t')
  await threads!.delete('t')
  await threads!.fork!('t', { id: 'u', checkpointId: 'c3' })
  await transport.update!('t', { topic: 'dogs' }, { asNode: 'agent' })
  const start = { run: 'r1', graph: 'agent', input: null }
  await transport.wait!('t', start, {})
  expect(calls.map(({ url, init }) => `${init.method} ${url.replace('https://example.test/base/v1', '')}`)).toEqual([
    'POST /threads/t/runs/r1/cancel',
    'GET /threads/t/state?checkpointId=c1',
    'GET /threads/t/history?limit=5&before=c2',
    'GET /threads/t/history?outline=1',
    'GET /threads/t/state?ns=a%3A1%7Cb%3A2&subgraphs=1',
    'GET /threads/t/history?ns=a%3A1',
    'POST /threads/t/state',
    'GET /threads?limit=10&cursor=next',
    'POST /threads',
    'GET /threads/t',
    'DELETE /threads/t',
    'POST /threads/t/fork',
    'POST /threads/t/state',
    'POST /threads/t/runs?wait=1',
  ])
  expect(calls[6]?.json).toEqual({ update: {}, ns: ['a:1'] })
  expect(calls[8]?.json).toEqual({ id: 't', metadata: { title: 'cats' } })
})

test('an answer without a body is fine where nothing is asked for', async () => {
  const { transport } = answering([new Response(null, { status: 204 })])
  expect(await transport.threads!.delete('t')).toBeUndefined()
})

test('headers and credentials go with every request, and redirects are not followed', async () => {
  const server = answering([streaming(encoded())], { headers: { authorization: 'Bearer x' }, credentials: 'include' })
  await read(server)
  expect(server.calls[0]?.init).toMatchObject({
    headers: { authorization: 'Bearer x', accept: 'text/event-stream' },
    credentials: 'include',
    redirect: 'manual',
  })
})

test('headers that were refused are asked for once more', async () => {
  const headers = vi.fn<(why: { rejected: boolean }) => Record<string, string>>(({ rejected }) => ({
    token: rejected ? 'new' : 'old',
  }))
  const server = answering([new Response('', { status: 401 }), streaming(encoded())], { headers })
  expect(eventsIn(await read(server))).toHaveLength(frames.length - 1)
  expect(server.calls.map(({ init }) => (init.headers as Record<string, string>)['token'])).toEqual(['old', 'new'])
})

test('headers that are refused twice are an error that is not retried', async () => {
  const server = answering([new Response('', { status: 401 })], { headers: () => ({}) })
  await expect(read(server)).rejects.toMatchObject({ code: 'AUTH_REQUIRED', retryable: false })
  expect(server.calls).toHaveLength(2)
})

test.each(['.', '..', ''])('%j is refused as an id before anything is sent', async (thread) => {
  const server = answering([streaming('')])
  await expect(read(server, { thread })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect(server.calls).toEqual([])
})

test('what cannot be written as JSON is refused before anything is sent', async () => {
  const server = answering([streaming('')])
  const start = { run: 'r1', graph: 'agent', input: { big: 1n } }
  await expect(read(server, { thread: 't', start })).rejects.toMatchObject({ code: 'UNSERIALIZABLE', retryable: false })
  expect(server.calls).toEqual([])
})

// Streams.

test('a stream is the same however its bytes are cut', async () => {
  const text = encoded()
  const whole = eventsIn(await read(answering([streaming(text)])))
  expect(whole.slice(1)).toEqual(events)
  for (let chunkBytes = 1; chunkBytes <= 64; chunkBytes++) {
    expect(eventsIn(await read(answering([streaming(text, chunkBytes)])))).toEqual(whole)
  }
})

test('what comes in one piece is folded at once', async () => {
  const seen = await read(answering([streaming(encoded())]))
  expect(seen.map(({ type }) => type)).toEqual(['events', 'at'])
})

test('half an event at the end is not seen', async () => {
  const text = encoded()
  const seen = eventsIn(await read(answering([streaming(text.slice(0, text.lastIndexOf('data')))])))
  expect(seen.at(-1)?.seq).toBe(events.length - 1)
})

test('what the server says to this reader alone ends the stream with its code', async () => {
  const slow = encodeFatal({ code: 'SLOW_CONSUMER', message: 'too slow', retryable: true })
  const server = answering([streaming(encoded() + slow)])
  const seen: Frame[] = []
  await expect(collect(server.transport, seen)).rejects.toMatchObject({ code: 'SLOW_CONSUMER', retryable: true })
  expect(eventsIn(seen)).toHaveLength(frames.length - 1)
})

// Failures.

test.each<[string, Response, object]>([
  [
    'our own error',
    errorJson(409, { code: 'RUN_CONFLICT', message: 'busy', run: 'r0' }),
    { code: 'RUN_CONFLICT', message: 'busy', run: 'r0', retryable: false },
  ],
  [
    'our own error that passes',
    errorJson(500, { code: 'INTERNAL', message: 'oh', retryable: true }),
    { code: 'INTERNAL', retryable: true },
  ],
  [
    'our own error of an unknown code',
    errorJson(418, { code: 'TEAPOT', message: 'short and stout' }),
    { code: 'INTERNAL', message: 'short and stout' },
  ],
  ['a page that is not there', new Response('<h1>404</h1>', { status: 404 }), { code: 'NOT_FOUND', retryable: false }],
  ['a gateway’s page', new Response('<h1>502</h1>', { status: 502 }), { code: 'DISCONNECTED', retryable: true }],
  ['too many requests', new Response('', { status: 429 }), { code: 'LIMIT_EXCEEDED', retryable: true }],
  ['a failure without words', new Response('', { status: 500 }), { code: 'INTERNAL', retryable: false }],
  [
    'a redirect',
    new Response(null, { status: 302, headers: { location: 'https://elsewhere.test' } }),
    { code: 'PROTOCOL_MISMATCH', retryable: false },
  ],
  [
    'an HTML page with status 200',
    new Response('<h1>Please log in</h1>', { headers: { 'content-type': 'text/html' } }),
    { code: 'PROTOCOL_MISMATCH', retryable: false },
  ],
  [
    'JSON where a stream was asked for',
    new Response('{}', { headers: { 'content-type': 'application/json' } }),
    { code: 'PROTOCOL_MISMATCH' },
  ],
  ['a stream of something else', streaming('data: hello\n\n'), { code: 'PROTOCOL_MISMATCH' }],
])('%s is told by its code', async (_what, answer, error) => {
  await expect(read(answering([answer]))).rejects.toMatchObject(error)
})

test('a page in place of JSON is told by its code', async () => {
  const { transport } = answering([new Response('<h1>Welcome</h1>')])
  await expect(transport.threads!.list()).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH' })
})

test('a network that fails is a lost connection', async () => {
  const failure = new TypeError('fetch failed')
  const server = answering([failure])
  await expect(read(server)).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true, cause: failure })
  await expect(server.transport.threads!.list()).rejects.toMatchObject({ code: 'DISCONNECTED' })
})

test('a server that is busy says when to come back', async () => {
  const server = answering([errorJson(503, { code: 'LIMIT_EXCEEDED', message: 'full' }, { 'retry-after': '7' })])
  const seen: Frame[] = []
  await expect(collect(server.transport, seen)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', retryable: true })
  expect(seen).toEqual([{ type: 'retry', delayMs: 7000 }])
})

// Over a real connection.

async function listening(handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a port has an address of this form.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a conversation over a connection that breaks at every event ends as one that does not', async () => {
  let opened = 0
  const url = await listening((request, response) => {
    const after = new URL(request.url!, 'http://host').searchParams.get('after')
    const seq = after === null ? 0 : Number(after.split('.')[1])
    const rest = events.slice(seq)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    opened++
    response.write(encoded([eventsFrame(sync('replay', seq)), eventsFrame(rest[0]!)]))
    // The connection is closed, the body is not complete.
    if (rest.length > 1) response.socket?.end()
    else response.end()
  })
  const timing = fakeTiming()
  const client = createClient({ url, timing })
  const ended = new Promise<ThreadStore>((resolve) => {
    const thread = client.thread({ graph: 'agent', threadId: 't', onFinish: () => resolve(thread) })
    thread.select(
      ({ connection }) => connection.phase === 'waiting',
      () => void settled().then(() => timing.advance(250)),
    )
    thread.follow()
  })
  const thread = await ended
  thread.dispose()
  expect(opened).toBe(events.length)
  expect(thread.getSnapshot().messages.map(({ content }) => content)).toEqual(['hi', 'Grüße 🌍, alle'])
})

test('an abort closes the connection', async () => {
  let closed: () => void
  const gone = new Promise<void>((resolve) => (closed = resolve))
  const url = await listening((request, response) => {
    request.on('close', () => closed())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(encoded([frames[0]!]))
  })
  const controller = new AbortController()
  const opened = fetchTransport({ url }).open({ thread: 't' }, { signal: controller.signal, after: undefined })
  const iterator = opened[Symbol.asyncIterator]()
  await iterator.next()
  controller.abort(new Error('enough'))
  await expect(iterator.next()).rejects.toMatchObject({ message: 'enough' })
  await gone
})

test('an abort before the answer ends the wait', async () => {
  const server = answering([
    ({ signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
  ])
  const controller = new AbortController()
  const reading = read(server, { thread: 't' }, { signal: controller.signal })
  await settled()
  controller.abort(new Error('enough'))
  await expect(reading).rejects.toThrow('enough')
})

test('leaving a stream lets its body go', async () => {
  const cancel = vi.fn<() => void>()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(encoded()))
    },
    cancel,
  })
  const { transport } = answering([
    () => Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } })),
  ])
  for await (const frame of transport.open(
    { thread: 't' },
    { signal: new AbortController().signal, after: undefined },
  )) {
    expect(frame.type).toBe('events')
    break
  }
  expect(cancel).toHaveBeenCalledOnce()
})
