import { MemoryCheckpointer } from '@rivulet/core'
import { memoryLog, RivuletError, type EventLog, type MemoryLogOptions } from '@rivulet/protocol'
import { matchesThread, pageAfter } from './page.ts'
import { isInFlight, tooManyQueued } from './queue.ts'
import type { Run, RunChange, StartOutcome, Store, Thread, ThreadChange } from './store.ts'

/** Bounds of a {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Threads kept, over all tenants; beyond it the one that was used longest ago goes, unless it is busy. Default 10,000. */
  maxThreads?: number
  /** Bounds of each thread's log. */
  log?: Omit<MemoryLogOptions, 'id'>
}

/** Runs remembered in each thread: so long an id that is sent again is known. */
const MAX_RUNS = 1000

interface Entry {
  readonly tenant: string
  thread: Thread
  readonly log: EventLog
  /** By id, in order of their arrival. */
  readonly runs: Map<string, Run>
}

/** A store in this process' memory, gone with it. For development, tests, and servers that may forget. */
export function memoryStore({ maxThreads = 10_000, log = {} }: MemoryStoreOptions = {}): Store {
  const checkpointer = new MemoryCheckpointer()
  /** By tenant and id; the one used last is the last. */
  const entries = new Map<string, Entry>()
  let fence = 0

  const find = (tenant: string, id: string): Entry | undefined => entries.get(keyOf(tenant, id))

  function need(tenant: string, id: string): Entry {
    const entry = find(tenant, id)
    if (entry !== undefined) return entry
    throw new RivuletError('NOT_FOUND', `there is no thread ${JSON.stringify(id)}`)
  }

  /** Drops the thread that was used longest ago, when there is no room for another. Answers it. */
  function makeRoom(): Thread | undefined {
    if (entries.size < maxThreads) return undefined
    for (const [key, { thread }] of entries) {
      if (thread.status === 'busy') continue
      entries.delete(key)
      return thread
    }
    throw new RivuletError('LIMIT_EXCEEDED', `all ${maxThreads} threads that may be kept are busy`, { retryable: true })
  }

  function changeThread(tenant: string, id: string, change: ThreadChange): void {
    const key = keyOf(tenant, id)
    const entry = entries.get(key)
    if (entry === undefined) return
    entry.thread = { ...entry.thread, ...change }
    entries.delete(key)
    entries.set(key, entry)
  }

  function changeRun(tenant: string, thread: string, id: string, change: RunChange): Map<string, Run> | undefined {
    const runs = find(tenant, thread)?.runs
    const run = runs?.get(id)
    if (run === undefined) return undefined
    return runs?.set(id, { ...run, ...change })
  }

  return {
    checkpointer,
    async createThread(tenant, thread) {
      const known = find(tenant, thread.id)
      if (known !== undefined) return { thread: known.thread, created: false }
      const dropped = makeRoom()
      const entry = { tenant, thread, log: memoryLog(log), runs: new Map() }
      entries.set(keyOf(tenant, thread.id), entry)
      if (dropped !== undefined) await checkpointer.deleteThread(dropped.memory)
      return { thread, created: true }
    },
    getThread: async (tenant, id) => find(tenant, id)?.thread,
    async listThreads(tenant, query) {
      const threads = [...entries.values()].filter((entry) => entry.tenant === tenant).map(({ thread }) => thread)
      return pageAfter(
        threads.filter((thread) => matchesThread(thread, query)),
        query,
      )
    },
    changeThread: async (tenant, id, change) => changeThread(tenant, id, change),
    async deleteThread(tenant, id) {
      const entry = find(tenant, id)
      if (entry === undefined) return false
      entries.delete(keyOf(tenant, id))
      await checkpointer.deleteThread(entry.thread.memory)
      return true
    },
    openLog: async (tenant, id) => need(tenant, id).log,
    startRun: async (tenant, id, run, maxQueued) => startIn(need(tenant, id), run, maxQueued),
    getRun: async (tenant, id, run) => find(tenant, id)?.runs.get(run),
    activeRun: async (tenant, id) => firstOf(find(tenant, id)?.runs, 'running'),
    async listRuns(tenant, id, { limit, inFlight = false }) {
      const runs = [...(find(tenant, id)?.runs.values() ?? [])].reverse()
      return runs.filter((run) => !inFlight || isInFlight(run)).slice(0, limit)
    },
    async changeRun(tenant, thread, run, change) {
      changeRun(tenant, thread, run, change)
    },
    async endRun(tenant, thread, run, { status, error, thread: change }) {
      const runs = changeRun(tenant, thread, run, { status, error, request: undefined })
      if (runs !== undefined && change !== undefined) changeThread(tenant, thread, change)
      const next = firstOf(runs, 'running') === undefined ? firstOf(runs, 'queued') : undefined
      if (runs === undefined || next === undefined) return undefined
      const begun: Run = { ...next, status: 'running' }
      runs.set(next.id, begun)
      return begun
    },
    lostRuns: async () => [],
    nextFence: async () => ++fence,
  }
}

/** Cannot be forged by an id that contains a separator. */
function keyOf(tenant: string, id: string): string {
  return JSON.stringify([tenant, id])
}

function startIn({ runs }: Entry, run: Run, maxQueued: number): StartOutcome {
  const known = runs.get(run.id)
  if (known !== undefined) return { kind: 'exists', run: known }
  const active = firstOf(runs, 'running')
  if (active !== undefined && run.status !== 'queued') return { kind: 'busy', run: active }
  const waiting = [...runs.values()].filter(({ status }) => status === 'queued').length
  if (active !== undefined && waiting >= maxQueued) throw tooManyQueued(maxQueued)
  runs.set(run.id, { ...run, status: active === undefined ? 'running' : 'queued' })
  for (const [id, old] of runs) {
    if (runs.size <= MAX_RUNS) break
    if (!isInFlight(old)) runs.delete(id)
  }
  return active === undefined ? { kind: 'created' } : { kind: 'queued', run: active }
}

function firstOf(runs: ReadonlyMap<string, Run> | undefined, status: Run['status']): Run | undefined {
  for (const run of runs?.values() ?? []) if (run.status === status) return run
  return undefined
}
