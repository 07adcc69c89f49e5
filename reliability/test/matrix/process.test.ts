import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@libsql/client'
import { messages, START, state, StateGraph } from '@rivulet/core'
import { createFrameDecoder, emptyState, foldAll, messagesOf, type Frame, type ThreadState } from '@rivulet/protocol'
import { createApp, type App } from '@rivulet/server'
import { serve } from '@rivulet/server/node'
import { sqliteStore } from '@rivulet/server/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { ANSWER, chat } from './graphs.ts'

const HOG_MS = 300

/** Starts a run and reads its stream to the end; what it says is held against the log by folding. */
async function ask(url: string, graph: string, thread: string): Promise<{ state: ThreadState; frames: Frame[] }> {
  const response = await fetch(`${url}/v1/threads/${thread}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ graph, input: { messages: ['hi'] } }),
  })
  const decoder = createFrameDecoder()
  const frames: Frame[] = []
  // A body of Node's `fetch` can be iterated over.
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) frames.push(...decoder.push(bytes))
  decoder.end()
  const events = frames.flatMap((frame) => (frame.type === 'events' ? frame.events : []))
  return { state: foldAll(emptyState(), events), frames }
}

async function serving(app: App): Promise<string> {
  const served = await serve(app, { port: 0 })
  onTestFinished(() => served.close({ graceMs: 0 }))
  return served.url
}

test('[row 4] a node that hogs the process delays the others, whose heartbeats come again and who lose nothing', async () => {
  const hog = new StateGraph(state({ messages: messages() }))
    .addNode('hog', () => {
      for (const until = performance.now() + HOG_MS; performance.now() < until;);
      return {}
    })
    .addEdge(START, 'hog')
    .compile()
  const app = createApp({ graphs: { hog, chat: chat({ delayMs: 60 }) }, heartbeatMs: 25 })
  const url = await serving(app)
  const talking = ask(url, 'chat', 'talk')
  const hogging = ask(url, 'hog', 'hog')
  const [{ state: talked, frames }, { state: hogged }] = await Promise.all([talking, hogging])
  expect(messagesOf(talked).map(({ content }) => content)).toEqual(['hi', ANSWER])
  expect([...hogged.runs.values()].map(({ status }) => status)).toEqual(['done'])
  expect(frames.filter(({ type }) => type === 'at').length).toBeGreaterThan(3)
})

test.each([
  ['full', 'SQLITE_FULL: database or disk is full'],
  ['broken', 'SQLITE_IOERR: disk I/O error'],
])(
  '[row 10] a disk that is %s fails the run with a typed error, and what was kept can be read',
  async (_name, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'rivulet-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const store = sqliteStore(join(folder, 'threads.db'))
    const failures: unknown[] = []
    const app = createApp({ graphs: { chat: chat() }, store, onError: (error) => failures.push(error) })
    const url = await serving(app)
    const { state: before } = await ask(url, 'chat', 'talk')
    expect(messagesOf(before).at(-1)?.content).toBe(ANSWER)

    const mend = failWrites(message, 3)
    await expect(ask(url, 'chat', 'talk').finally(mend)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(failures.length).toBeGreaterThan(0)
    const [first] = before.runs.keys()
    const response = await fetch(`${url}/v1/threads/talk/events?after=${before.log}.0&until=${first}`)
    expect(await response.text()).toContain('river')
    const runs = await (await fetch(`${url}/v1/threads/talk/runs?limit=1`)).json()
    expect(runs).toMatchObject({ runs: [{ status: 'error', error: { code: 'INTERNAL' } }] })
  },
)

/** From the nth transaction that writes events on, the disk does not take them. Answers how to mend it. */
function failWrites(message: string, nth: number): () => void {
  const probe = createClient({ url: 'file::memory:' })
  // The class is not exported; every client shares its prototype.
  const prototype = Object.getPrototypeOf(probe) as { batch: (...args: unknown[]) => Promise<unknown> }
  const { batch } = prototype
  let seen = 0
  prototype.batch = function (...args) {
    const writes = JSON.stringify(args[0]).includes('INSERT INTO events')
    if (writes && ++seen >= nth) return Promise.reject(new Error(message))
    return batch.apply(this, args)
  }
  return () => void (prototype.batch = batch)
}
