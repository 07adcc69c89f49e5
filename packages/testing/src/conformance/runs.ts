import { codeOf, type Harness } from './harness.ts'
import { DONE, newRun, newThread, type MakeStore, type StoreUnderTest } from './stored.ts'

/** What every store must do with the runs of a thread, as tests. */
export function runConformance(makeStore: MakeStore, { test, expect }: Harness): void {
  async function storeWithThread(): Promise<StoreUnderTest> {
    const store = await makeStore()
    await store.createThread('', newThread('t'))
    return store
  }

  test('run one at a time, and an id is used once', async () => {
    const store = await storeWithThread()
    expect(await store.startRun('', 't', newRun('a'), 1)).toEqual({ kind: 'created' })
    expect(await store.startRun('', 't', newRun('b'), 1)).toEqual({ kind: 'busy', run: newRun('a') })
    const again = newRun('a', { fingerprint: 'x' })
    expect(await store.startRun('', 't', again, 1)).toEqual({ kind: 'exists', run: newRun('a') })
    expect(await store.activeRun('', 't')).toEqual(newRun('a'))
    expect(await store.endRun('', 't', 'a', DONE)).toBe(undefined)
    expect(await store.activeRun('', 't')).toBe(undefined)
    expect(await store.getRun('', 't', 'a')).toEqual(newRun('a', { status: 'done', request: undefined }))
    expect(await store.startRun('', 't', newRun('b'), 1)).toEqual({ kind: 'created' })
  })

  test('leave their thread as they end', async () => {
    const store = await storeWithThread()
    await store.startRun('', 't', newRun('a'), 1)
    await store.endRun('', 't', 'a', { ...DONE, thread: { status: 'interrupted', updatedAt: 7 } })
    expect(await store.getThread('', 't')).toEqual(newThread('t', { status: 'interrupted', updatedAt: 7 }))
    await store.endRun('', 't', 'unknown', { ...DONE, thread: { status: 'error' } })
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
    expect(await codeOf(() => store.startRun('', 't', queued('d'), 2))).toBe('LIMIT_EXCEEDED')
    expect(await store.getRun('', 't', 'd')).toBe(undefined)
    const inFlight = async () => (await store.listRuns('', 't', { limit: 10, inFlight: true })).map(({ id }) => id)
    expect(await inFlight()).toEqual(['c', 'b', 'a'])
    expect(await store.endRun('', 't', 'a', DONE)).toEqual(newRun('b'))
    expect(await store.activeRun('', 't')).toEqual(newRun('b'))
    expect(await store.endRun('', 't', 'c', DONE)).toBe(undefined)
    expect(await store.endRun('', 't', 'b', DONE)).toBe(undefined)
    expect((await store.listRuns('', 't', { limit: 2 })).map(({ id }) => id)).toEqual(['c', 'b'])
    expect(await inFlight()).toEqual([])
  })

  test('change in what is named', async () => {
    const store = await storeWithThread()
    await store.startRun('', 't', newRun('a'), 1)
    await store.changeRun('', 't', 'a', { attempt: 2, base: 'c1' })
    expect(await store.getRun('', 't', 'a')).toEqual(newRun('a', { attempt: 2, base: 'c1' }))
    await store.changeRun('', 't', 'unknown', { attempt: 2 })
  })

  test('are remembered long enough to know an id that is sent again', async () => {
    const store = await storeWithThread()
    for (let i = 0; i < 100; i++) {
      await store.startRun('', 't', newRun(`r${i}`), 1)
      await store.endRun('', 't', `r${i}`, DONE)
    }
    expect((await store.getRun('', 't', 'r0'))?.status).toBe('done')
  })

  test('have fences that rise, also when they are asked for at once', async () => {
    const store = await storeWithThread()
    const fences = await Promise.all(Array.from({ length: 8 }, () => store.nextFence()))
    fences.push(await store.nextFence())
    expect(new Set(fences).size).toBe(9)
    expect(fences.at(-1)).toBe(Math.max(...fences))
  })
}
