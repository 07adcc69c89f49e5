import {
  createClient,
  fetchTransport,
  systemTiming,
  webSocketTransport,
  type Timing,
  type Transport,
} from '@rivulet/client'
import { END, START, state, StateGraph, value } from '@rivulet/core'
import { serializeState, type ThreadState } from '@rivulet/protocol'
import { setupServer } from 'msw/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  faults,
  memoryFetch,
  memoryTransport,
  memoryWebSocket,
  pump,
  script,
  webSocketPair,
  type FaultPlan,
} from '../src/index.ts'
import { mswHandlers } from '../src/msw/index.ts'
import { chaosProxy, serveScript } from '../src/node/index.ts'

/** A bit of everything: a run of somebody else, tools, a failed attempt, a question, and the page's own run. */
const chat = script()
  .run('what is the weather?')
  .reasoning('They ask ')
  .reasoning('for weather.')
  .token('I will ')
  .token('lo')
  .rewind()
  .token('Let me look 🌦')
  .tool('weather', { args: { city: 'Zürich' }, slices: 3 })
  .tool('time', { args: {}, output: '12:00' })
  .progress({ done: 1, total: 2 })
  .custom({ note: 'nearly' }, { name: 'note' })
  .result({ rain: true }, { tool: 'run1-call1' })
  .token('It rains.')
  .values({ city: 'Zürich' })
  .node('research', { ns: ['research:1'] })
  .token('below')
  .node('agent')
  .error({ code: 'PROVIDER_FAILED', message: 'slow today' })
  .interrupt({ question: 'Send it?' })
  .resume(true)
  .token('Sent.')
  .end()

/** Retries are not waited for. */
const impatient: Timing = {
  ...systemTiming,
  after(delayMs, fn) {
    if (delayMs > 20_000) return () => {}
    const timer = setImmediate(fn)
    return () => clearImmediate(timer)
  },
}

/** The state that a thread comes to over this transport. */
async function stateOver(transport: Transport): Promise<unknown> {
  const thread = createClient({ transport, timing: impatient }).thread({ graph: 'agent', threadId: 't' })
  const whole = new Promise<ThreadState>((resolve) => {
    thread.subscribe(() => {
      const { state } = thread.getSnapshot()
      if (state.runs.get('run2')?.status === 'done') resolve(state)
    })
  })
  thread.follow()
  const state = await whole
  thread.dispose()
  return { cursor: state.cursor, namespaces: [...state.spaces.keys()], ...serializeState(state) }
}

const url = 'http://backend.test'

async function overMsw(plan: FaultPlan): Promise<unknown> {
  const server = setupServer(...mswHandlers(chat, { url, faults: plan }))
  server.listen({ onUnhandledRequest: 'error' })
  try {
    return await stateOver(fetchTransport({ url }))
  } finally {
    server.close()
  }
}

function overWebSocket(plan: FaultPlan): Promise<unknown> {
  return stateOver(webSocketTransport({ url, webSocket: memoryWebSocket(chat, { faults: plan }) }))
}

async function overLoopback(plan: FaultPlan): Promise<unknown> {
  const server = await serveScript(chat, { faults: plan })
  onTestFinished(() => server.close())
  return stateOver(fetchTransport({ url: server.url }))
}

/** The same over WebSockets on this machine's loopback. */
async function overRealSocket(plan: FaultPlan): Promise<unknown> {
  const server = await serveScript(chat, { faults: plan })
  onTestFinished(() => server.close())
  return stateOver(webSocketTransport({ url: server.url, webSocket: WebSocket }))
}

test('the same script folds to the same state in memory, over msw, a socket and a real server', async () => {
  const expected = await stateOver(memoryTransport(chat))
  expect(expected).toMatchObject({ namespaces: { length: 2 }, runs: { length: 2 } })
  expect(await overMsw([])).toEqual(expected)
  expect(await overWebSocket([])).toEqual(expected)
  expect(await overLoopback([])).toEqual(expected)
  expect(await overRealSocket([])).toEqual(expected)
})

test.each([
  ['split into bytes', [faults.split('byte')]],
  ['cut and reset', [faults.cut({ afterEvent: 6 }), faults.cut({ afterEvent: 4 }, 'rst'), faults.cut({ atByte: 900 })]],
  ['busy at first', [faults.status(503)]],
] satisfies [string, FaultPlan][])('%s, it still does', async (_name, plan) => {
  const expected = await stateOver(memoryTransport(chat))
  expect(await stateOver(memoryTransport(chat, { faults: plan }))).toEqual(expected)
  expect(await overMsw(plan)).toEqual(expected)
  expect(await overLoopback(plan)).toEqual(expected)
})

