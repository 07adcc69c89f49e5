import {
  createBlockReader,
  formatCursor,
  messagesOf,
  serializeState,
  type Frame,
  type ThreadState,
} from '@rivulet/protocol'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { eventsIn, foldFrames, startServer, typesIn, type TestServer } from './server.ts'

type Json = Record<string, unknown>

/** A client's end of a socket. */
class Socket {
  readonly socket: WebSocket
  /** How the server closed it. */
  readonly closed: Promise<number>
  readonly frames: Json[] = []
  #wake: () => void = () => undefined

  constructor(url: string, options: { headers?: Record<string, string>; protocols?: string[] } = {}) {
    const { headers = {}, protocols = ['rivulet.v1'] } = options
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, protocols, { headers })
    onTestFinished(() => this.socket.terminate())
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => {
        resolve(code)
        this.#wake()
      })
    })
    this.socket.on('error', () => undefined)
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse((data as Buffer).toString()) as Json)
      this.#wake()
    })
  }

  async send(...frames: (Json | string)[]): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject))
    }
    for (const frame of frames) this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    return this
  }

  /** Resolves when a frame of this event has come, or the socket is closed. */
  async until(event: string): Promise<void> {
    const has = () =>
      this.frames.some((frame) => frame['event'] === event || JSON.stringify(frame).includes(`"type":"${event}"`))
    while (!has() && this.socket.readyState !== WebSocket.CLOSED) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** What came, as any transport yields it. */
  get read(): Frame[] {
    const block = createBlockReader()
    return this.frames
      .filter((frame) => frame['id'] !== undefined)
      .map(({ event, id, data }) => block(String(event), String(id), structuredClone(data)))
  }
}

const shown = (state: ThreadState): object => ({ cursor: state.cursor, gap: state.gap, ...serializeState(state) })
const words = (...list: (string | Gate)[]) => ({ words: wordGraph(list) })
const start = (more: object = {}) => ({ graph: 'words', run: 'r1', ...more })

async function stateOf(server: TestServer, thread: string): Promise<ThreadState> {
  return foldFrames(await (await server.read(`/v1/threads/${thread}/events?until=r1`)).all())
}

