import { checkpointerContract } from './checkpointer-contract.ts'
import { readRunRequest } from '../src/runs/run-request.ts'
import type { Run, Store, Thread } from '../src/index.ts'
import { describe, expect, test } from 'vitest'
import { logContract } from './log-contract.ts'

/** A thread with plain fields. */
export const newThread = (id: string, more: Partial<Thread> = {}): Thread => ({
  id,
  graph: undefined,
  metadata: {},
  createdAt: 1,
  updatedAt: 1,
  status: 'idle',
  memory: `memory of ${id}`,
  ...more,
})

/** A run with plain fields. */
export const newRun = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  graph: 'g',
  status: 'running',
  error: undefined,
  modes: [],
  after: 'log.0',
  fingerprint: 'f',
  createdAt: 1,
  request: readRunRequest({ graph: 'g', input: { text: '𝕏 "quoted" \u0000' }, context: { deep: [1, null] } }),
  attempt: 1,
  stalls: 0,
  from: undefined,
  base: undefined,
  ...more,
})

const done = { status: 'done', error: undefined } as const
const all = { limit: 100, cursor: undefined }

/** What any store does, whatever it is made of. `makeStore` answers an empty one, gone with the test. */
export function storeContract(makeStore: () => Promise<Store>): void {
  describe('its logs', () => {
    logContract(async () => {
      const store = await makeStore()
      await store.createThread('', newThread('t'))
      return store.openLog('', 't')
    })
  })
  describe('its checkpoints', () => {
    checkpointerContract(async () => (await makeStore()).checkpointer)
  })
  threadContract(makeStore)
  runContract(makeStore)
}