test('a graph of one’s own is the same thread over each of its deliveries, its history and its updates included', async () => {
  const graph = new StateGraph(state({ topic: value<string>() }))
    .addNode('refine', ({ topic }) => ({ topic: `${topic} and cats` }))
    .addEdge(START, 'refine')
    .addEdge('refine', END)
    .compile()
  const p = pump(graph)
  const options = { url, fetch: memoryFetch(p) }
  const transports = [fetchTransport(options), webSocketTransport({ ...options, webSocket: memoryWebSocket(p) })]
  for (const [i, transport] of transports.entries()) {
    const client = createClient({ transport })
    const { values } = await client.thread({ graph: 'agent', threadId: 't' }).submit({ topic: `dogs ${i}` }).result
    expect(values).toEqual({ topic: `dogs ${i} and cats` })
    await client.threads.update('t', { topic: 'none' })
    expect(await client.threads.history('t', { limit: 1 })).toMatchObject([{ values: { topic: 'none' } }])
  }
  expect(p.connections.map(({ thread, start }) => [thread, start?.graph])).toEqual([
    ['t', 'agent'],
    ['t', 'agent'],
  ])
})

test('a proxy on a real socket does the same to bytes', async () => {
  const expected = await stateOver(memoryTransport(chat))
  const server = await serveScript(chat)
  onTestFinished(() => server.close())
  const proxy = await chaosProxy({
    port: Number(new URL(server.url).port),
    faults: [faults.cut({ atByte: 1500 }, 'rst'), [faults.split(3), faults.cut({ atByte: 900 })], faults.split('byte')],
  })
  onTestFinished(() => proxy.close())
  expect(await stateOver(fetchTransport({ url: proxy.url }))).toEqual(expected)
  expect(proxy.connections).toBe(3)
})

test.each([
  ['lost', [faults.drop({ event: 5 })]],
  ['twice', [faults.duplicate({ event: 5 })]],
  ['the last of a socket that breaks', [faults.cut({ afterEvent: 5 }, 'rst'), faults.status(503)]],
  ['the last of a socket that closes', [faults.cut({ afterEvent: 5 })]],
] satisfies [string, FaultPlan][])('over a socket, an event that comes %s does no harm', async (_name, plan) => {
  expect(await overRealSocket(plan)).toEqual(await stateOver(memoryTransport(chat)))
  expect(await overWebSocket(plan)).toEqual(await stateOver(memoryTransport(chat)))
})

test('a run is started, refused and cancelled over a socket', async () => {
  const p = pump(script().run().token('Hel'))
  const body = { error: { code: 'FORBIDDEN', message: 'not you' } }
  const webSocket = memoryWebSocket(p, { faults: [[], faults.status(403, { body })] })
  const transport = webSocketTransport({ url, webSocket, fetch: memoryFetch(p) })
  const client = createClient({ transport, timing: p.timing })
  const thread = client.thread({ graph: 'agent', threadId: 't' })
  const run = thread.submit({ messages: 'hi' })
  await p.drain()
  expect(thread.getSnapshot().messages.map(({ content }) => content)).toEqual(['hi', 'Hel'])
  const stopped = run.stop()
  await p.settle()
  await stopped
  expect((await run.result).status).toBe('cancelled')
  expect(p.cancelled).toEqual([run.id])
  const refused = client.thread({ graph: 'agent', threadId: 't' })
  refused.follow()
  await p.settle()
  expect(refused.getSnapshot().error).toMatchObject({ code: 'FORBIDDEN', message: 'not you' })
})

test('two ends of a pair hear each other in order, and both hear of the end', async () => {
  const [client, server] = webSocketPair()
  const heard: unknown[] = []
  client.addEventListener('open', () => heard.push('open'))
  client.addEventListener('message', ({ data }) => heard.push(data))
  client.addEventListener('close', ({ code }) => heard.push(`client ${code}`))
  server.addEventListener('message', ({ data }) => server.send(`${String(data)}!`))
  server.addEventListener('error', () => heard.push('broke'))
  server.addEventListener('close', ({ code }) => heard.push(`server ${code}`))
  client.send('one')
  client.send('two')
  expect(heard).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual(['open', 'one!', 'two!'])
  client.break()
  client.send('late')
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard.slice(3)).toEqual(['broke', 'client 1006', 'server 1006'])
})

describe('a run that is started without reading it', () => {
  const asked = { method: 'POST', headers: { 'content-type': 'application/json' } }

  test('is answered with where its events begin, and goes on', async () => {
    const server = await serveScript(script().run().token('Hello').end())
    onTestFinished(() => server.close())
    const response = await fetch(`${server.url}/v1/threads/t/runs`, { ...asked, body: '{"run":"r"}' })
    expect(response.status).toBe(202)
    const { thread, run, cursor } = (await response.json()) as Record<string, string>
    expect([thread, run]).toEqual(['t', 'r'])
    const events = await fetch(`${server.url}/v1/threads/t/events?until=r&after=${cursor}`)
    expect(await events.text()).toMatch(/"text":"Hello"[^]*event: run.end/)
  })

  test('is answered with its result when asked to wait', async () => {
    const fetch = memoryFetch(script().run().token('Hello').values({ city: 'Zürich' }).end())
    const url = 'http://script.invalid/v1/threads/t/runs?wait=1'
    const result: unknown = await (await fetch(url, { ...asked, body: '{"run":"r"}' })).json()
    expect(result).toMatchObject({
      run: 'r',
      status: 'done',
      values: { city: 'Zürich', messages: [{ content: 'Hello' }] },
      interrupts: [],
    })
  })
})
