import { context, trace, type Span, type Tracer } from '@opentelemetry/api'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { jsonLines, type LogEntry } from '../src/index.ts'
import { openTelemetry } from '../src/opentelemetry/index.ts'
import { START, state, StateGraph, value } from '@rivulet/core'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { startServer, type TestServer } from './server.ts'
import { temporaryPath, openStore } from './sqlite.ts'
import { readFile } from 'node:fs/promises'

const graphs = () => ({ words: wordGraph(['a']) })
const SECRET = 'postgres://admin:hunter2@db'

/** A request as it stands on the wire, which `fetch` would not send. */
function askAs(server: TestServer, host: string, path = '/v1/threads'): Promise<number> {
  const { port, hostname } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: hostname, path, headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('the name that a request is addressed to', () => {
  test.each([
    ['localhost', 200],
    ['LOCALHOST:2024', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:80', 200],
    ['rebound.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:2024', 403],
    ['localhost:80:80', 403],
  ])('%s is answered %s on a loopback address', async (host, status) => {
    expect(await askAs(await startServer({ graphs: graphs() }), host)).toBe(status)
  })

  test('may be any other that was named', async () => {
    const server = await startServer({ graphs: graphs() }, { hosts: ['api.example'] })
    expect(await askAs(server, 'API.example:443')).toBe(200)
    expect(await askAs(server, 'localhost')).toBe(403)
  })
})

describe('what a node threw', () => {
  const failing = () =>
    new StateGraph(state({ x: value<number>() }))
      .addNode('dig', () => {
        throw new Error(`cannot reach ${SECRET}`)
      })
      .addEdge(START, 'dig')
      .compile()
  const body = { graph: 'failing', run: 'r1', input: { x: 1 }, modes: ['tasks', 'debug'] }

  test('is neither on the wire nor in the log nor in what is kept, and the operator is told', async () => {
    const path = await temporaryPath()
    const lines: string[] = []
    const log = jsonLines((line) => lines.push(line))
    const server = await startServer({ graphs: { failing: failing() }, store: openStore(path), log })
    const stream = await server.run('t1', body)
    await stream.all()
    const texts = [
      stream.text,
      ...lines,
      JSON.stringify(await (await server.post('/v1/threads/t1/runs?wait=1', body)).json()),
      JSON.stringify(await (await server.get('/v1/threads/t1/runs')).json()),
      JSON.stringify(await (await server.get('/v1/threads/t1/history')).json()),
      await readFile(path, 'latin1'),
      await readFile(`${path}-wal`, 'latin1'),
    ]
    expect(stream.text).toContain('node \\"dig\\" failed')
    for (const text of texts) expect(text).not.toContain('hunter2')
    expect(server.errors).toMatchObject([{ code: 'NODE_FAILED', message: `cannot reach ${SECRET}`, node: 'dig' }])
  })

  test('is told to clients when that is asked for, without its stack', async () => {
    const server = await startServer({ graphs: { failing: failing() }, exposeErrors: true })
    const stream = await server.run('t1', body)
    await stream.all()
    expect(stream.text).toContain('hunter2')
    expect(stream.text).not.toMatch(/security\.test|at .*:\d+:\d+/)
  })
})

describe('the log', () => {
  test('tells of requests and runs, and not of what was said', async () => {
    let clock = 1000
    const entries: LogEntry[] = []
    const log = (entry: LogEntry) => entries.push(entry)
    const server = await startServer({ graphs: { chat: chatGraph() }, log, now: () => clock++ })
    await server.post('/v1/threads/t1/runs?wait=1', {
      graph: 'chat',
      run: 'r1',
      input: { messages: ['my PIN is 1234'] },
    })
    await server.get('/v1/threads/none?cursor=secret')
    expect(entries.map(({ type }) => type)).toEqual(['run.start', 'run.end', 'request', 'request'])
    expect(entries).toMatchObject([
      { tenant: '', thread: 't1', run: 'r1', graph: 'chat', attempt: 1 },
      { tenant: '', thread: 't1', run: 'r1', status: 'done' },
      { method: 'POST', path: '/v1/threads/t1/runs', status: 200, tenant: '' },
      { method: 'GET', path: '/v1/threads/none', status: 404 },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/1234|PIN|secret/)
  })

  test('has one line an entry, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (path, tenant) => {
        const lines: string[] = []
        const entry: LogEntry = { type: 'request', at: 1, method: 'GET', path, status: 200, ms: 1, tenant }
        jsonLines((line) => lines.push(line))(entry)
        expect(lines).toHaveLength(1)
        // oxlint-disable-next-line no-control-regex -- these are what must not be there
        expect(lines[0]).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+\n$/)
        expect(JSON.parse(lines[0]!)).toEqual(JSON.parse(JSON.stringify(entry)))
      }),
      { numRuns: 40 },
    )
  })

  test('that throws harms nobody', async () => {
    const server = await startServer({
      graphs: graphs(),
      log: () => {
        throw new Error('disk full')
      },
    })
    expect((await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words' })).status).toBe(200)
    expect(server.errors).toHaveLength(3)
  })

  test('becomes spans', async () => {
    const spans: Record<string, unknown>[] = []
    const tracer: Tracer = {
      startSpan(name, options = {}) {
        const told: Record<string, unknown> = { name, start: options.startTime, ...options.attributes }
        spans.push(told)
        const span = {
          setAttribute: (key: string, one: unknown) => void (told[key] = one),
          setStatus: (status: object) => Object.assign(told, status),
          end: (at: unknown) => void (told['end'] = at),
        }
        // Of a span, only what is used of it.
        return span as unknown as Span
      },
      startActiveSpan: () => {
        throw new Error('not used')
      },
    }
    let clock = 1000
    const options = { now: () => clock++, log: openTelemetry(tracer) }
    const server = await startServer({ graphs: { chat: chatGraph({ fail: true }) }, ...options })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', run: 'r1', input: { messages: ['hi'] } })
    expect(spans).toMatchObject([
      {
        name: 'run chat',
        'rivulet.run': 'r1',
        'rivulet.status': 'error',
        'rivulet.node': 'review',
        code: 2,
        message: 'NODE_FAILED',
      },
      { name: 'POST', 'http.response.status_code': 200, 'url.path': '/v1/threads/t1/runs' },
    ])
    for (const span of spans) expect(Number(span['end'])).toBeGreaterThanOrEqual(Number(span['start']))
    expect(context.active()).toBeDefined()
    expect(trace.getActiveSpan()).toBeUndefined()
  })
})

