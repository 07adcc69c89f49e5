import { createClient, LibsqlError, type Client } from '@libsql/client/sqlite3'
import type { RunEvent, StreamableGraph } from '@rivulet/protocol'
import { afterEach, beforeEach, expect, test, vi, type MockInstance } from 'vitest'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { foldFrames, startServer } from './server.ts'
import { openStore, temporaryPath } from './sqlite.ts'

/** Sees which client a store opens its database with: the store shows it to nobody. */
let opened: MockInstance<Client['execute']>

beforeEach(() => {
  opened = vi.spyOn(prototypeOfClients(), 'execute')
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** The class is not exported; every client shares its prototype. */
function prototypeOfClients(): Client {
  return Object.getPrototypeOf(createClient({ url: 'file::memory:' })) as Client
}

/** Leaves room for so many pages more than the database has now. */
async function leaveRoom(pages: number): Promise<void> {
  // The spy is on a client's method.
  const client = opened.mock.contexts[0] as Client
  const { rows } = await client.execute('PRAGMA page_count')
  await client.execute(`PRAGMA max_page_count = ${Number(rows[0]!['page_count']) + pages}`)
}

/** Writes so many values of 4 KiB each. */
function hoarder(values: number): StreamableGraph {
  return {
    async *events(_input, { runId: run = '' } = {}): AsyncGenerator<RunEvent> {
      yield { type: 'run.start', run, protocol: 1 }
      for (let i = 0; i < values; i++) {
        await new Promise<void>((resolve) => void setImmediate(resolve))
        yield { type: 'custom', run, name: 'hoard', data: `${i} ${'x'.repeat(4096)}` }
      }
      yield { type: 'run.end', run, status: 'done' }
    },
  }
}

const hi = { graph: 'chat', input: { messages: ['hi'] } }

test('a run that fills the disk fails with a typed error, what it wrote before stays, and the server goes on', async () => {
  const path = await temporaryPath()
  const server = await startServer({ graphs: { hoarder: hoarder(500), chat: chatGraph() }, store: openStore(path) })
  const ask = async (path: string, body: object) => (await server.post(path, body)).json()
  expect(await ask('/v1/threads/other/runs?wait=1', hi)).toMatchObject({ status: 'done' })
  await leaveRoom(100)

  const seen = foldFrames(await (await server.run('t1', { graph: 'hoarder', run: 'r1' })).all())
  const error = { code: 'LIMIT_EXCEEDED', message: 'the disk is full' }
  expect(seen.runs.get('r1')).toMatchObject({ status: 'error', error })
  expect(seen.cursor).toBeGreaterThan(20)
  expect(await (await server.get('/v1/threads/t1/runs/r1')).json()).toMatchObject({ status: 'error', error })
  // Every event that is there is whole, and none is missing.
  const read = foldFrames(await (await server.read('/v1/threads/t1/events?until=r1')).all())
  expect(read).toMatchObject({ cursor: seen.cursor, gap: undefined, ignored: 0 })

  await leaveRoom(1_000_000)
  expect(await ask('/v1/threads/t1/runs?wait=1', hi)).toMatchObject({ status: 'done', values: { turns: 1 } })
  expect(await ask('/v1/threads/other/runs?wait=1', hi)).toMatchObject({ status: 'done', values: { turns: 2 } })
})

test('a disk that takes nothing at all frees its threads as soon as there is room, and tells readers before', async () => {
  const path = await temporaryPath()
  const gate = new Gate()
  const graphs = { words: wordGraph(['one ', gate, 'two']), chat: chatGraph() }
  const server = await startServer({ graphs, store: openStore(path) })
  const reader = await server.run('t1', { graph: 'words', run: 'r1' })
  await reader.until(({ type }) => type === 'message.delta')
  const full = vi.spyOn(prototypeOfClients(), 'batch').mockRejectedValue(new LibsqlError('no room', 'SQLITE_FULL'))
  gate.open()
  await expect(reader.all()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  const refused = await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r2' })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])

  full.mockRestore()
  const { status, values } = await (await server.post('/v1/threads/t1/runs?wait=1', hi)).json()
  expect([status, values.turns]).toEqual(['done', 1])
  const state = foldFrames(await (await server.read('/v1/threads/t1/events?until=r1')).all())
  expect(state.runs.get('r1')).toMatchObject({ status: 'error', error: { code: 'LIMIT_EXCEEDED' } })
  expect(await (await server.get('/v1/threads/t1/runs/r1')).json()).toMatchObject({ status: 'error' })
})
