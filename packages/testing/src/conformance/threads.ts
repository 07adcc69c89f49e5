import { codeOf, type Harness } from './harness.ts'
import { DONE, newRun, newThread, type MakeStore } from './stored.ts'

const ALL = { limit: 100, cursor: undefined }

/** What every store must do with threads, as tests. */
export function threadConformance(makeStore: MakeStore, { test, expect }: Harness): void {
  test('are kept once, and the first stays, also when they are made at once', async () => {
    const store = await makeStore()
    const made = await Promise.all(['x', 'y', 'z'].map((memory) => store.createThread('', newThread('a', { memory }))))
    expect(made.map(({ created }) => created)).toEqual([true, false, false])
    expect(made.map(({ thread }) => thread.memory)).toEqual(['x', 'x', 'x'])
  })

  test('come back as they were given', async () => {
    const store = await makeStore()
    const metadata = { title: 'A "B" 𝕏', n: 1.5, deep: { list: [null, true] } }
    const thread = newThread('a', { graph: 'g', metadata })
    await store.createThread('', thread)
    expect(await store.getThread('', 'a')).toEqual(thread)
  })

  test('of another tenant are not there, however ids are spelled', async () => {
    const store = await makeStore()
    await store.createThread('a', newThread('b","c'))
    expect(await store.getThread('a","b', 'c')).toBe(undefined)
    expect(await store.getThread('', 'b","c')).toBe(undefined)
    expect(await store.getThread('%', 'b","c')).toBe(undefined)
    expect(await store.listThreads('', ALL)).toEqual({ threads: [], cursor: undefined })
    expect(await codeOf(() => store.openLog('', 'b","c'))).toBe('NOT_FOUND')
    expect(await codeOf(() => store.startRun('', 'b","c', newRun('r'), 1))).toBe('NOT_FOUND')
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
    await store.endRun('', 'a', 'r', DONE)
    expect(await store.getThread('', 'a')).toBe(undefined)
    expect(await store.getRun('', 'a', 'r')).toBe(undefined)
    await store.createThread('', newThread('a', { memory: 'another' }))
    expect(await store.getRun('', 'a', 'r')).toBe(undefined)
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
    expect(second.cursor).toBe(undefined)
    expect(await codeOf(() => store.listThreads('', { limit: 3, cursor: 'x' }))).toBe('INVALID_INPUT')
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
      (await store.listThreads('', { ...ALL, ...query })).threads.map(({ id }) => id)
    expect(await find({ metadata: { n: 1 } })).toEqual(['t0', 't5'])
    expect(await find({ metadata: { n: '1' } })).toEqual(['t1'])
    expect(await find({ metadata: { n: true } })).toEqual(['t2'])
    expect(await find({ metadata: { n: null } })).toEqual(['t3'])
    expect(await find({ metadata: { n: 1, m: 'x' } })).toEqual(['t5'])
    expect(await find({ metadata: { toString: 'x' } })).toEqual([])
    expect(await find({ status: 'error' })).toEqual(['t5'])
  })
}