describe('slow and many', () => {
  test('connections that drip their head are no hindrance to others', async () => {
    const server = await startServer({ graphs: graphs() })
    const { port, hostname } = new URL(server.url)
    const dripping = await Promise.all(
      Array.from(
        { length: 300 },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(Number(port), hostname, () => {
              socket.write('POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-le')
              resolve(socket)
            })
          }),
      ),
    )
    const began = performance.now()
    expect((await server.get('/v1/threads')).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(1000)
    for (const socket of dripping) socket.destroy()
  })

  test('streams of one address beyond the limit are answered 429 until one has ended, over HTTP and WebSocket', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['a', gate]) } }, { maxConnectionsPerAddress: 2 })
    const agent = new Agent({ keepAlive: false })
    const ask = (path: string): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        request(server.url + path, { agent }, resolve)
          .once('error', reject)
          .end()
      })
    const start = await server.run('t1', { graph: 'words', run: 'r1' })
    const second = await ask('/v1/threads/t1/events')
    const refused = await ask('/v1/threads/t1/events')
    refused.resume()
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1'])
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`, 'rivulet.v1')
    await expect(once(socket, 'open')).rejects.toThrow('socket hang up')
    const left = once(second.socket, 'close')
    second.destroy()
    await left
    let third = await ask('/v1/threads/t1/events')
    // The server hears of it a little later than the client.
    while (third.statusCode === 429) third = await ask('/v1/threads/t1/events')
    expect(third.statusCode).toBe(200)
    third.destroy()
    gate.open()
    await start.all()
  })

  test('connections beyond the limit are not taken', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a', new Gate()]) } }, { maxConnections: 2 })
    const first = await server.run('t1', { graph: 'words', run: 'r1' })
    const second = await server.read('/v1/threads/t1/events')
    await expect(server.get('/v1/threads')).rejects.toThrow('fetch failed')
    await first.cancel()
    await second.cancel()
  })
})

test('expressions that strangers feed take no longer the more they are fed', async () => {
  const server = await startServer({ graphs: graphs() })
  const long = 100_000
  const hostile: [string, Request][] = [
    ['a cursor', new Request(`${server.url}/v1/threads?cursor=${'1'.repeat(long)}`)],
    [
      'a last event',
      new Request(`${server.url}/v1/threads/t1/events`, { headers: { 'last-event-id': 'a'.repeat(long) } }),
    ],
    ['a thread', new Request(`${server.url}/v1/threads/${'.'.repeat(long)}`)],
    ['a namespace', new Request(`${server.url}/v1/threads/t1/events?ns=${'a|'.repeat(long / 2)}`)],
    ['modes', new Request(`${server.url}/v1/threads/t1/events?modes=${','.repeat(long)}`)],
    [
      'a type',
      new Request(`${server.url}/v1/threads`, {
        method: 'POST',
        headers: { 'content-type': `application/json${' '.repeat(long)}` },
        body: '{}',
      }),
    ],
  ]
  for (const [what, one] of hostile) {
    const began = performance.now()
    const { status } = await server.app.fetch(one)
    expect([what, status >= 400 || status === 201]).toEqual([what, true])
    expect(performance.now() - began).toBeLessThan(500)
  }
  expect(server.errors).toEqual([])
})
