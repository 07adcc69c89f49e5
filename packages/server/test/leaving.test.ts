import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { startServer, type TestServer } from './server.ts'

/** Sends a request over a bare socket and leaves in the way given, without waiting for an answer. */
function sendAndLeave(server: TestServer, text: string, leave: 'end' | 'reset'): Promise<void> {
  const { port, hostname } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(text, () => {
        if (leave === 'reset') socket.resetAndDestroy()
        else socket.destroy()
      })
    })
    socket.once('error', reject)
    socket.once('close', () => resolve())
  })
}

function post(path: string, body: string): string {
  const length = Buffer.byteLength(body)
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: text/event-stream\r\ncontent-length: ${length}\r\n\r\n${body}`
}

describe('a client that leaves right after it sent a run', () => {
  test.each([
    ['end', 2],
    ['reset', 2],
    ['end', 100_000],
    ['reset', 100_000],
  ] as const)('by %s after %i letters finds it when it is back, however slow the server was', async (leave, length) => {
    const body = JSON.stringify({ graph: 'chat', run: 'r1', input: { messages: ['hi'.repeat(length / 2)] } })
    const asked = new Gate()
    const left = new Gate()
    const server = await startServer({
      graphs: { chat: chatGraph() },
      auth: async (request) => {
        if (request.method === 'POST' && new URL(request.url).pathname.endsWith('/runs')) {
          asked.open()
          await left.passed
        }
        return { tenant: 'a' }
      },
    })
    await sendAndLeave(server, post('/v1/threads/t1/runs', body), leave)
    await asked.passed
    // More round trips: the server has been told that the client is gone.
    for (let trip = 0; trip < 3; trip++) await server.get('/v1/threads')
    left.open()
    const joined = await server.run('t1', JSON.parse(body) as object)
    expect((await joined.all()).length).toBeGreaterThan(0)
    const result = await (await server.post('/v1/threads/t1/runs?wait=1', body)).json()
    expect(result).toMatchObject({ run: 'r1', status: 'done', values: { turns: 1 } })
    expect(server.errors).toEqual([])
  })

  test('in the middle of its body has sent nothing', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a']) } })
    const half = post('/v1/threads/t1/runs', '{"graph":"words"}').slice(0, -3)
    await sendAndLeave(server, half, 'end')
    expect(await (await server.get('/v1/threads')).json()).toEqual({ threads: [] })
    expect(server.errors).toEqual([])
  })

  test('leaves no stream behind', async () => {
    const asked = new Gate()
    const left = new Gate()
    const graphs = { words: wordGraph(['a', new Gate()]) }
    const server = await startServer({
      graphs,
      auth: async (request) => {
        if (request.headers.get('accept') === 'text/event-stream') {
          asked.open()
          await left.passed
        }
        return { tenant: 'a' }
      },
    })
    await sendAndLeave(server, post('/v1/threads/t1/runs', '{"graph":"words","run":"r1"}'), 'end')
    await asked.passed
    await server.get('/v1/threads')
    left.open()
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })
    expect(server.app.openStreams).toBe(0)
  })
})

describe('a client that speaks HTTP in a way of its own', () => {
  /** What comes back over a bare socket until the server ends it, or until it has come so often. */
  function answerTo(server: TestServer, text: string, mark: string, times: number): Promise<string> {
    const { port, hostname } = new URL(server.url)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(text))
      let answer = ''
      socket.setEncoding('utf8')
      socket.on('data', (piece: string) => {
        answer += piece
        if (answer.split(mark).length > times) socket.destroy()
      })
      socket.once('error', reject)
      socket.once('close', () => resolve(answer))
    })
  }

  /** The body of an answer in chunks, and what follows it (RFC 9112, section 7.1). */
  function readChunks(text: string): { body: string; rest: string } {
    const bytes = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4))
    let body = ''
    for (let at = 0; ;) {
      const line = bytes.indexOf('\r\n', at)
      const length = Number.parseInt(bytes.subarray(at, line).toString(), 16)
      const begin = line + 2
      expect(bytes.subarray(begin + length, begin + length + 2).toString()).toBe('\r\n')
      if (length === 0) return { body, rest: bytes.subarray(begin + 2).toString() }
      body += bytes.subarray(begin, begin + length).toString()
      at = begin + length + 2
    }
  }

  const graphs = () => ({ words: wordGraph(['Grüße ', '水 ', '🐎']) })
  const get = 'GET /v1/threads/t1/events?until=r1&after='

  test('and asks for two streams at once gets one after the other, each whole', async () => {
    const server = await startServer({ graphs: graphs() })
    const { cursor } = await (await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })).json()
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    const ask = `${get}${cursor} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`
    const first = readChunks(await answerTo(server, ask + ask, '\r\n0\r\n\r\n', 2))
    expect(first.body).toMatch(/Grüße 水 🐎[^]*run\.end[^]*\n\n$/)
    expect(readChunks(first.rest).body).toBe(first.body)
  })

  test('and knows no chunks gets none', async () => {
    const server = await startServer({ graphs: graphs() })
    const { cursor } = await (await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })).json()
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    const answer = await answerTo(server, `${get}${cursor} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n`, 'never', 1)
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    expect(body).toMatch(/^id: .*\nevent: sync\n[^]*🐎[^]*run\.end[^]*\n\n$/)
    expect(body).not.toContain('\r')
  })
})
