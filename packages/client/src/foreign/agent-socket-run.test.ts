import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fakeSockets, type FakeSocket } from '../../test/fake-socket.ts'
import { fakeTiming, settled } from '../../test/fake-timing.ts'
import { createClient } from '../client.ts'
import { langgraph } from './langgraph.ts'

const text = readFileSync(join(import.meta.dirname, '../../test/recordings/proto-ws-chat.txt'), 'utf8')
/** What the server of the recording sent, up to the end of the run. */
const frames = text
  .replaceAll('<ms>', '0')
  .split('\n')
  .flatMap((line) => (line.startsWith('< ') ? [line.slice(2)] : []))
const ended = frames.findIndex((frame) => /"namespace":\[\].*"completed"/.test(frame)) + 1
/** The answer to the command that starts the run, which is the client's second. */
const taken = frames.findIndex((frame) => frame.includes('"id":2'))
const played = frames
  .slice(0, ended)
  .map((frame) => frame.replace('"id":1,', '"id":0,').replace('"id":2,', '"id":1,').replace('<uuid-56>', 'run-1'))

/** A LangGraph server on whose sockets a test plays; over HTTP it has this run and this state. */
function server({ status = 'success', state = {} }: { status?: string; state?: object } = {}) {
  const { sockets, WebSocket } = fakeSockets()
  const calls: string[] = []
  const timing = fakeTiming()
  const answering: typeof fetch = async (url, { method = 'GET' } = {}) => {
    const { pathname } = new URL(url as string)
    calls.push(`${method} ${pathname}`)
    const found: Readonly<Record<string, unknown>> = {
      '/threads/t': { status: 'idle' },
      '/threads/t/runs/run-1/join': {},
      '/threads/t/runs/run-1': { status },
      '/threads/t/state': state,
      '/threads/t/runs/run-1/cancel': {},
    }
    const body = found[pathname]
    return body === undefined ? new Response('not here', { status: 404 }) : Response.json(body)
  }
  const transport = langgraph({
    apiUrl: 'https://example.test/',
    assistantId: 'chat',
    protocol: 'agent-stream',
    over: 'web-socket',
    webSocket: WebSocket,
    fetch: answering,
  })
  const thread = createClient({ transport, timing }).thread({ graph: 'chat', threadId: 't' })
  return { sockets, calls, timing, thread }
}

/** Submits a question and opens the socket that carries its run. */
async function asked(options?: Parameters<typeof server>[0]) {
  const backend = server(options)
  const run = backend.thread.submit({ messages: { id: 'h1', role: 'user', content: 'hi' } })
  await settled()
  const socket: FakeSocket = backend.sockets[0]!
  socket.open()
  return { ...backend, run, socket }
}

function contents({ thread }: Pick<ReturnType<typeof server>, 'thread'>): string[] {
  return thread.getSnapshot().messages.map(({ content }) => content)
}

test('a run is started and read over one socket', async () => {
  const { socket, run, ...backend } = await asked()
  expect(socket.url).toBe('wss://example.test/threads/t/stream/events')
  expect(socket.sent).toMatchObject([
    { id: 0, method: 'subscription.subscribe' },
    { id: 1, method: 'run.start', params: { assistant_id: 'chat', input: { messages: [{ id: 'h1' }] } } },
  ])
  const half = played.findIndex((frame) => frame.includes('human ')) + 1
  socket.serve(...played.slice(0, half))
  await settled()
  expect(contents(backend)).toEqual(['hi', 'Hello there, human '])
  socket.serve(...played.slice(half))
  expect(await run.result).toMatchObject({ status: 'done', error: undefined })
  expect(contents(backend)).toEqual(['hi', 'Hello there, human friend.'])
  await settled()
  expect(socket.isClosed).toBe(true)
  expect(backend.sockets).toHaveLength(1)
})

test('what is refused fails the start', async () => {
  const { socket, run } = await asked()
  socket.serve({ type: 'error', id: 1, error: 'invalid_argument', message: 'no such graph' })
  expect(await run.result).toMatchObject({ error: { code: 'INVALID_INPUT', message: 'no such graph' } })
})

test('a subscription that is refused streams nothing: it is told', async () => {
  const { socket, run } = await asked()
  socket.serve({ type: 'error', id: 0, error: 'no_such_run', message: 'no channels' })
  expect(await run.result).toMatchObject({ error: { code: 'PROTOCOL_MISMATCH' } })
})

test('a socket that is lost before the server took the run starts nothing twice', async () => {
  const { socket, run, sockets, timing } = await asked()
  socket.end()
  await settled()
  await timing.advance(60_000)
  expect((await run.result).error?.message).toContain('it is not known whether the run began')
  expect(sockets).toHaveLength(1)
})

const kept = (...contents: string[]) => ({
  values: { messages: contents.map((content, i) => ({ type: i === 0 ? 'human' : 'ai', id: `m${i}`, content })) },
})

test.each(played.map((_frame, i) => i).filter((i) => i > taken))(
  'a socket that is lost behind frame %i: the end is waited for, and the state takes the place of what was streamed',
  async (cut) => {
    const { socket, run, timing, calls, ...backend } = await asked({ state: kept('hi', 'Hello there, human friend.') })
    socket.serve(...played.slice(0, cut))
    await settled()
    socket.end()
    await settled()
    await timing.advance(1_000)
    expect(await run.result).toMatchObject({ status: 'done' })
    expect(contents(backend)).toEqual(['hi', 'Hello there, human friend.'])
    expect(calls.filter((call) => call.endsWith('/join'))).toHaveLength(1)
  },
)

