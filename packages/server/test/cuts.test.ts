import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import {
  createBlockReader,
  createFrameDecoder,
  emptyState,
  foldAll,
  formatCursor,
  messagesOf,
  serializeState,
  type Frame,
  type ThreadState,
} from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { foldFrames, startServer, type TestServer } from './server.ts'
import { temporaryStore } from './sqlite.ts'

type Cut = 'end' | 'reset'

/** Reads frames from a cursor until one more than `frames` has come or the stream is over; then cuts the connection. */
type ReadSome = (server: TestServer, after: string | undefined, frames: number, cut: Cut) => Promise<Frame[]>

const overSse: ReadSome = (server, after, frames, cut) =>
  new Promise((resolve, reject) => {
    const query = after === undefined ? '' : `&after=${after}`
    const sent = request(`${server.url}/v1/threads/t1/events?until=r1${query}`, (response: IncomingMessage) => {
      const decoder = createFrameDecoder()
      const taken: Frame[] = []
      response.on('data', (bytes: Buffer) => {
        for (const frame of decoder.push(bytes)) if (taken.length <= frames) taken.push(frame)
        if (taken.length > frames) leave(response.socket, cut)
      })
      response.once('close', () => resolve(taken))
      response.on('error', () => undefined)
    })
    sent.once('error', reject)
    sent.end()
  })

const overSocket: ReadSome = (server, after, frames, cut) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`, 'rivulet.v1')
    const read = createBlockReader()
    const taken: Frame[] = []
    let below: Socket | undefined
    socket.on('upgrade', (response) => (below = response.socket))
    socket.once('open', () => socket.send(JSON.stringify({ type: 'open', thread: 't1', until: 'r1', after })))
    socket.on('message', (data) => {
      const { id, event, data: body } = JSON.parse((data as Buffer).toString()) as Record<string, unknown>
      if (taken.length <= frames) taken.push(read(String(event), String(id), body))
      if (taken.length > frames) leave(below!, cut)
    })
    socket.once('close', () => resolve(taken))
    socket.once('error', reject)
  })

function leave(socket: Socket, cut: Cut): void {
  if (cut === 'reset') socket.resetAndDestroy()
  else socket.destroy()
}

const shown = (state: ThreadState): object => ({ cursor: state.cursor, gap: state.gap, ...serializeState(state) })
const take = (state: ThreadState, frames: readonly Frame[]): ThreadState =>
  frames.reduce((now, frame) => (frame.type === 'events' ? foldAll(now, frame.events) : now), state)

describe.each([
  ['server-sent events', overSse],
  ['a WebSocket', overSocket],
] as const)('over %s', (_wire, readSome) => {
  test.each(['end', 'reset'] as const)('a connection cut by %s after any frame ends in the same state', async (cut) => {
    const server = await startServer({ graphs: { chat: chatGraph() }, store: await temporaryStore() })
    const body = { graph: 'chat', run: 'r1', input: { messages: ['a question of some length, cut anywhere'] } }
    await (await server.run('t1', body)).all()
    const whole = foldFrames(await (await server.read('/v1/threads/t1/events?until=r1')).all())
    const { log } = whole
    for (let seq = 0; seq < whole.cursor; seq++) {
      const start = take(emptyState(), await readSome(server, undefined, 0, cut))
      const first = await readSome(server, formatCursor(log, seq), 1, cut)
      expect(start.gap).toBeUndefined()
      const rest = await readSome(server, formatCursor(log, cursorOf(first, seq)), Infinity, cut)
      // What one reader has of the two connections is what another has of one.
      const { events } = eventsAfter(seq, [...first, ...rest])
      expect(events).toEqual(Array.from({ length: events.length }, (_, i) => events[0]! + i))
      expect(events.at(-1) ?? whole.cursor).toBe(whole.cursor)
    }
    const resumed = take(whole, await readSome(server, formatCursor(log, whole.cursor), Infinity, cut))
    expect(shown(resumed)).toEqual(shown(whole))
  })

  test('a run that is cut at every frame while it goes on is shown whole', async () => {
    const words = Array.from({ length: 9 }, (_, i) => [new Gate(), `${i} `] as const)
    const server = await startServer({ graphs: { words: wordGraph(words.flat()) } })
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })
    let state = take(emptyState(), await readSome(server, undefined, 0, 'reset'))
    for (const [i, [gate]] of words.entries()) {
      gate.open()
      const cut = i % 2 === 0 ? 'reset' : 'end'
      const next = await readSome(server, formatCursor(state.log, state.cursor), i % 3, cut)
      state = take(state, next)
      expect(state.gap).toBeUndefined()
    }
    state = take(state, await readSome(server, formatCursor(state.log, state.cursor), Infinity, 'end'))
    expect(messagesOf(state)).toMatchObject([{ content: '0 1 2 3 4 5 6 7 8 ', status: 'done' }])
  })
})

/** Cursor behind the last frame. */
function cursorOf(frames: readonly Frame[], before: number): number {
  const last = frames.findLast((frame) => frame.type === 'events')
  return last?.events.at(-1)?.seq ?? before
}

/** `seq` of every event above `after`, where a merged delta stands for all it holds. */
function eventsAfter(after: number, frames: readonly Frame[]): { events: number[] } {
  const seen = new Set<number>()
  let last = after
  for (const frame of frames) {
    if (frame.type !== 'events') continue
    for (const event of frame.events) {
      if (event.type === 'sync' || event.seq <= last) continue
      for (let seq = last + 1; seq <= event.seq; seq++) if ((event.prev ?? event.seq - 1) <= last) seen.add(seq)
      last = event.seq
    }
  }
  return { events: [...seen] }
}

test('joining late in a long answer costs little more than the state', async () => {
  const gate = new Gate()
  const words = Array.from({ length: 20_000 }, (_, i) => `token ${i} `)
  const server = await startServer({ graphs: { words: wordGraph([...words, gate]) } })
  const reader = await server.run('t1', { graph: 'words', run: 'r1' })
  let state = emptyState()
  while (!(messagesOf(state)[0]?.content.includes('token 19999') ?? false))
    state = take(state, [(await reader.next())!])
  await reader.cancel()
  for (const after of ['', `&after=${formatCursor(state.log, 5)}`]) {
    const late = await server.read(`/v1/threads/t1/events?until=r1${after}`)
    const first = (await late.next())!
    expect(messagesOf(foldFrames([first]))[0]?.content).toHaveLength(words.join('').length)
    expect(late.text.length).toBeLessThan(1.2 * JSON.stringify(serializeState(state)).length)
    await late.cancel()
  }
  gate.open()
})