function threadContract(makeStore: () => Promise<Store>): void {
  describe('threads', () => {
    test('are kept once, and the first stays, also when they are made at once', async () => {
      const store = await makeStore()
      const made = await Promise.all(
        ['x', 'y', 'z'].map((memory) => store.createThread('', newThread('a', { memory }))),
      )
      expect(made.map(({ created }) => created)).toEqual([true, false, false])
      expect(made.map(({ thread }) => thread.memory)).toEqual(['x', 'x', 'x'])
    })

    test('come back as they were given', async () => {
      const store = await makeStore()
      const thread = newThread('a', {
        graph: 'g',
        metadata: { title: 'A "B" 𝕏', n: 1.5, deep: { list: [null, true] } },
      })
      await store.createThread('', thread)
      expect(await store.getThread('', 'a')).toEqual(thread)
    })

    test('of another tenant are not there, however ids are spelled', async () => {
      const store = await makeStore()
      await store.createThread('a', newThread('b","c'))
      expect(await store.getThread('a","b', 'c')).toBeUndefined()
      expect(await store.getThread('', 'b","c')).toBeUndefined()
      expect(await store.getThread('%', 'b","c')).toBeUndefined()
      expect(await store.listThreads('', all)).toEqual({ threads: [], cursor: undefined })
      await expect(store.openLog('', 'b","c')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(store.startRun('', 'b","c', newRun('r'), 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await store.deleteThread('', 'b","c')).toBe(false)
      await store.changeThread('', 'b","c', { status: 'busy' })
      expect(await store.getThread('a', 'b","c')).toMatchObject({ status: 'idle' })
    })

    test('that are gone are changed by nobody, and leave nothing to the next of their name', async () => {
      const store = await makeStore()
      await store.createThread('', newThread('a'))
      await store.startRun('', 'a', newRun('r'), 1)
      await (await store.openLog('', 'a')).append([{ type: 'run.start', run: 'r', protocol: 1 }])
      expect(await store.deleteThread('', 'a')).toBe(true)
      expect(await store.deleteThread('', 'a')).toBe(false)
      await store.changeThread('', 'a', { status: 'busy' })
      await store.changeRun('', 'a', 'r', { attempt: 2 })
      await store.endRun('', 'a', 'r', done)
      expect(await store.getThread('', 'a')).toBeUndefined()
      expect(await store.getRun('', 'a', 'r')).toBeUndefined()
      await store.createThread('', newThread('a', { memory: 'another' }))
      expect(await store.getRun('', 'a', 'r')).toBeUndefined()
      expect((await store.openLog('', 'a')).head()).toBe(0)
    })

    test('change in what is named, and in nothing else', async () => {
      const store = await makeStore()
      await store.createThread('', newThread('a', { metadata: { x: 1 } }))
      await store.changeThread('', 'a', {})
      await store.changeThread('', 'a', { status: 'error', graph: 'h' })
      await store.changeThread('', 'a', { metadata: { y: 2 }, updatedAt: 9 })
      const changed = { status: 'error', graph: 'h', metadata: { y: 2 }, updatedAt: 9 } as const
      expect(await store.getThread('', 'a')).toEqual(newThread('a', changed))
    })

    test('of one millisecond are listed once each, over all pages', async () => {
      const store = await makeStore()
      for (const id of ['c', 'a', 'd', 'b']) await store.createThread('', newThread(id))
      const first = await store.listThreads('', { limit: 3, cursor: undefined })
      const second = await store.listThreads('', { limit: 3, cursor: first.cursor })
      expect([...first.threads, ...second.threads].map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
      expect(second.cursor).toBeUndefined()
      await expect(store.listThreads('', { limit: 3, cursor: 'x' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    })

    test('that move to the front between two pages are not listed again', async () => {
      const store = await makeStore()
      for (const [i, id] of ['a', 'b', 'c'].entries()) await store.createThread('', newThread(id, { updatedAt: i }))
      const first = await store.listThreads('', { limit: 1, cursor: undefined })
      await store.changeThread('', 'b', { updatedAt: 10 })
      const second = await store.listThreads('', { limit: 5, cursor: first.cursor })
      expect([first, second].map((page) => page.threads.map(({ id }) => id))).toEqual([['c'], ['a']])
    })

    test('are found by what their metadata say, and by how they stand', async () => {
      const store = await makeStore()
      const metadata: Record<string, unknown>[] = [{ n: 1 }, { n: '1' }, { n: true }, { n: null }, {}, { n: 1, m: 'x' }]
      for (const [i, one] of metadata.entries()) {
        await store.createThread('', newThread(`t${i}`, { metadata: one, status: i === 5 ? 'error' : 'idle' }))
      }
      const find = async (query: object) =>
        (await store.listThreads('', { ...all, ...query })).threads.map(({ id }) => id)
      expect(await find({ metadata: { n: 1 } })).toEqual(['t0', 't5'])
      expect(await find({ metadata: { n: '1' } })).toEqual(['t1'])
      expect(await find({ metadata: { n: true } })).toEqual(['t2'])
      expect(await find({ metadata: { n: null } })).toEqual(['t3'])
      expect(await find({ metadata: { n: 1, m: 'x' } })).toEqual(['t5'])
      expect(await find({ metadata: { toString: 'x' } })).toEqual([])
      expect(await find({ status: 'error' })).toEqual(['t5'])
    })
  })
}

function runContract(makeStore: () => Promise<Store>): void {
  async function storeWithThread(): Promise<Store> {
    const store = await makeStore()
    await store.createThread('', newThread('t'))
    return store
  }

  describe('runs', () => {
    test('run one at a time, and an id is used once', async () => {
      const store = await storeWithThread()
      expect(await store.startRun('', 't', newRun('a'), 1)).toEqual({ kind: 'created' })
      expect(await store.startRun('', 't', newRun('b'), 1)).toEqual({ kind: 'busy', run: newRun('a') })
      const again = newRun('a', { fingerprint: 'x' })
      expect(await store.startRun('', 't', again, 1)).toEqual({ kind: 'exists', run: newRun('a') })
      expect(await store.activeRun('', 't')).toEqual(newRun('a'))
      expect(await store.endRun('', 't', 'a', done)).toBeUndefined()
      expect(await store.activeRun('', 't')).toBeUndefined()
      expect(await store.getRun('', 't', 'a')).toEqual(newRun('a', { ...done, request: undefined }))
      expect(await store.startRun('', 't', newRun('b'), 1)).toEqual({ kind: 'created' })
    })

    test('leave their thread as they end', async () => {
      const store = await storeWithThread()
      await store.startRun('', 't', newRun('a'), 1)
      await store.endRun('', 't', 'a', { ...done, thread: { status: 'interrupted', updatedAt: 7 } })
      expect(await store.getThread('', 't')).toEqual(newThread('t', { status: 'interrupted', updatedAt: 7 }))
      await store.endRun('', 't', 'unknown', { ...done, thread: { status: 'error' } })
      expect(await store.getThread('', 't')).toMatchObject({ status: 'interrupted' })
    })

    test('started at once are one', async () => {
      const store = await storeWithThread()
      const started = await Promise.all(['a', 'b', 'a', 'c'].map((id) => store.startRun('', 't', newRun(id), 1)))
      expect(started.map(({ kind }) => kind)).toEqual(['created', 'busy', 'exists', 'busy'])
    })

    test('that wait follow in their order, as many as may', async () => {
      const store = await storeWithThread()
      const queued = (id: string) => newRun(id, { status: 'queued' })
      expect(await store.startRun('', 't', queued('a'), 2)).toEqual({ kind: 'created' })
      expect(await store.startRun('', 't', queued('b'), 2)).toMatchObject({ kind: 'queued', run: { id: 'a' } })
      expect(await store.startRun('', 't', queued('c'), 2)).toMatchObject({ kind: 'queued' })
      await expect(store.startRun('', 't', queued('d'), 2)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
      expect(await store.getRun('', 't', 'd')).toBeUndefined()
      expect((await store.listRuns('', 't', { limit: 10, inFlight: true })).map(({ id }) => id)).toEqual([
        'c',
        'b',
        'a',
      ])
      expect(await store.endRun('', 't', 'a', done)).toEqual(newRun('b'))
      expect(await store.activeRun('', 't')).toEqual(newRun('b'))
      expect(await store.endRun('', 't', 'c', done)).toBeUndefined()
      expect(await store.endRun('', 't', 'b', done)).toBeUndefined()
      expect((await store.listRuns('', 't', { limit: 2 })).map(({ id }) => id)).toEqual(['c', 'b'])
      expect(await store.listRuns('', 't', { limit: 10, inFlight: true })).toEqual([])
    })

    test('change in what is named', async () => {
      const store = await storeWithThread()
      await store.startRun('', 't', newRun('a'), 1)
      await store.changeRun('', 't', 'a', { attempt: 2, base: 'c1' })
      expect(await store.getRun('', 't', 'a')).toEqual(newRun('a', { attempt: 2, base: 'c1' }))
      await store.changeRun('', 't', 'unknown', { attempt: 2 })
    })

    test('are remembered up to a bound, and those in flight always', async () => {
      const store = await storeWithThread()
      for (let i = 0; i < 1002; i++) {
        await store.startRun('', 't', newRun(`r${i}`), 1)
        await store.endRun('', 't', `r${i}`, done)
      }
      expect(await store.getRun('', 't', 'r0')).toBeUndefined()
      expect(await store.getRun('', 't', 'r5')).toBeDefined()
    })

    test('have fences that rise', async () => {
      const store = await storeWithThread()
      const fences = [await store.nextFence(), await store.nextFence(), await store.nextFence()]
      expect(fences).toEqual(fences.toSorted((a, b) => a - b))
      expect(new Set(fences).size).toBe(3)
    })
  })
}
