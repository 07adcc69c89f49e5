import * as fc from 'fast-check'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { formatCursor, messagesOf, serializeState, type StampedEvent, type ThreadState } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { eventsIn, foldFrames, FrameReader, startServer, typesIn, type TestServer } from './server.ts'

const stateOf = (state: ThreadState): object => ({ cursor: state.cursor, gap: state.gap, ...serializeState(state) })
const isEnd = ({ type }: { type: string }): boolean => type === 'run.end'

/** A thread with one finished run of a real graph, and every event of it as a first reader saw them. */
async function finishedThread(): Promise<{ server: TestServer; log: string; events: StampedEvent[] }> {
  const server = await startServer({ graphs: { chat: chatGraph() } })
  const body = { graph: 'chat', run: 'r1', input: { messages: ['tell me a story of some length'] }, modes: ['updates'] }
  const frames = await (await server.run('t1', body)).all()
  const events = eventsIn(frames).filter((event): event is StampedEvent => event.type !== 'sync')
  return { server, log: foldFrames(frames).log, events }
}

describe('reading a thread', () => {
  test('from any cursor ends with the same state', async () => {
    const { server, log, events } = await finishedThread()
    const whole = await (await server.read('/v1/threads/t1/events?until=r1')).all()
    const expected = stateOf(foldFrames(whole))
    for (const cursor of [0, ...events.map(({ seq }) => seq)]) {
      const partial = foldFrames([{ type: 'events', log, events: events.filter(({ seq }) => seq <= cursor) }])
      const rest = await server.read(`/v1/threads/t1/events?until=r1&after=${formatCursor(log, cursor)}`)
      expect(stateOf(foldFrames(await rest.all(), partial))).toEqual(expected)
    }
  })

  test('goes on from the cursor in Last-Event-ID, as browsers send it', async () => {
    const { server, log } = await finishedThread()
    const headers = { 'last-event-id': formatCursor(log, 3) }
    const text = await (await server.get('/v1/threads/t1/events?until=r1', headers)).text()
    expect(text.startsWith(`id: ${log}.3\nevent: sync\ndata: {"phase":"replay"}\n\n`)).toBe(true)
  })

  test('without a cursor begins with a snapshot and stays open for what follows', async () => {
    const { server } = await finishedThread()
    const reader = await server.read('/v1/threads/t1/events')
    const first = await reader.next()
    expect(eventsIn([first!])).toMatchObject([{ type: 'sync', phase: 'snapshot' }])
    await server.post('/v1/threads/t1/runs', { graph: 'chat', run: 'r2', input: { messages: ['more'] } })
    const state = foldFrames([first!, ...(await reader.until(isEnd))])
    expect(messagesOf(state)).toHaveLength(4)
    await reader.cancel()
  })

  test('shows everybody the same order', async () => {
    const gates = [new Gate(), new Gate(), new Gate()]
    const words = ['a ', gates[0]!, 'b ', gates[1]!, 'c ', gates[2]!, 'd']
    const server = await startServer({ graphs: { words: wordGraph(words) } })
    const first = await server.run('t1', { graph: 'words', run: 'r1' })
    const one = [...(await first.until(({ type }) => type === 'message.delta'))]
    gates[0]!.open()
    const second = await server.read('/v1/threads/t1/events?until=r1')
    const two = [(await second.next())!]
    gates[1]!.open()
    one.push((await first.next())!)
    const so = foldFrames(one)
    const third = await server.read(`/v1/threads/t1/events?until=r1&after=${formatCursor(so.log, so.cursor)}`)
    gates[2]!.open()
    const states = [
      foldFrames([...one, ...(await first.all())]),
      foldFrames([...two, ...(await second.all())]),
      foldFrames(await third.all(), so),
    ]
    expect(states.map((state) => messagesOf(state)[0]?.content)).toEqual(['a b c d', 'a b c d', 'a b c d'])
    expect(new Set(states.map((state) => state.cursor)).size).toBe(1)
  })

  test('takes only what it asks for', async () => {
    const { server } = await finishedThread()
    const read = async (query: string) =>
      typesIn(await (await server.read(`/v1/threads/t1/events?until=r1&after=zzz.0&${query}`)).all())
    const log = foldFrames(await (await server.read('/v1/threads/t1/events?until=r1')).all()).log
    const filtered = async (query: string) =>
      new Set(typesIn(await (await server.read(`/v1/threads/t1/events?until=r1&after=${log}.0&${query}`)).all()))
    expect(await read('modes=custom')).toEqual(['sync'])
    expect(await filtered('modes=custom')).toEqual(new Set(['sync', 'run.start', 'custom', 'run.end']))
    expect(await filtered('modes=custom,updates')).toEqual(
      new Set(['sync', 'run.start', 'custom', 'updates', 'run.end']),
    )
    expect(await filtered('modes=messages&node=talk')).toEqual(
      new Set(['sync', 'run.start', 'message.start', 'message.delta', 'message.end', 'run.end']),
    )
    expect(await filtered('modes=messages&tag=none&ns=sub%3A1')).toEqual(new Set(['sync', 'run.start', 'run.end']))
  })

  test('for a mode that the run does not record is refused', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph([gate]) } })
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1', modes: ['updates'] })
    const answer = await server.get('/v1/threads/t1/events?modes=updates,debug')
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'MODE_NOT_RECORDED', run: 'r1' } })
    const taken = await server.read('/v1/threads/t1/events?modes=updates')
    expect(taken.response.status).toBe(200)
    await taken.cancel()
    gate.open()
  })

  test('after the log was trimmed begins with a snapshot and ends the same', async () => {
    const { memoryStore } = await import('../src/index.ts')
    const gate = new Gate()
    const words = [...Array.from({ length: 50 }, (_, i) => `${i} `), gate, 'end']
    const store = memoryStore({ log: { maxEvents: 16 } })
    const server = await startServer({ graphs: { words: wordGraph(words) }, store })
    const stream = await server.run('t1', { graph: 'words', run: 'r1' })
    const first = await stream.until(({ type }) => type === 'message.delta' || type === 'sync')
    const { log } = foldFrames(first)
    gate.open()
    await stream.all()
    const late = await (await server.read(`/v1/threads/t1/events?until=r1&after=${log}.1`)).all()
    expect(eventsIn(late)[0]).toMatchObject({ type: 'sync', phase: 'snapshot' })
    expect(messagesOf(foldFrames(late))[0]?.content).toMatch(/^0 1 2 .* 49 end$/)
  })
})

