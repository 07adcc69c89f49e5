import { memoryLog, RivuletError, type EventLog, type MemoryLogOptions } from '@rivulet/protocol'
import type { Run, StartOutcome, Store, Thread, ThreadPage } from './store.ts'

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
  /** By id, in order of their start. */
  readonly runs: Map<string, Run>
  /** Id of the run that is under way. */
  active: string | undefined
}

/** A store in this process' memory, gone with it. For development, tests, and servers that may forget. */
export function memoryStore({ maxThreads = 10_000, log = {} }: MemoryStoreOptions = {}): Store {
  /** By tenant and id; the one used last is the last. */
  const entries = new Map<string, Entry>()

  const find = (tenant: string, id: string): Entry | undefined => entries.get(keyOf(tenant, id))

  function need(tenant: string, id: string): Entry {
    const entry = find(tenant, id)
    if (entry !== undefined) return entry
    throw new RivuletError('NOT_FOUND', `there is no thread ${JSON.stringify(id)}`)
  }

  function makeRoom(): void {
    if (entries.size < maxThreads) return
    for (const [key, { thread }] of entries) {
      if (thread.status === 'busy') continue
      entries.delete(key)
      return
    }
    throw new RivuletError('LIMIT_EXCEEDED', `all ${maxThreads} threads that may be kept are busy`, { retryable: true })
  }

  return {
    async createThread(tenant, thread) {
      const known = find(tenant, thread.id)
      if (known !== undefined) return { thread: known.thread, created: false }
      makeRoom()
      const entry = { tenant, thread, log: memoryLog(log), runs: new Map(), active: undefined }
      entries.set(keyOf(tenant, thread.id), entry)
      return { thread, created: true }
    },
    getThread: async (tenant, id) => find(tenant, id)?.thread,
    async listThreads(tenant, page) {
      const threads = [...entries.values()].flatMap((entry) => (entry.tenant === tenant ? [entry.thread] : []))
      return pageOf(threads, page)
    },
    async changeThread(tenant, id, change) {
      const key = keyOf(tenant, id)
      const entry = entries.get(key)
      if (entry === undefined) return
      entry.thread = { ...entry.thread, ...change }
      entries.delete(key)
      entries.set(key, entry)
    },
    deleteThread: async (tenant, id) => entries.delete(keyOf(tenant, id)),
    openLog: async (tenant, id) => need(tenant, id).log,
    startRun: async (tenant, id, run) => startIn(need(tenant, id), run),
    getRun: async (tenant, id, run) => find(tenant, id)?.runs.get(run),
    async activeRun(tenant, id) {
      const entry = find(tenant, id)
      return entry && activeIn(entry)
    },
    async endRun(tenant, id, run, end) {
      const entry = find(tenant, id)
      const known = entry?.runs.get(run)
      if (entry === undefined || known === undefined) return
      entry.runs.set(run, { ...known, ...end })
      if (entry.active === run) entry.active = undefined
    },
  }
}

/** Cannot be forged by an id that contains a separator. */
function keyOf(tenant: string, id: string): string {
  return JSON.stringify([tenant, id])
}

function startIn(entry: Entry, run: Run): StartOutcome {
  const { runs } = entry
  const known = runs.get(run.id)
  if (known !== undefined) return { kind: 'exists', run: known }
  const active = activeIn(entry)
  if (active !== undefined) return { kind: 'busy', run: active }
  runs.set(run.id, run)
  entry.active = run.id
  for (const id of runs.keys()) {
    if (runs.size <= MAX_RUNS) break
    runs.delete(id)
  }
  return { kind: 'created' }
}

function activeIn({ runs, active }: Entry): Run | undefined {
  return active === undefined ? undefined : runs.get(active)
}

function pageOf(threads: Thread[], { limit, cursor }: { limit: number; cursor: string | undefined }): ThreadPage {
  const after = cursor === undefined ? undefined : parsePlace(cursor)
  const sorted = threads.sort(byLastUse)
  const from = after === undefined ? 0 : sorted.findIndex((thread) => byLastUse(thread, after) > 0)
  const rest = from === -1 ? [] : sorted.slice(from)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return { threads: page, cursor: rest.length > limit && last !== undefined ? placeOf(last) : undefined }
}

type Place = Pick<Thread, 'updatedAt' | 'id'>

/** Last used first; among those of one millisecond by id, so that the order is one. */
function byLastUse(a: Place, b: Place): number {
  if (a.updatedAt !== b.updatedAt) return b.updatedAt - a.updatedAt
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

function placeOf({ updatedAt, id }: Place): string {
  return `${updatedAt}.${id}`
}

function parsePlace(cursor: string): Place {
  const match = /^(\d{1,16})\.(.{1,256})$/.exec(cursor)
  if (match === null) throw new RivuletError('INVALID_INPUT', 'cursor is not one that a page of threads gave')
  return { updatedAt: Number(match[1]), id: match[2]! }
}
