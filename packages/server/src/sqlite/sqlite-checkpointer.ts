import type { Row } from '@libsql/client/sqlite3'
import type {
  Checkpoint,
  Checkpointer,
  CheckpointWrite,
  PendingStep,
  SavedCheckpoint,
  StateChange,
} from '@rivulet/core'
import { messageOfThrown, RivuletError } from '@rivulet/protocol'
import type { Database } from './database.ts'
import type { Write } from './group-commit.ts'
import { isObject, objectIn, optionalTextIn, textIn } from './columns.ts'

type Values = Checkpoint['values']

/** The newest checkpoint of a namespace: what the next one may be kept as the difference to. */
interface Newest {
  readonly id: string
  /** Length of the last whole state, and of all differences since. */
  readonly wholeBytes: number
  readonly changeBytes: number
  /** Differences since the last whole state. */
  readonly depth: number
}

/** Differences between two whole states, at most: so many rows are read for one state. */
const MAX_DEPTH = 100
/** Namespaces whose newest checkpoint is remembered. */
const REMEMBERED = 1000

const COLUMNS = 'ordinal, id, parent, whole, data, rest, pending'
const NOTHING_PENDING: PendingStep = { tasks: [], answers: {} }

/** Keeps checkpoints in a database as JSON: what changed, and a whole state as soon as the changes weigh as much. */
export class SqliteCheckpointer implements Checkpointer {
  readonly #database: () => Promise<Database>
  readonly #newest = new Map<string, Newest>()

  constructor(database: () => Promise<Database>) {
    this.#database = database
  }

  async get(threadId: string, ns: string, id?: string): Promise<SavedCheckpoint | undefined> {
    const database = await this.#database()
    const [which, args] = id === undefined ? ['ORDER BY ordinal DESC LIMIT 1', []] : ['AND id = ?', [id]]
    const sql = `SELECT ${COLUMNS} FROM checkpoints WHERE memory = ? AND ns = ? ${which}`
    const [row] = await database.read(sql, [threadId, ns, ...args])
    return row && saved(row, await valuesOf(database, threadId, ns, row))
  }

  async put(threadId: string, ns: string, checkpoint: Checkpoint, change: StateChange | undefined): Promise<void> {
    await this.#write({ kind: 'put', threadId, ns, checkpoint, change })
  }

  async putPending(threadId: string, ns: string, id: string, pending: PendingStep): Promise<void> {
    await this.#write({ kind: 'pending', threadId, ns, id, pending })
  }

  async #write(write: CheckpointWrite): Promise<void> {
    const { statement, undo } = this.plan(write)
    const database = await this.#database()
    try {
      await database.write({ writes: () => [statement] })
    } catch (error) {
      undo()
      throw error
    }
  }

  /**
   * What keeps a checkpoint, for a transaction that keeps something else with it. Plans follow each other in the order in
   * which they are written. `undo`: it was not. Throws `UNSERIALIZABLE` for a state that is not JSON.
   */
  plan(write: CheckpointWrite): { statement: Write; undo: () => void } {
    const { threadId, ns } = write
    if (write.kind === 'put') return this.#planPut(threadId, ns, write.checkpoint, write.change)
    const sql = 'UPDATE checkpoints SET pending = ? WHERE memory = ? AND ns = ? AND id = ?'
    return { statement: { sql, args: [textOf(write.pending), threadId, ns, write.id] }, undo: () => undefined }
  }

  #planPut(
    threadId: string,
    ns: string,
    { values, id, parent, ...rest }: Checkpoint,
    change: StateChange | undefined,
  ): { statement: Write; undo: () => void } {
    const key = JSON.stringify([threadId, ns])
    const before = this.#newest.get(key)
    const difference = change === undefined || before === undefined || before.id !== parent ? undefined : textOf(change)
    const isChange = difference !== undefined && before !== undefined && goesOn(before, difference.length)
    const data = isChange ? difference : textOf(values)
    const args = [threadId, ns, id, parent ?? null, isChange ? 0 : 1, data, textOf(rest)]
    const newest: Newest = isChange
      ? { ...before, id, changeBytes: before.changeBytes + data.length, depth: before.depth + 1 }
      : { id, wholeBytes: data.length, changeBytes: 0, depth: 0 }
    this.#remember(key, newest)
    const sql = 'INSERT INTO checkpoints (memory, ns, id, parent, whole, data, rest) VALUES'
    // Whoever comes after it must not build on what is not there.
    return { statement: { sql, row: '(?,?,?,?,?,?,?)', args }, undo: () => void this.#newest.delete(key) }
  }

  #remember(key: string, newest: Newest): void {
    this.#newest.delete(key)
    this.#newest.set(key, newest)
    if (this.#newest.size <= REMEMBERED) return
    for (const oldest of this.#newest.keys()) {
      this.#newest.delete(oldest)
      return
    }
  }

  async *list(
    threadId: string,
    ns: string,
    { before, limit = Infinity }: { before?: string; limit?: number } = {},
  ): AsyncGenerator<SavedCheckpoint, void, undefined> {
    const database = await this.#database()
    const place = await this.#ordinalOf(database, threadId, ns, before)
    let at = place
    for (let told = 0; told < limit; told++) {
      const sql = `SELECT ${COLUMNS} FROM checkpoints WHERE memory = ? AND ns = ? AND ordinal < ? ORDER BY ordinal DESC LIMIT 1`
      const [row] = await database.read(sql, [threadId, ns, at])
      if (row === undefined) return
      at = Number(row['ordinal'])
      yield saved(row, await valuesOf(database, threadId, ns, row))
    }
  }

  /** Where a listing begins: at the checkpoint named, or behind them all. */
  async #ordinalOf(database: Database, threadId: string, ns: string, id: string | undefined): Promise<number> {
    if (id === undefined) return Number.MAX_SAFE_INTEGER
    const sql = 'SELECT coalesce(min(ordinal), 0) AS place FROM checkpoints WHERE memory = ? AND ns = ? AND id >= ?'
    const [row] = await database.read(sql, [threadId, ns, id])
    const place = Number(row?.['place'])
    return place === 0 ? Number.MAX_SAFE_INTEGER : place
  }

  async deleteThread(threadId: string): Promise<void> {
    for (const key of this.#newest.keys()) {
      // `JSON.stringify([threadId, ns])` begins so for this thread alone.
      if (key.startsWith(`[${JSON.stringify(threadId)},`)) this.#newest.delete(key)
    }
    const database = await this.#database()
    await database.write({ writes: () => [{ sql: 'DELETE FROM checkpoints WHERE memory = ?', args: [threadId] }] })
  }
}

