import { randomId, RivuletError, type EventLog } from '@rivulet/protocol'
import { tooManyQueued } from '../threads/queue.ts'
import type { Run, StartOutcome, Store, Thread } from '../threads/store.ts'
import { Database } from './database.ts'
import { OpenLogs } from './open-logs.ts'
import { SqliteCheckpointer } from './sqlite-checkpointer.ts'
import type { SqliteLogOptions } from './sqlite-log.ts'
import {
  insertRun,
  insertThread,
  listThreads,
  replaceRun,
  RUN,
  runIn,
  THREAD,
  threadIn,
  updateThread,
} from './thread-rows.ts'
import { Turns } from '../threads/turns.ts'
import { textIn } from './columns.ts'

/** How a {@link sqliteStore} keeps what it is given. */
export interface SqliteStoreOptions {
  /**
   * `normal`, the default: what was written survives the end of the process, however sudden. `full`: also the loss of
   * power, for an fsync a commit.
   */
  fsync?: 'normal' | 'full'
  /** Bounds of each thread's log. */
  log?: SqliteLogOptions
  /** Runs remembered in each thread: so long an id that is sent again is known. Default 1,000. */
  maxRuns?: number
  /** Told of failures of what nobody waits for, such as merging the pieces of old messages. Default: throws them away. */
  onError?: (error: unknown) => void
}

/** Fences of one process: between those of its epoch and of the next. */
const FENCES_PER_EPOCH = 1_000_000_000

const IN_FLIGHT = "status IN ('running', 'queued')"