describe('over a WebSocket', () => {
  test('a run is started and read to its end, as over HTTP', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const socket = new Socket(server.url)
    await socket.send({ type: 'open', thread: 't1', start: { graph: 'chat', run: 'r1', input: { messages: ['hi'] } } })
    expect(await socket.closed).toBe(1000)
    expect(socket.socket.protocol).toBe('rivulet.v1')
    expect(socket.frames[0]).toMatchObject({ event: 'sync', data: { phase: 'replay' } })
    const state = foldFrames(socket.read)
    expect(messagesOf(state).map(({ content }) => content)).toEqual(['hi', 'you said hi '])
    expect(shown(await stateOf(server, 't1'))).toEqual(shown(state))
    expect(server.app.openStreams).toBe(0)
  })

  test('a thread is read from any cursor, over the one and then over the other', async () => {
    const gates = [new Gate(), new Gate()]
    const server = await startServer({ graphs: words('a', gates[0]!, 'b', gates[1]!, 'c') })
    const first = new Socket(server.url)
    await first.send({ type: 'open', thread: 't1', start: start() })
    await first.until('message.delta')
    first.socket.terminate()
    const so = foldFrames(first.read)
    gates[0]!.open()
    const second = await server.read(`/v1/threads/t1/events?until=r1&after=${formatCursor(so.log, so.cursor)}`)
    const more = foldFrames(await second.until(({ type }) => type === 'message.delta'), so)
    await second.cancel()
    const third = new Socket(server.url)
    await third.send({ type: 'open', thread: 't1', until: 'r1', after: formatCursor(more.log, more.cursor) })
    gates[1]!.open()
    expect(await third.closed).toBe(1000)
    const whole = foldFrames(third.read, more)
    expect(messagesOf(whole)).toMatchObject([{ content: 'abc' }])
    expect(shown(await stateOf(server, 't1'))).toEqual(shown(whole))
  })

  test('a reader takes only what it asks for', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const socket = new Socket(server.url)
    const run = { graph: 'chat', run: 'r1', input: { messages: ['hi'] } }
    await socket.send({ type: 'open', thread: 't1', start: run, filter: { modes: ['custom'], nodes: ['talk'] } })
    await socket.closed
    expect(new Set(typesIn(socket.read))).toEqual(new Set(['sync', 'run.start', 'custom', 'run.end']))
  })

  test('a run is stopped, and its end comes in the stream', async () => {
    const server = await startServer({ graphs: words('a', new Gate()) })
    const socket = await new Socket(server.url).send({ type: 'open', thread: 't1', start: start() })
    await socket.until('message.delta')
    await socket.send({ type: 'cancel', run: 'r1' })
    expect(await socket.closed).toBe(1000)
    expect(eventsIn(socket.read).at(-1)).toMatchObject({ type: 'run.end', status: 'cancelled' })
  })

  test('leaving stops the run only when that was asked for', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: words('a', gate) })
    const first = await new Socket(server.url).send({ type: 'open', thread: 't1', start: start() })
    await first.until('message.delta')
    first.socket.terminate()
    const open = { type: 'open', thread: 't2', start: start({ onDisconnect: 'cancel' }) }
    const second = await new Socket(server.url).send(open)
    await second.until('message.delta')
    const watching = await server.read('/v1/threads/t2/events?until=r1')
    second.socket.terminate()
    expect(typesIn(await watching.all()).at(-1)).toBe('run.end')
    expect(await (await server.get('/v1/threads/t1/runs/r1')).json()).toMatchObject({ status: 'running' })
    gate.open()
  })

  test.each<[string, (Json | string)[], number, string]>([
    ['no JSON', ['{'], 4400, 'INVALID_INPUT'],
    ['nested too deep', ['['.repeat(100)], 4400, 'INVALID_INPUT'],
    ['a list', ['[]'], 4400, 'INVALID_INPUT'],
    ['of no type', [{}], 4400, 'INVALID_INPUT'],
    ['a cancel before anything', [{ type: 'cancel', run: 'r1' }], 4400, 'INVALID_INPUT'],
    ['without a thread', [{ type: 'open' }], 4400, 'INVALID_INPUT'],
    ['with a hostile thread', [{ type: 'open', thread: '../x' }], 4400, 'INVALID_INPUT'],
    ['with no cursor', [{ type: 'open', thread: 't1', after: '1' }], 4400, 'INVALID_INPUT'],
    ['with a mode that is none', [{ type: 'open', thread: 't1', filter: { modes: ['x'] } }], 4400, 'INVALID_INPUT'],
    ['with no namespaces', [{ type: 'open', thread: 't1', filter: { namespaces: ['x'] } }], 4400, 'INVALID_INPUT'],
    ['of a thread that is not there', [{ type: 'open', thread: 't9' }], 4404, 'NOT_FOUND'],
    ['of a run that is none', [{ type: 'open', thread: 't1', start: {} }], 4400, 'INVALID_INPUT'],
    ['of a graph that is not there', [{ type: 'open', thread: 't1', start: { graph: 'x' } }], 4404, 'NOT_FOUND'],
    [
      'of two threads',
      [
        { type: 'open', thread: 't1' },
        { type: 'open', thread: 't1' },
      ],
      4400,
      'INVALID_INPUT',
    ],
    ['of headers that are none', [{ type: 'auth', headers: { 'a b': 'x\n' } }], 4400, 'INVALID_INPUT'],
  ])('what asks for a stream %s is refused as over HTTP', async (_what, frames, code, error) => {
    const server = await startServer({ graphs: words('a') })
    await server.post('/v1/threads', { id: 't1' })
    const socket = await new Socket(server.url).send(...frames)
    expect(await socket.closed).toBe(code)
    expect(socket.frames.at(-1)).toMatchObject({ event: 'error', data: { code: error } })
    expect(server.errors).toEqual([])
    expect(server.app.openStreams).toBe(0)
  })

  test('a frame that is larger than a body may be closes the socket', async () => {
    const server = await startServer({ graphs: words('a'), limits: { bodyBytes: 1000 } })
    const socket = await new Socket(server.url).send(JSON.stringify({ type: 'open', thread: 'x'.repeat(2000) }))
    expect(await socket.closed).toBe(1009)
  })
})