describe('a slow reader', () => {
  /** A client that asks, and reads nothing before it is told to. */
  function openStuck(server: TestServer, path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = request(server.url + path, (response) => {
        response.socket.pause()
        resolve(response)
      })
      sent.on('error', reject)
      sent.end()
    })
  }

  test('[row 15] slows nobody else, and gets everything when it reads again', async () => {
    const gate = new Gate()
    const words = Array.from({ length: 2000 }, (_, i) => `${i}`.padStart(4000, ' '))
    const server = await startServer({ graphs: { words: wordGraph([gate, ...words]) } })
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })
    const stuck = await openStuck(server, '/v1/threads/t1/events?until=r1')
    const reader = await server.read('/v1/threads/t1/events?until=r1')
    gate.open()
    const state = foldFrames(await reader.all())
    expect(messagesOf(state)[0]?.content).toHaveLength(2000 * 4000)
    stuck.socket.resume()
    const late = foldFrames(await new FrameReader(new Response(Readable.toWeb(stuck) as ReadableStream)).all())
    expect(stateOf(late)).toEqual(stateOf(state))
  })
})

describe('when the server closes', () => {
  test('[row 17] readers are told when to come back, and new requests are turned away', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['a', gate, 'b']) } })
    const reading = await server.run('t1', { graph: 'words', run: 'r1' })
    await reading.until(({ type }) => type === 'message.delta')
    const closed = server.app.close({ graceMs: 10_000 })
    expect(await reading.all()).toEqual([{ type: 'retry', delayMs: 1000 }])
    const answer = await server.app.fetch(new Request('http://localhost/v1/threads'))
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.json()).toMatchObject({ error: { code: 'DISCONNECTED', retryable: true } })
    gate.open()
    await closed
  })

  test('runs get their time to end, and are cancelled after it', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a', new Gate(), 'b']) } })
    const started = server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    const reading = await server.run('t2', { graph: 'words', run: 'r2' })
    await reading.until(({ type }) => type === 'message.delta')
    await server.close()
    expect(await (await started).json()).toMatchObject({ run: 'r1', status: 'cancelled' })
  })
})

test('a cursor of any form is answered with a stream or a typed error, never with a failure', async () => {
  const { server } = await finishedThread()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `${text}.1`),
        fc.nat().map((n) => `abc.${n}`),
      ),
      async (after) => {
        const url = `/v1/threads/t1/events?until=r1&after=${encodeURIComponent(after)}`
        const answer = await server.get(url)
        expect([200, 400]).toContain(answer.status)
        await answer.text()
      },
    ),
    { numRuns: 60 },
  )
  expect(server.errors).toEqual([])
})
