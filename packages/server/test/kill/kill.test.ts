import {
  emptyState,
  foldAll,
  formatCursor,
  messagesOf,
  serializeState,
  valuesOf,
  type ThreadState,
} from '@rivulet/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FrameReader, startServer } from '../server.ts'
import { openStore, temporaryPath } from '../sqlite.ts'
import { buildChild, removeChild, startChild } from './children.ts'
import { line, STEPS, storyGraph } from './story.ts'

let program: string

beforeAll(async () => {
  program = await buildChild()
})

afterAll(() => removeChild(program))

/** A bare client of one thread: posts its run until that is answered, reads, and comes back from its cursor. */
class Follower {
  readonly thread: string
  state: ThreadState = emptyState()
  frames = 0

  constructor(thread: string) {
    this.thread = thread
  }

  get isDone(): boolean {
    const status = this.state.runs.get('r1')?.status
    return status !== undefined && status !== 'running'
  }

  /** Reads until the run ends or the connection does; told of every frame. */
  async follow(url: string, onFrame: () => void): Promise<void> {
    try {
      const { log, cursor } = this.state
      const after = log === '' ? undefined : formatCursor(log, cursor)
      const body = { graph: 'story', run: 'r1', input: { messages: ['tell me'] }, after }
      const response = await fetch(`${url}/v1/threads/${this.thread}/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`answered ${response.status}`)
      const reader = new FrameReader(response)
      for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
        if (frame.type !== 'events') continue
        this.frames++
        this.state = foldAll(this.state, frame.events)
        if (this.state.gap !== undefined) throw new Error(this.state.gap.reason)
        onFrame()
      }
    } catch (error) {
      // The server is gone, in the middle of whatever it was.
      if (!(error instanceof TypeError)) throw error
    }
  }
}

const shown = (state: ThreadState): object => ({ cursor: state.cursor, log: state.log, ...serializeState(state) })

/** What a whole story looks like: nothing lost, nothing told twice. */
function expectWhole(state: ThreadState): void {
  expect(state.gap).toBeUndefined()
  expect(state.runs.get('r1')).toMatchObject({ status: 'done' })
  const texts = messagesOf(state).map(({ content }) => content)
  expect(texts).toEqual(['tell me', ...Array.from({ length: STEPS }, (_, step) => line(step))])
  expect(valuesOf(state)).toMatchObject({ count: STEPS })
}

/** Opens the database once more and holds what everybody saw against what is in it. */
async function expectAgreement(path: string, followers: readonly Follower[]): Promise<void> {
  const server = await startServer({ graphs: { story: storyGraph() }, store: openStore(path) })
  for (const follower of followers) {
    while (!follower.isDone) await follower.follow(server.url, () => undefined)
    expectWhole(follower.state)
    const { thread } = follower
    const fresh = new Follower(thread)
    await fresh.follow(server.url, () => undefined)
    expect(shown(fresh.state)).toEqual(shown(follower.state))
    const { values } = await (await server.get(`/v1/threads/${thread}/state`)).json()
    expect(values.count).toBe(STEPS)
    const contents = (messages: readonly { content: string }[]) => messages.map(({ content }) => content)
    expect(contents(values.messages)).toEqual(contents(messagesOf(follower.state)))
    expect(await (await server.get(`/v1/threads/${thread}`)).json()).toMatchObject({ status: 'idle' })
  }
  expect(server.errors).toEqual([])
}

/** The same numbers for everybody who runs this, spread over 0 to 1. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Kills a server so often, each time after some frames more; holds what was seen against what is there. Answers how many threads that took. */
async function killTimeAndAgain(kills: number, seed: number): Promise<number> {
  const path = await temporaryPath()
  const random = numbers(seed)
  const followers: Follower[] = []
  for (let kill = 0; kill < kills; kill++) {
    const running = followers.filter(({ isDone }) => !isDone)
    while (running.length < 3) {
      const fresh = new Follower(`t${followers.length}`)
      followers.push(fresh)
      running.push(fresh)
    }
    const { url, kill: end, gone } = await startChild(program, path)
    let left = Math.floor(random.next().value * 120)
    if (left === 0) end()
    await Promise.all(running.map((one) => one.follow(url!, () => void (left-- === 1 && end()))))
    end()
    expect(await gone).toBe('SIGKILL')
  }
  await expectAgreement(path, followers)
  return followers.length
}

describe('a server that is killed', () => {
  test(
    '[rows 12, 18] at 50 moments under load loses nothing and tells nothing twice',
    { timeout: 120_000 },
    async () => {
      // Two at a time: most of what a child takes is its start.
      const threads = await Promise.all([killTimeAndAgain(25, 7), killTimeAndAgain(25, 8)])
      expect(Math.min(...threads)).toBeGreaterThan(3)
    },
  )

  test.each([
    'before:INSERT INTO runs:1',
    'after:INSERT INTO runs:1',
    'before:INSERT INTO events:1',
    'after:INSERT INTO events:1',
    'before:INSERT INTO checkpoints:1',
    'after:INSERT INTO checkpoints:1',
    'before:INSERT INTO checkpoints:3',
    'after:INSERT INTO checkpoints:3',
    'before:INSERT INTO events:20',
    'after:INSERT INTO events:20',
    'before:"run.end":1',
    'after:"run.end":1',
    'before:DELETE FROM events:1',
    'after:DELETE FROM events:1',
    'before:UPDATE runs:1',
    'after:UPDATE runs:1',
  ])('[rows 7, 8, 9] %s goes on where it was', async (point) => {
    const path = await temporaryPath()
    const { url, gone } = await startChild(program, path, point)
    const follower = new Follower('t1')
    await follower.follow(url!, () => undefined)
    // Merging old events comes after the end of the run.
    expect(await gone).toBe('SIGKILL')
    await expectAgreement(path, [follower])
  })
})
