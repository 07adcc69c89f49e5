import type { Client, InValue } from '@libsql/client/sqlite3'
import type { RivuletError } from '@rivulet/protocol'
import { databaseError } from './database-error.ts'

/** One statement. `row`: the same insert may be written with others of its kind at once, as `sql` followed by rows. */
export interface Write {
  readonly sql: string
  readonly args: InValue[]
  readonly row?: string
}

/** What is written as a whole or not at all. */
export interface Unit {
  /** Asked for when the transaction is formed; again when that one failed. */
  writes(): readonly Write[]
  /** The unit is in the database. Called in the order of the units. */
  done?(): void
  /** It is not, and what {@link Unit.writes} planned is void. */
  failed?(): void
}

interface Waiting {
  readonly unit: Unit
  readonly resolve: () => void
  readonly reject: (error: RivuletError) => void
}

/** Most units in one transaction. */
const MAX_GROUP = 2000
/** Rows of one insert, at most: a statement may have so many parameters. */
const MAX_ROWS = 500

/**
 * Writes units in their order, in one transaction for all that came in one turn of the event loop. When a transaction
 * fails, its units are written each on its own, so that only those fail which are at fault.
 */
export class GroupCommit {
  readonly #client: Client
  /** First in each transaction: fails when this process may not write any more. */
  readonly #guard: Write
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined

  constructor(client: Client, guard: Write) {
    this.#client = client
    this.#guard = guard
  }

  /** Resolves when the unit is in the database. Rejects with a `RivuletError` when it is not. */
  write(unit: Unit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => void setImmediate(resolve))
      const group = this.#waiting.splice(0, MAX_GROUP)
      if (await this.#attempt(group)) continue
      for (const one of group) await this.#attempt([one], true)
    }
    this.#writing = undefined
  }

  /** Writes a group; `false` when that failed. The last attempt tells each unit what became of it. */
  async #attempt(group: readonly Waiting[], last: boolean = group.length === 1): Promise<boolean> {
    try {
      const writes = group.flatMap(({ unit }) => unit.writes())
      if (writes.length > 0) await this.#client.batch([this.#guard, ...joined(writes)], 'write')
    } catch (error) {
      for (const { unit } of group) unit.failed?.()
      if (!last) return false
      for (const { reject } of group) reject(databaseError(error))
      return true
    }
    for (const { unit, resolve } of group) {
      unit.done?.()
      resolve()
    }
    return true
  }
}

/** Neighbouring inserts of one kind as one statement. */
function joined(writes: readonly Write[]): Write[] {
  const result: Write[] = []
  let open: { sql: string; row: string; rows: number; args: InValue[] } | undefined
  const flush = (): void => {
    if (open === undefined) return
    const rows = Array.from({ length: open.rows }, () => open!.row).join(',')
    result.push({ sql: `${open.sql} ${rows}`, args: open.args })
    open = undefined
  }
  for (const { sql, row, args } of writes) {
    if (row !== undefined && open?.sql === sql && open.rows < MAX_ROWS) {
      open.rows++
      open.args.push(...args)
      continue
    }
    flush()
    if (row === undefined) result.push({ sql, args })
    else open = { sql, row, rows: 1, args: [...args] }
  }
  flush()
  return result
}
