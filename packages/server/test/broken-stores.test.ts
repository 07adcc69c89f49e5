import { storeConformance } from '@rivulet/testing/conformance'
import { describe, expect, test } from 'vitest'
import { memoryStore, type Run, type Store, type Thread } from '../src/index.ts'

/** What is wrong with a store that is right otherwise. */
type Flaw = (store: Store) => Partial<Store>

/** Names of the suite's tests that begin so and that a store with this flaw fails. */
async function failuresOf(flaw: Flaw, beginning: string): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = []
  const makeStore = () => withFlaw(memoryStore(), flaw)
  storeConformance(makeStore, { test: (name, run) => tests.push([name, run]), expect })
  const failed: string[] = []
  for (const [name, run] of tests) if (name.startsWith(beginning)) await run().catch(() => failed.push(name))
  return failed
}

function withFlaw(store: Store, flaw: Flaw): Store {
  const changed = new Map(Object.entries(flaw(store)))
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = changed.get(String(name)) ?? Reflect.get(target, name)
      // Whatever a store is made of, its methods are called on itself.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

test('a store that is right fails nothing', async () => {
  expect(await failuresOf(() => ({}), '')).toEqual([])
})

describe('the suite of stores sees', () => {
  test.each<[string, Flaw, string]>([
    [
      'a thread that is made twice',
      (store) => ({
        createThread: async (tenant, thread) => ({ ...(await store.createThread(tenant, thread)), created: true }),
      }),
      'its threads are kept once',
    ],
    [
      'metadata that are lost',
      (store) => ({ createThread: (tenant, thread) => store.createThread(tenant, { ...thread, metadata: {} }) }),
      'its threads come back',
    ],
    [
      'tenants that are one',
      (store) => ({
        createThread: (_tenant, thread) => store.createThread('', thread),
        getThread: (_tenant, id) => store.getThread('', id),
      }),
      'its threads of another tenant',
    ],
    [
      'runs that outlive their thread',
      (store) => {
        const kept = new Map<string, Run>()
        return {
          startRun(tenant, thread, run, maxQueued) {
            kept.set(run.id, run)
            return store.startRun(tenant, thread, run, maxQueued)
          },
          getRun: async (tenant, thread, run) => (await store.getRun(tenant, thread, run)) ?? kept.get(run),
        }
      },
      'its threads that are gone',
    ],
    [
      'a change that forgets the rest',
      (store) => ({
        changeThread: (tenant, id, change) => store.changeThread(tenant, id, { status: 'idle', ...change }),
      }),
      'its threads change',
    ],
    [
      'pages that overlap',
      (store) => ({
        async listThreads(tenant, query) {
          const page = await store.listThreads(tenant, { ...query, cursor: undefined })
          return { ...page, cursor: query.cursor === undefined ? page.cursor : undefined }
        },
      }),
      'its threads of one millisecond',
    ],
    [
      'a page that goes by number',
      (store) => ({
        async listThreads(tenant, { cursor, limit, ...query }) {
          const all = await store.listThreads(tenant, { ...query, limit: 100, cursor: undefined })
          const from = Number(cursor ?? 0)
          const threads: readonly Thread[] = all.threads.slice(from, from + limit)
          return { threads, cursor: from + limit < all.threads.length ? String(from + limit) : undefined }
        },
      }),
      'its threads that move',
    ],
    [
      'a search that takes 1 for "1"',
      (store) => ({
        async listThreads(tenant, { metadata = {}, ...query }) {
          const page = await store.listThreads(tenant, query)
          const fits = (thread: Thread) =>
            Object.entries(metadata).every(([key, value]) => String(thread.metadata[key]) === String(value))
          return { ...page, threads: page.threads.filter(fits) }
        },
      }),
      'its threads are found',
    ],
    [
      'two runs at a time',
      (store) => ({
        async startRun(tenant, thread, run, maxQueued) {
          const outcome = await store.startRun(tenant, thread, run, maxQueued)
          return outcome.kind === 'busy' ? { kind: 'created' } : outcome
        },
      }),
      'its runs run one at a time',
    ],
    [
      'a run that looks before it starts, and not as one step',
      (store) => ({
        async startRun(tenant, thread, run, maxQueued) {
          const active = await store.activeRun(tenant, thread)
          await Promise.resolve()
          if (active !== undefined) return { kind: active.id === run.id ? 'exists' : 'busy', run: active }
          await store.startRun(tenant, thread, { ...run, status: 'queued' }, maxQueued)
          return { kind: 'created' }
        },
      }),
      'its runs started at once',
    ],
    [
      'an end that leaves the thread as it was',
      (store) => ({
        endRun: (tenant, thread, run, { thread: _left, ...end }) => store.endRun(tenant, thread, run, end),
      }),
      'its runs leave their thread',
    ],
    [
      'a queue without an end',
      (store) => ({ startRun: (tenant, thread, run) => store.startRun(tenant, thread, run, 1000) }),
      'its runs that wait',
    ],
    ['a change of a run that is lost', () => ({ changeRun: async () => undefined }), 'its runs change'],
    [
      'runs that are forgotten at once',
      (store) => ({
        async getRun(tenant, thread, id) {
          const run = await store.getRun(tenant, thread, id)
          return run?.status === 'done' ? undefined : run
        },
      }),
      'its runs are remembered',
    ],
    ['a fence that stays', () => ({ nextFence: async () => 1 }), 'its runs have fences'],
    [
      'a run that is listed after its end',
      (store) => ({ listRuns: (tenant, thread, { limit }) => store.listRuns(tenant, thread, { limit }) }),
      'its runs that wait',
    ],
    [
      'a thread that is deleted in part',
      (store) => ({
        async deleteThread(tenant, id) {
          const thread = await store.getThread(tenant, id)
          const isThere = await store.deleteThread(tenant, id)
          if (thread !== undefined) await store.createThread(tenant, { ...thread, metadata: { gone: true } })
          return isThere
        },
      }),
      'its threads that are gone',
    ],
    ['threads that are never deleted', () => ({ deleteThread: async () => true }), 'it does as a few maps do'],
  ])('%s', async (_name, flaw, failing) => {
    expect(await failuresOf(flaw, failing)).toHaveLength(1)
  })
})