test('what came of a run whose socket was lost is told as it was', async () => {
  const question = { tasks: [{ interrupts: [{ id: 'i', value: 'ok?' }] }] }
  for (const [options, expected] of [
    [
      { status: 'interrupted', state: { ...kept('hi'), ...question } },
      { status: 'interrupted', interrupts: [{ id: 'i' }] },
    ],
    [{ status: 'interrupted', state: kept('hi') }, { status: 'cancelled' }],
    [
      { status: 'error', state: kept('hi') },
      { status: 'error', error: { code: 'NODE_FAILED' } },
    ],
  ] as const) {
    const { socket, run, timing } = await asked(options)
    socket.serve(...played.slice(0, taken + 2))
    await settled()
    socket.end()
    await settled()
    await timing.advance(1_000)
    expect(await run.result).toMatchObject(expected)
  }
})

test('a question is answered, also when the server knows of no run on a new socket', async () => {
  const { socket, run, thread, sockets } = await asked()
  const lifecycle = (event: string) => ({
    type: 'event',
    method: 'lifecycle',
    params: { namespace: [], data: { event } },
  })
  const asks = {
    type: 'event',
    method: 'input.requested',
    params: { namespace: [], data: { interrupt_id: 'i', payload: 'ok?' } },
  }
  socket.serve(
    { type: 'success', id: 1, result: { run_id: 'run-1' } },
    lifecycle('running'),
    asks,
    lifecycle('interrupted'),
  )
  expect(await run.result).toMatchObject({ status: 'interrupted', interrupts: [{ id: 'i' }] })
  const answered = thread.submit(undefined, { resume: 'yes' })
  await settled()
  const next = sockets[1]!
  next.open()
  expect(next.sent).toMatchObject([{ id: 3, method: 'agent.getTree' }])
  next.serve({ type: 'error', id: 3, error: 'no_such_run' })
  await settled()
  expect(next.sent[2]).toMatchObject({ method: 'input.respond', params: { interrupt_id: 'i', response: 'yes' } })
  next.serve({ type: 'error', id: 1, error: 'no_such_run', message: 'call run.start first' })
  await settled()
  expect(next.sent[3]).toMatchObject({ method: 'run.start', params: { assistant_id: 'chat', input: { i: 'yes' } } })
  next.serve({ type: 'success', id: 2, result: {} }, lifecycle('running'), lifecycle('completed'))
  expect(await answered.result).toMatchObject({ status: 'done', interrupts: [] })
})

test('a server that still has the last socket’s run is asked again later, and nothing is started before', async () => {
  const { socket, run, thread, sockets, timing } = await asked()
  socket.serve(...played)
  await run.result
  const next = thread.submit({ messages: 'more' })
  await settled()
  for (const i of [1, 2]) {
    sockets[i]!.open()
    sockets[i]!.serve({ type: 'success', id: 3, result: { tree: {} } })
    await settled()
    expect(sockets[i]!.isClosed).toBe(true)
    await timing.advance(500)
  }
  const third = sockets[3]!
  third.open()
  third.serve({ type: 'error', id: 3, error: 'no_such_run' })
  await settled()
  expect(
    sockets.flatMap(({ sent }) => sent).filter((frame) => (frame as { method: string }).method === 'run.start'),
  ).toHaveLength(2)
  const lifecycle = (event: string) => ({
    type: 'event',
    method: 'lifecycle',
    params: { namespace: [], data: { event } },
  })
  third.serve({ type: 'success', id: 1, result: { run_id: 'run-2' } }, lifecycle('running'), lifecycle('completed'))
  expect((await next.result).status).toBe('done')
})

test('the next run takes nothing that is told again', async () => {
  const { socket, run, thread, sockets, ...backend } = await asked()
  socket.serve(...played)
  await run.result
  const next = thread.submit({ messages: { id: 'h2', role: 'user', content: 'more' } })
  await settled()
  const second = sockets[1]!
  second.open()
  second.serve({ type: 'error', id: 3, error: 'no_such_run' })
  await settled()
  second.serve({ type: 'success', id: 0, result: {}, meta: { applied_through_seq: 20 } }, ...played.slice(1))
  await settled()
  expect(contents({ ...backend, thread })).toEqual(['hi', 'Hello there, human friend.', 'more'])
  const frame = (seq: number, event: string) => ({
    type: 'event',
    seq,
    method: 'lifecycle',
    params: { namespace: [], data: { event } },
  })
  second.serve(
    { type: 'success', id: 1, result: { run_id: 'run-2' } },
    frame(21, 'running'),
    frame(21, 'running'),
    frame(22, 'completed'),
  )
  expect((await next.result).status).toBe('done')
})

test('a run is stopped over HTTP, where the server stops runs', async () => {
  const { socket, run, calls } = await asked()
  socket.serve(...played.slice(0, taken + 3))
  await settled()
  const stopped = run.stop()
  await settled()
  expect(calls).toContain('POST /threads/t/runs/run-1/cancel')
  socket.serve(
    JSON.stringify({
      type: 'event',
      seq: 99,
      method: 'lifecycle',
      params: { namespace: [], data: { event: 'interrupted' } },
    }),
  )
  await stopped
  expect((await run.result).status).toBe('cancelled')
})