describe('who opens a WebSocket', () => {
  const auth = (request: Request) => {
    const tenant = request.headers.get('authorization') ?? request.headers.get('cookie')
    return tenant === null ? undefined : { tenant }
  }

  test('says so in its first frame or by cookie, and sees nothing of others', async () => {
    const server = await startServer({ graphs: words('a'), auth })
    const mine = { type: 'auth', headers: { authorization: 'me' } }
    const first = await new Socket(server.url).send(mine, { type: 'open', thread: 't1', start: start() })
    expect(await first.closed).toBe(1000)
    const again = await new Socket(server.url).send(mine, { type: 'open', thread: 't1', until: 'r1' })
    expect(await again.closed).toBe(1000)
    const stranger = new Socket(server.url, { headers: { cookie: 'you' } })
    await stranger.send({ type: 'open', thread: 't1' })
    expect(await stranger.closed).toBe(4404)
    const nobody = await new Socket(server.url).send({ type: 'open', thread: 't1' })
    expect(await nobody.closed).toBe(4401)
    const twice = await new Socket(server.url).send(mine, mine)
    expect(await twice.closed).toBe(4400)
  })

  test('from a page of another origin is turned away before it is one', async () => {
    const page = 'https://app.example'
    const closed = await startServer({ graphs: words('a') })
    const open = await startServer({ graphs: words('a'), cors: { origins: [page] } })
    const connects = (url: string, origin: string) =>
      new Promise<string>((resolve) => {
        const { socket } = new Socket(url, { headers: { origin } })
        socket.once('open', () => resolve('open'))
        socket.once('unexpected-response', (_request, response) => resolve(String(response.statusCode)))
      })
    expect(await connects(closed.url, page)).toBe('403')
    expect(await connects(closed.url, closed.url)).toBe('open')
    expect(await connects(open.url, page)).toBe('open')
    expect(await connects(open.url, 'https://evil.example')).toBe('403')
    expect(await connects(open.url, 'null')).toBe('403')
  })

  test('and asks for nothing is told so after 5 s, and let go', async () => {
    const server = await startServer({ graphs: words('a') })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const idle = await new Socket(server.url).send()
    // The server has the socket once it has answered another one.
    const other = await new Socket(server.url).send({})
    expect(await other.closed).toBe(4400)
    vi.advanceTimersByTime(4999)
    expect(idle.socket.readyState).toBe(WebSocket.OPEN)
    vi.advanceTimersByTime(1)
    expect(await idle.closed).toBe(4401)
    expect(idle.frames).toMatchObject([{ event: 'error', data: { code: 'AUTH_REQUIRED' } }])
  })

  test('and answers no ping is let go, and who does is not', async () => {
    const server = await startServer({ graphs: words('a', new Gate()), heartbeatMs: 20 })
    const url = `${server.url.replace('http', 'ws')}/v1/ws`
    const reading = await new Socket(server.url).send({ type: 'open', thread: 't1', start: start() })
    await reading.until('message.delta')
    const dead = new WebSocket(url, ['rivulet.v1'], { autoPong: false })
    expect(await new Promise((resolve) => dead.once('close', resolve))).toBe(1006)
    expect(reading.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('gets no compression, which can grow without bound', async () => {
    const server = await startServer({ graphs: words('a') })
    const { socket } = await new Socket(server.url).send()
    expect(socket.extensions).toBe('')
  })

  test('must be at its address', async () => {
    const server = await startServer({ graphs: words('a') })
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/other`)
    const status = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode))
    })
    expect(status).toBe(404)
  })
})

test('a server that closes tells its sockets when to come back', async () => {
  const gate = new Gate()
  const server = await startServer({ graphs: words('a', gate) })
  const idle = new Socket(server.url)
  const reading = await new Socket(server.url).send({ type: 'open', thread: 't1', start: start() })
  await reading.until('message.delta')
  await idle.send()
  const closed = server.close()
  expect(await reading.closed).toBe(1001)
  expect(reading.frames.at(-1)).toEqual({ retry: 1000 })
  expect(await idle.closed).toBe(1006)
  await closed
})