function goesOn({ wholeBytes, changeBytes, depth }: Newest, bytes: number): boolean {
  return depth < MAX_DEPTH && changeBytes + bytes <= Math.max(wholeBytes, 4096)
}

/** A row's state: the last whole one and every difference since. */
async function valuesOf(database: Database, threadId: string, ns: string, row: Row): Promise<Values> {
  if (row['whole'] === 1) return objectIn(row, 'data')
  const sql = `WITH RECURSIVE line (parent, whole, data, depth) AS (
      SELECT parent, whole, data, 0 FROM checkpoints WHERE memory = ?1 AND ns = ?2 AND id = ?3
      UNION ALL
      SELECT c.parent, c.whole, c.data, line.depth + 1 FROM line, checkpoints c
      WHERE c.memory = ?1 AND c.ns = ?2 AND c.id = line.parent AND line.whole = 0)
    SELECT whole, data FROM line ORDER BY depth DESC`
  const [first, ...changes] = await database.read(sql, [threadId, ns, textIn(row, 'id')])
  if (first?.['whole'] !== 1)
    throw new RivuletError('INTERNAL', `checkpoint ${textIn(row, 'id')} has lost what it grew from`)
  return changes.map(changeIn).reduce(patched, objectIn(first, 'data'))
}

/** The difference in a row. Throws `INTERNAL` for what is none. */
function changeIn(row: Row): StateChange {
  const { set, append, unset } = objectIn(row, 'data')
  const isWhole =
    isObject(set) && isObject(append) && Object.values(append).every(Array.isArray) && Array.isArray(unset)
  if (!isWhole) throw new RivuletError('INTERNAL', 'the database is damaged: a difference of states is none')
  // The lists are what was checked; whatever is in them is the graph's.
  return { set, append: append as StateChange['append'], unset: unset as StateChange['unset'] }
}

/** The state after a change. */
function patched(values: Values, { set, append, unset }: StateChange): Values {
  const next: Record<string, unknown> = { ...values, ...set }
  for (const [key, tail] of Object.entries(append)) {
    const list = next[key]
    next[key] = [...(Array.isArray(list) ? (list as unknown[]) : []), ...tail]
  }
  for (const key of unset) delete next[key]
  return next
}

function saved(row: Row, values: Values): SavedCheckpoint {
  // Only this file writes these columns.
  const rest = objectIn(row, 'rest') as Omit<Checkpoint, 'id' | 'parent' | 'values'>
  const parent = optionalTextIn(row, 'parent')
  const pending = row['pending'] === null ? NOTHING_PENDING : (objectIn(row, 'pending') as unknown as PendingStep)
  return { ...rest, id: textIn(row, 'id'), parent, values, ...pending }
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    const sentence = `the state cannot be kept, it is not JSON: ${messageOfThrown(cause)}`
    throw new RivuletError('UNSERIALIZABLE', sentence, { cause })
  }
}
