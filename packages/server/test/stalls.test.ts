import { request } from 'node:http'
import {
  createBlockReader,
  createFrameDecoder,
  emptyState,
  foldAll,
  formatCursor,
  messagesOf,
  serializeState,
  type Frame,
  type RunEvent,
  type StreamableGraph,
  type ThreadState,
} from '@rivulet/protocol'
import type { ByteFault } from '@rivulet/testing'
import { chaosProxy } from '@rivulet/testing/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { Gate } from './graphs.ts'
import { foldFrames, startServer } from './server.ts'

/** A connection of a bare reader: the frames that came, until it is given up or ended. */
class Reading {
  readonly frames: Frame[] = []
  isOver = false
  giveUp: () => void = () => undefined
  #wake: () => void = () => undefined

  take(frame: Frame): void {
    this.frames.push(frame)
    this.#wake()
  }

  end(): void {
    this.isOver = true
    this.#wake()
  }

  /** Resolves when the state with these frames is as asked for, with that state. */
  async until(state: ThreadState, isThere: (state: ThreadState) => boolean): Promise<ThreadState> {
    for (let now = state; ;) {
      for (const frame of this.frames.splice(0)) if (frame.type === 'events') now = foldAll(now, frame.events)
      if (isThere(now) || this.isOver) return now
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

type Open = (url: string, after: string | undefined) => Reading

const overSse: Open = (url, after) => {
  const reading = new Reading()
  const query = after === undefined ? '' : `&after=${after}`
  const decoder = createFrameDecoder()
  const sent = request(`${url}/v1/threads/t1/events?until=r1${query}`, (response) => {
    response.on('data', (bytes: Buffer) => decoder.push(bytes).forEach((frame) => reading.take(frame)))
    response.once('close', () => reading.end())
    response.on('error', () => undefined)
  })
  sent.on('error', () => reading.end())
  sent.end()
  reading.giveUp = () => sent.destroy()
  return reading
}

const overSocket: Open = (url, after) => {
  const reading = new Reading()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'rivulet.v1')
  const read = createBlockReader()
  socket.once('open', () => socket.send(JSON.stringify({ type: 'open', thread: 't1', until: 'r1', after })))
  socket.on('message', (data) => {
    // The server's frames; a heartbeat has neither.
    const {
      id,
      event,
      data: body,
    } = JSON.parse((data as Buffer).toString()) as {
      id?: string
      event?: string
      data?: unknown
    }
    if (id !== undefined && event !== undefined) reading.take(read(event, id, body))
  })
  socket.on('error', () => undefined)
  socket.once('close', () => reading.end())
  reading.giveUp = () => socket.terminate()
  return reading
}

/** A line that goes silent when it is told to: what comes from then on is swallowed, and nobody closes. */
class Line {
  isSilent = false
  #swallowed: () => void = () => undefined

  readonly fault: ByteFault = {
    on: 'bytes',
    begin: () => (act) => {
      if (!this.isSilent) return [act]
      this.#swallowed()
      return []
    },
  }

  /** Resolves when something got lost from now on: what comes next, or a heartbeat. */
  silence(): Promise<void> {
    this.isSilent = true
    return new Promise((resolve) => (this.#swallowed = resolve))
  }
}

/** Each of a run's events, as soon as its gate is opened. */
function gated(events: readonly RunEvent[], gates: readonly Gate[]): StreamableGraph {
  return {
    async *events() {
      for (const [i, event] of events.entries()) {
        await gates[i]!.passed
        yield event
      }
    },
  }
}

const told: RunEvent[] = [
  { type: 'run.start', run: 'r1', protocol: 1 },
  { type: 'message.start', run: 'r1', id: 'm', role: 'assistant' },
  ...['One ', 'zwei ', '三 ', '🐎'].map((text, i): RunEvent => {
    return { type: 'message.delta', run: 'r1', id: 'm', part: 0, at: [0, 4, 9, 11][i]!, text }
  }),
  { type: 'message.end', run: 'r1', id: 'm', lengths: [13] },
  { type: 'custom', run: 'r1', name: 'progress', data: { done: 1 } },
  { type: 'values', run: 'r1', step: 1, set: { said: 13 }, lists: { messages: { append: ['m'] } } },
  { type: 'run.end', run: 'r1', status: 'done' },
]

const shown = (state: ThreadState): object => ({ cursor: state.cursor, gap: state.gap, ...serializeState(state) })
const cursorIn = ({ log, cursor }: ThreadState): string | undefined =>
  log === '' ? undefined : formatCursor(log, cursor)

describe.each([
  ['server-sent events', overSse],
  ['a WebSocket', overSocket],
] as const)('over %s', (_wire, open) => {
  test('a line that goes silent at any event, with more on its way, ends in the same state', async () => {
    const gates = told.map(() => new Gate())
    const server = await startServer({ graphs: { told: gated(told, [...gates]) }, heartbeatMs: 5 })
    const line = new Line()
    const proxy = await chaosProxy({ port: Number(new URL(server.url).port), faults: () => [line.fault] })
    onTestFinished(() => proxy.close())
    await server.post('/v1/threads/t1/runs', { graph: 'told', run: 'r1' })

    // Silent before anything came: not even the head of the answer.
    const lost = line.silence()
    const mute = open(proxy.url, undefined)
    await lost
    mute.giveUp()

    let state = emptyState()
    const last = gates.pop()!
    for (const [i, gate] of gates.entries()) {
      line.isSilent = false
      const reading = open(proxy.url, cursorIn(state))
      gate.open()
      state = await reading.until(state, ({ cursor }) => cursor === i + 1)
      expect(state).toMatchObject({ cursor: i + 1, gap: undefined })
      const swallowed = line.silence()
      // Every other time the next event gets lost on its way, else a heartbeat.
      if (i % 2 === 0) (gates[i + 1] ?? last).open()
      await swallowed
      reading.giveUp()
    }
    line.isSilent = false
    last.open()
    state = await open(proxy.url, cursorIn(state)).until(state, () => false)
    expect(messagesOf(state)).toMatchObject([{ content: 'One zwei 三 🐎', status: 'done' }])
    const whole = foldFrames(await (await server.read('/v1/threads/t1/events?until=r1')).all())
    expect(shown(state)).toEqual(shown(whole))
  })
})
