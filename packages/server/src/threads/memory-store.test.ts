import { describe, expect, test } from 'vitest'
import { memoryStore } from './memory-store.ts'
import type { Run, Thread } from './store.ts'

const thread = (id: string, more: Partial<Thread> = {}): Thread => ({
  id,
  graph: undefined,
  metadata: {},
  createdAt: 1,
  updatedAt: 1,
  status: 'idle',
  memory: `memory of ${id}`,
  ...more,
})
const run = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  graph: 'g',
  status: 'running',
  error: undefined,
  modes: [],
  after: 'log.0',
  fingerprint: 'f',
  createdAt: 1,
  ...more,
})
const done = { status: 'done', error: undefined } as const

describe('threads', () => {
  test('are kept once, and the first stays', async () => {
    const store = memoryStore()
    expect(await store.createThread('', thread('a'))).toMatchObject({ created: true })
    expect(await store.createThread('', thread('a', { memory: 'other' }))).toEqual({
      thread: thread('a'),
      created: false,
    })
  })

  test('of another tenant are not there, however ids are spelled', async () => {
    const store = memoryStore()
    await store.createThread('a', thread('b","c'))
    expect(await store.getThread('a","b', 'c')).toBeUndefined()
    expect(await store.getThread('', 'b","c')).toBeUndefined()
    expect(await store.listThreads('', { limit: 10, cursor: undefined })).toEqual({ threads: [], cursor: undefined })
    await expect(store.openLog('', 'b","c')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(store.startRun('', 'b","c', run('r'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('that are gone are changed by nobody', async () => {
    const store = memoryStore()
    await store.createThread('', thread('a'))
    expect(await store.deleteThread('', 'a')).toBe(true)
    expect(await store.deleteThread('', 'a')).toBe(false)
    await store.changeThread('', 'a', { status: 'busy' })
    await store.endRun('', 'a', 'r', done)
    expect(await store.getThread('', 'a')).toBeUndefined()
  })

  test('of one millisecond are listed once each, over all pages', async () => {
    const store = memoryStore()
    for (const id of ['c', 'a', 'd', 'b']) await store.createThread('', thread(id))
    const first = await store.listThreads('', { limit: 3, cursor: undefined })
    const second = await store.listThreads('', { limit: 3, cursor: first.cursor })
    expect([...first.threads, ...second.threads].map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    expect(second.cursor).toBeUndefined()
  })

  test('that move to the front between two pages are not listed again', async () => {
    const store = memoryStore()
    for (const [i, id] of ['a', 'b', 'c'].entries()) await store.createThread('', thread(id, { updatedAt: i }))
    const first = await store.listThreads('', { limit: 1, cursor: undefined })
    await store.changeThread('', 'b', { updatedAt: 10 })
    const second = await store.listThreads('', { limit: 5, cursor: first.cursor })
    expect([first, second].map((page) => page.threads.map(({ id }) => id))).toEqual([['c'], ['a']])
  })

  test('beyond the bound push out the one used longest ago that is not busy', async () => {
    const store = memoryStore({ maxThreads: 3 })
    await store.createThread('', thread('a', { status: 'busy' }))
    await store.createThread('', thread('b'))
    await store.createThread('', thread('c'))
    await store.changeThread('', 'b', { updatedAt: 2 })
    await store.createThread('', thread('d'))
    const kept = await Promise.all(['a', 'b', 'c', 'd'].map((id) => store.getThread('', id)))
    expect(kept.map((one) => one?.id)).toEqual(['a', 'b', undefined, 'd'])
  })

  test('that are all busy leave no room', async () => {
    const store = memoryStore({ maxThreads: 1 })
    await store.createThread('', thread('a', { status: 'busy' }))
    await expect(store.createThread('', thread('b'))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', retryable: true })
  })
})

describe('runs', () => {
  test('run one at a time, and an id is used once', async () => {
    const store = memoryStore()
    await store.createThread('', thread('t'))
    expect(await store.startRun('', 't', run('a'))).toEqual({ kind: 'created' })
    expect(await store.startRun('', 't', run('b'))).toEqual({ kind: 'busy', run: run('a') })
    expect(await store.startRun('', 't', run('a', { fingerprint: 'x' }))).toEqual({ kind: 'exists', run: run('a') })
    expect(await store.activeRun('', 't')).toEqual(run('a'))
    await store.endRun('', 't', 'a', done)
    expect(await store.activeRun('', 't')).toBeUndefined()
    expect(await store.getRun('', 't', 'a')).toEqual(run('a', done))
    expect(await store.startRun('', 't', run('b'))).toEqual({ kind: 'created' })
  })

  test('are remembered up to a bound', async () => {
    const store = memoryStore()
    await store.createThread('', thread('t'))
    for (let i = 0; i < 1001; i++) {
      await store.startRun('', 't', run(`r${i}`))
      await store.endRun('', 't', `r${i}`, done)
    }
    expect(await store.getRun('', 't', 'r0')).toBeUndefined()
    expect(await store.getRun('', 't', 'r1')).toBeDefined()
  })
})