/**
 * A store in one SQLite file, `path`, made with its folders when it is not there. It is opened when it is first used,
 * and belongs to the process that opened it last: one that had it before is refused every write from then on
 * (`RUN_CONFLICT`), and its runs are carried on by the new one. Needs the package `@libsql/client`.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  return new SqliteStore(path, options)
}

class SqliteStore implements Store {
  readonly checkpointer: SqliteCheckpointer
  readonly #path: string
  readonly #options: SqliteStoreOptions
  readonly #turns = new Turns()
  #opening: Promise<{ database: Database; logs: OpenLogs }> | undefined
  #fence = 0

  constructor(path: string, options: SqliteStoreOptions) {
    this.#path = path
    this.#options = options
    this.checkpointer = new SqliteCheckpointer(() => this.#database())
  }

  #open(): Promise<{ database: Database; logs: OpenLogs }> {
    this.#opening ??= Database.open({ path: this.#path, fsync: this.#options.fsync ?? 'normal' }).then((database) => {
      const { log = {}, onError = () => undefined } = this.#options
      return { database, logs: new OpenLogs(database, this.checkpointer, log, onError) }
    })
    return this.#opening
  }

  async #database(): Promise<Database> {
    return (await this.#open()).database
  }

  async createThread(tenant: string, thread: Thread): Promise<{ thread: Thread; created: boolean }> {
    const database = await this.#database()
    return this.#turns.take(JSON.stringify([tenant, thread.id]), async () => {
      const known = await this.getThread(tenant, thread.id)
      if (known !== undefined) return { thread: known, created: false }
      await database.write({ writes: () => [insertThread(tenant, thread, randomId(8))] })
      return { thread, created: true }
    })
  }

  async getThread(tenant: string, id: string): Promise<Thread | undefined> {
    const database = await this.#database()
    const [row] = await database.read(`SELECT ${THREAD} FROM threads WHERE tenant = ? AND id = ?`, [tenant, id])
    return row && threadIn(row)
  }

  async listThreads(...[tenant, query]: Parameters<Store['listThreads']>): ReturnType<Store['listThreads']> {
    return listThreads(await this.#database(), tenant, query)
  }

  async changeThread(...[tenant, id, change]: Parameters<Store['changeThread']>): Promise<void> {
    const write = updateThread(tenant, id, change)
    if (write === undefined) return
    const database = await this.#database()
    await database.write({ writes: () => [write] })
  }

  async deleteThread(tenant: string, id: string): Promise<boolean> {
    const thread = await this.getThread(tenant, id)
    if (thread === undefined) return false
    const { database, logs } = await this.#open()
    const { memory } = thread
    const tables = ['threads', 'runs', 'events', 'snapshots']
    await this.checkpointer.deleteThread(memory)
    await database.write({
      writes: () => tables.map((table) => ({ sql: `DELETE FROM ${table} WHERE memory = ?`, args: [memory] })),
    })
    logs.forget(memory)
    return true
  }

  async openLog(tenant: string, id: string): Promise<EventLog> {
    const { memory } = await this.#need(tenant, id)
    const log = await (await this.#open()).logs.open(memory)
    if (log === undefined) throw noThread(id)
    return log
  }

  async #need(tenant: string, id: string): Promise<Thread> {
    const thread = await this.getThread(tenant, id)
    if (thread === undefined) throw noThread(id)
    return thread
  }

  async startRun(tenant: string, id: string, run: Run, maxQueued: number): Promise<StartOutcome> {
    const { memory } = await this.#need(tenant, id)
    const database = await this.#database()
    return this.#turns.take(memory, async () => {
      const known = await this.#run(memory, run.id)
      if (known !== undefined) return { kind: 'exists', run: known }
      const inFlight = await this.#runs(memory, `AND ${IN_FLIGHT} ORDER BY ordinal`)
      const active = inFlight.find(({ status }) => status === 'running')
      if (active !== undefined && run.status !== 'queued') return { kind: 'busy', run: active }
      if (active !== undefined && inFlight.length > maxQueued) throw tooManyQueued(maxQueued)
      const kept: Run = { ...run, status: active === undefined ? 'running' : 'queued' }
      await database.write({ writes: () => [insertRun(memory, kept), this.#forgetRuns(memory)] })
      return active === undefined ? { kind: 'created' } : { kind: 'queued', run: active }
    })
  }

  #forgetRuns(memory: string): { sql: string; args: (string | number)[] } {
    const { maxRuns = 1000 } = this.#options
    const sql = `DELETE FROM runs WHERE memory = ? AND NOT (${IN_FLIGHT}) AND ordinal <=
      (SELECT ordinal FROM runs WHERE memory = ? ORDER BY ordinal DESC LIMIT 1 OFFSET ?)`
    return { sql, args: [memory, memory, maxRuns] }
  }

  async #run(memory: string, id: string): Promise<Run | undefined> {
    const [run] = await this.#runs(memory, 'AND id = ?', id)
    return run
  }

  async #runs(memory: string, which: string, ...args: (string | number)[]): Promise<Run[]> {
    const database = await this.#database()
    const sql = `SELECT ${RUN} FROM runs WHERE memory = ? ${which}`
    return (await database.read(sql, [memory, ...args])).map(runIn)
  }

  async getRun(tenant: string, thread: string, run: string): Promise<Run | undefined> {
    const known = await this.getThread(tenant, thread)
    return known && this.#run(known.memory, run)
  }

  async activeRun(tenant: string, thread: string): Promise<Run | undefined> {
    const known = await this.getThread(tenant, thread)
    if (known === undefined) return undefined
    const [run] = await this.#runs(known.memory, "AND status = 'running'")
    return run
  }

  async listRuns(...[tenant, thread, options]: Parameters<Store['listRuns']>): Promise<readonly Run[]> {
    const known = await this.getThread(tenant, thread)
    if (known === undefined) return []
    const which = options.inFlight === true ? `AND ${IN_FLIGHT}` : ''
    return this.#runs(known.memory, `${which} ORDER BY ordinal DESC LIMIT ?`, options.limit)
  }

  async changeRun(...[tenant, thread, id, change]: Parameters<Store['changeRun']>): Promise<void> {
    const known = await this.getThread(tenant, thread)
    if (known === undefined) return
    const { memory } = known
    const database = await this.#database()
    await this.#turns.take(memory, async () => {
      const run = await this.#run(memory, id)
      if (run !== undefined) await database.write({ writes: () => [replaceRun(memory, { ...run, ...change })] })
    })
  }

  async endRun(...[tenant, thread, id, end]: Parameters<Store['endRun']>): Promise<Run | undefined> {
    const known = await this.getThread(tenant, thread)
    if (known === undefined) return undefined
    const { memory } = known
    const database = await this.#database()
    return this.#turns.take(memory, async () => {
      const run = await this.#run(memory, id)
      if (run === undefined) return undefined
      const others = (await this.#runs(memory, `AND ${IN_FLIGHT} ORDER BY ordinal`)).filter((one) => one.id !== id)
      const [next] = others.some(({ status }) => status === 'running') ? [] : others
      const begun: Run | undefined = next && { ...next, status: 'running' }
      const { status, error } = end
      const changed = [{ ...run, status, error, request: undefined }, ...(begun === undefined ? [] : [begun])]
      const left = end.thread && updateThread(tenant, thread, end.thread)
      const writes = [...changed.map((one) => replaceRun(memory, one)), ...(left === undefined ? [] : [left])]
      await database.write({ writes: () => writes })
      return begun
    })
  }

  async lostRuns(): ReturnType<Store['lostRuns']> {
    const database = await this.#database()
    const sql = `SELECT tenant, ${THREAD}, ${RUN} FROM runs JOIN threads USING (memory)
      WHERE runs.status = 'running' ORDER BY ordinal`
    const rows = await database.read(sql)
    return rows.map((row) => ({ tenant: textIn(row, 'tenant'), thread: threadIn(row), run: runIn(row) }))
  }

  async nextFence(): Promise<number> {
    const database = await this.#database()
    return database.epoch * FENCES_PER_EPOCH + ++this.#fence
  }

  async handOver(): Promise<void> {
    const database = await this.#database()
    await database.refuseWrites()
  }

  async close(): Promise<void> {
    if (this.#opening === undefined) return
    const { database, logs } = await this.#opening
    await logs.idle()
    await database.close()
  }
}

function noThread(id: string): RivuletError {
  return new RivuletError('NOT_FOUND', `there is no thread ${JSON.stringify(id)}`)
}
