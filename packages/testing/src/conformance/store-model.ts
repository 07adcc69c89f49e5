import * as fc from 'fast-check'
import { codeOf, type Harness } from './harness.ts'
import { DONE, newRun, newThread, type MakeStore, type StoredRun, type StoreUnderTest } from './stored.ts'

const TENANTS = ['', 'other'] as const
const THREADS = ['t1', 't2'] as const
const RUNS = ['a', 'b', 'c', 'd'] as const
/** Runs that may wait on a thread. */
const MAX_QUEUED = 2

/** What is done, to which thread. */
interface Command {
  do: 'create' | 'delete' | 'start' | 'queue' | 'end' | 'change' | 'append'
  tenant: string
  thread: string
  run: string
}

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    do: fc.constantFrom('create', 'delete', 'start', 'start', 'queue', 'queue', 'end', 'end', 'change', 'append'),
    tenant: fc.constantFrom(...TENANTS),
    thread: fc.constantFrom(...THREADS),
    run: fc.constantFrom(...RUNS),
  }),
  { maxLength: 50 },
)

/** A thread as it must be: the least that tells right from wrong. */
interface ModelThread {
  runs: StoredRun[]
  events: number
}

/** A store against the simplest thing that does the same, over any order of commands. */
export function modelConformance(makeStore: MakeStore, { test, expect }: Harness): void {
  test('does as a few maps do, whatever is done in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const store = await makeStore()
        const model = new Map<string, ModelThread>()
        for (const command of list) await play(command, store, model, expect)
        for (const tenant of TENANTS) {
          for (const thread of THREADS) await compare(store, model.get(keyOf(tenant, thread)), tenant, thread, expect)
        }
      }),
      { numRuns: 40 },
    )
  })
}

async function play(
  command: Command,
  store: StoreUnderTest,
  model: Map<string, ModelThread>,
  expect: Harness['expect'],
): Promise<void> {
  const { tenant, thread, run } = command
  const key = keyOf(tenant, thread)
  const known = model.get(key)
  switch (command.do) {
    case 'create': {
      const { created } = await store.createThread(
        tenant,
        newThread(thread, { memory: `memory of ${tenant}/${thread}` }),
      )
      expect(created).toBe(known === undefined)
      if (known === undefined) model.set(key, { runs: [], events: 0 })
      return
    }
    case 'delete':
      expect(await store.deleteThread(tenant, thread)).toBe(model.delete(key))
      return
    case 'start':
    case 'queue':
      return start(command, store, known, expect)
    case 'end': {
      const ended = known?.runs.find(({ id }) => id === run)
      const wasRunning = ended?.status === 'running'
      const isInFlight = wasRunning || ended?.status === 'queued'
      const next = wasRunning ? known?.runs.find(({ status }) => status === 'queued') : undefined
      if (!isInFlight) return
      if (known !== undefined)
        known.runs = known.runs.map((one) =>
          one.id === run ? { ...one, status: 'done' } : one.id === next?.id ? { ...one, status: 'running' } : one,
        )
      expect((await store.endRun(tenant, thread, run, DONE))?.id).toBe(next?.id)
      return
    }
    case 'change':
      await store.changeRun(tenant, thread, run, { attempt: 7 })
      if (known !== undefined) known.runs = known.runs.map((one) => (one.id === run ? { ...one, attempt: 7 } : one))
      return
    default: {
      const code = await codeOf(async () =>
        (await store.openLog(tenant, thread)).append([{ type: 'custom', run, data: 1 }]),
      )
      expect(code).toBe(known === undefined ? 'NOT_FOUND' : undefined)
      if (known !== undefined) known.events++
    }
  }
}

async function start(
  { do: how, tenant, thread, run }: Command,
  store: StoreUnderTest,
  known: ModelThread | undefined,
  expect: Harness['expect'],
): Promise<void> {
  const given = newRun(run, { status: how === 'queue' ? 'queued' : 'running' })
  const outcome: { kind?: string; code?: unknown } = {}
  outcome.code = await codeOf(async () => {
    outcome.kind = (await store.startRun(tenant, thread, given, MAX_QUEUED)).kind
  })
  expect(outcome).toEqual({ code: undefined, ...expectedStart(given, known) })
  if (outcome.kind === 'created') known?.runs.push({ ...given, status: 'running' })
  if (outcome.kind === 'queued') known?.runs.push(given)
}

function expectedStart(given: StoredRun, known: ModelThread | undefined): { kind?: string; code?: string } {
  if (known === undefined) return { code: 'NOT_FOUND' }
  if (known.runs.some(({ id }) => id === given.id)) return { kind: 'exists' }
  if (!known.runs.some(({ status }) => status === 'running')) return { kind: 'created' }
  if (given.status !== 'queued') return { kind: 'busy' }
  const isFull = known.runs.filter(({ status }) => status === 'queued').length >= MAX_QUEUED
  return isFull ? { code: 'LIMIT_EXCEEDED' } : { kind: 'queued' }
}

async function compare(
  store: StoreUnderTest,
  known: ModelThread | undefined,
  tenant: string,
  thread: string,
  expect: Harness['expect'],
): Promise<void> {
  expect((await store.getThread(tenant, thread))?.id).toBe(known && thread)
  if (known === undefined) return
  const { runs, events } = known
  for (const { id, status, attempt } of runs) {
    expect(await store.getRun(tenant, thread, id)).toMatchObject({ id, status, attempt })
  }
  expect((await store.activeRun(tenant, thread))?.id).toBe(runs.find(({ status }) => status === 'running')?.id)
  const inFlight = runs.filter(({ status }) => status === 'running' || status === 'queued').map(({ id }) => id)
  const listed = await store.listRuns(tenant, thread, { limit: 10, inFlight: true })
  expect(listed.map(({ id }) => id)).toEqual(inFlight.reverse())
  expect((await store.openLog(tenant, thread)).head()).toBe(events)
}

function keyOf(tenant: string, thread: string): string {
  return JSON.stringify([tenant, thread])
}
