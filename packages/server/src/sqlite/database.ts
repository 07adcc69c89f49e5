import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createClient, type Client, type InValue, type Row } from '@libsql/client/sqlite3'
import { RivuletError } from '@rivulet/protocol'
import { GroupCommit, type Unit } from './group-commit.ts'
import { databaseError } from './database-error.ts'
import { schema } from './schema.ts'

/** How a database is opened. */
export interface DatabaseOptions {
  /** Path of the file; folders that are missing are made. */
  path: string
  /** `normal`: what was written survives the end of the process. `full`: also the loss of power, which costs an fsync a commit. */
  fsync: 'normal' | 'full'
}

/**
 * Pages, of 4 KiB, that gather beside the database before they are copied into it. Many threads that stream at once write
 * the same pages of the index again and again: with SQLite's 1,000 each would be copied every few commits.
 */
const WAL_PAGES = 8192
/** Pages kept in memory, in KiB: the index of what some hundred threads stream, which SQLite's 2 MiB do not hold. */
const CACHE_KIB = 32 * 1024

/** Time in milliseconds to wait for another process that is writing. */
const BUSY_MS = 5000

/**
 * One file, owned by the process that opened it last: opening it raises its epoch, and whoever writes with an older one
 * is refused.
 */
export class Database {
  /** Raised with every opening. */
  readonly epoch: number
  readonly #client: Client
  readonly #commits: GroupCommit
  #refusal: RivuletError | undefined

  private constructor(client: Client, epoch: number) {
    this.#client = client
    this.epoch = epoch
    this.#commits = new GroupCommit(client, { sql: 'INSERT INTO epoch_check (epoch) VALUES (?)', args: [epoch] })
  }

  /** Opens the file and takes it over. Throws `INTERNAL` when it is no database of ours or cannot be opened. */
  static async open({ path, fsync }: DatabaseOptions): Promise<Database> {
    try {
      const file = resolve(path)
      mkdirSync(dirname(file), { recursive: true })
      const client = createClient({ url: pathToFileURL(file).href, timeout: BUSY_MS, intMode: 'number' })
      await client.execute('PRAGMA journal_mode = WAL')
      await client.execute(`PRAGMA synchronous = ${fsync.toUpperCase()}`)
      await client.execute(`PRAGMA wal_autocheckpoint = ${WAL_PAGES}`)
      await client.execute(`PRAGMA cache_size = -${CACHE_KIB}`)
      await client.batch([...schema], 'write')
      const taken = await client.batch(['UPDATE owner SET epoch = epoch + 1 RETURNING epoch'], 'write')
      return new Database(client, Number(taken[0]!.rows[0]!['epoch']))
    } catch (error) {
      throw databaseError(error)
    }
  }

  /** Rows that match. */
  async read(sql: string, args: InValue[] = []): Promise<readonly Row[]> {
    try {
      return (await this.#client.execute({ sql, args })).rows
    } catch (error) {
      throw databaseError(error)
    }
  }

  /** Writes a unit as a whole, together with what else is written in this turn. Throws `RUN_CONFLICT` when it may not. */
  async write(unit: Unit): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal
    await this.#commits.write(unit)
  }

  /** Refuses every write from now on; resolves when those before are done. */
  async refuseWrites(): Promise<void> {
    this.#refusal ??= new RivuletError('RUN_CONFLICT', 'this database was handed over to another process')
    await this.#commits.idle()
  }

  /** Finishes what is being written and closes the file. */
  async close(): Promise<void> {
    await this.refuseWrites()
    this.#client.close()
  }
}
