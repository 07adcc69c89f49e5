import type { Database } from './database.ts'
import type { SqliteCheckpointer } from './sqlite-checkpointer.ts'
import { SqliteLog, type SqliteLogOptions } from './sqlite-log.ts'

/** Logs that are held on to, though nobody may be using them: opening one again costs a few reads. */
const HELD = 64

/** The logs in use: each thread has one at a time, so that who appends wakes who reads. */
export class OpenLogs {
  readonly #database: Database
  readonly #checkpointer: SqliteCheckpointer
  readonly #limits: SqliteLogOptions
  readonly #onError: (error: unknown) => void
  readonly #logs = new Map<string, WeakRef<SqliteLog>>()
  readonly #opening = new Map<string, Promise<SqliteLog | undefined>>()
  /** Used last is last. */
  readonly #held = new Map<string, SqliteLog>()
  readonly #gone = new FinalizationRegistry((memory: string) => {
    if (this.#logs.get(memory)?.deref() === undefined) this.#logs.delete(memory)
  })

  constructor(
    database: Database,
    checkpointer: SqliteCheckpointer,
    limits: SqliteLogOptions,
    onError: (error: unknown) => void,
  ) {
    this.#database = database
    this.#checkpointer = checkpointer
    this.#limits = limits
    this.#onError = onError
  }

  /** The log of a thread; `undefined` when there is no such thread. */
  async open(memory: string): Promise<SqliteLog | undefined> {
    const known = this.#logs.get(memory)?.deref()
    if (known !== undefined) return this.#hold(memory, known)
    let opening = this.#opening.get(memory)
    if (opening === undefined) {
      opening = SqliteLog.open(this.#database, this.#checkpointer, memory, this.#limits, this.#onError)
      this.#opening.set(memory, opening)
      const forget = (): boolean => this.#opening.delete(memory)
      opening.then(forget, forget)
    }
    const log = await opening
    return log && this.#hold(memory, log)
  }

  #hold(memory: string, log: SqliteLog): SqliteLog {
    if (this.#logs.get(memory)?.deref() !== log) {
      this.#logs.set(memory, new WeakRef(log))
      this.#gone.register(log, memory)
    }
    this.#held.delete(memory)
    this.#held.set(memory, log)
    if (this.#held.size > HELD) {
      for (const oldest of this.#held.keys()) {
        this.#held.delete(oldest)
        break
      }
    }
    return log
  }

  /** The thread is gone. */
  forget(memory: string): void {
    this.#logs.delete(memory)
    this.#held.delete(memory)
  }

  /** Resolves when no log has anything left to tidy up. */
  async idle(): Promise<void> {
    await Promise.all([...this.#logs.values()].map(async (log) => log.deref()?.idle()))
  }
}
