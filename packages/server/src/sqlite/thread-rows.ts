import type { InValue, Row } from '@libsql/client/sqlite3'
import { invalid } from '../http/fields.ts'
import type { RunRequest } from '../runs/run-request.ts'
import { pageOf, parsePlace } from '../threads/page.ts'
import type { Run, Thread, ThreadChange, ThreadPage, ThreadQuery, ThreadStatus } from '../threads/store.ts'
import type { Database } from './database.ts'
import type { Write } from './group-commit.ts'
import { objectIn, optionalTextIn, textIn } from './columns.ts'

/** The columns of a {@link threadIn}. */
export const THREAD = 'threads.memory, threads.id, graph, metadata, created_at, updated_at, threads.status'

/** The thread in a row. */
export function threadIn(row: Row): Thread {
  return {
    id: textIn(row, 'id'),
    graph: optionalTextIn(row, 'graph'),
    metadata: objectIn(row, 'metadata'),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    status: textIn(row, 'status') as ThreadStatus,
    memory: textIn(row, 'memory'),
  }
}

/** The columns of a {@link runIn}. */
export const RUN = 'runs.status AS run_status, run, request'

/** The run in a row. */
export function runIn(row: Row): Run {
  // Only this file writes these columns.
  const run = objectIn(row, 'run') as unknown as Run
  const request = row['request'] === null ? undefined : (objectIn(row, 'request') as unknown as RunRequest)
  return {
    ...run,
    status: textIn(row, 'run_status') as Run['status'],
    error: run.error,
    base: run.base,
    from: run.from,
    request,
  }
}

/** Keeps a thread. */
export function insertThread(tenant: string, thread: Thread, log: string): Write {
  const { memory, id, graph, metadata, createdAt, updatedAt, status } = thread
  const sql = `INSERT INTO threads (memory, tenant, id, graph, metadata, created_at, updated_at, status, log)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
  return { sql, args: [memory, tenant, id, graph ?? null, JSON.stringify(metadata), createdAt, updatedAt, status, log] }
}

/** Changes what is named of a thread. */
export function updateThread(tenant: string, id: string, change: ThreadChange): Write | undefined {
  const { graph, metadata, status, updatedAt } = change
  const columns: [string, InValue][] = []
  if (graph !== undefined) columns.push(['graph', graph])
  if (metadata !== undefined) columns.push(['metadata', JSON.stringify(metadata)])
  if (status !== undefined) columns.push(['status', status])
  if (updatedAt !== undefined) columns.push(['updated_at', updatedAt])
  if (columns.length === 0) return undefined
  const sets = columns.map(([name]) => `${name} = ?`).join(', ')
  return {
    sql: `UPDATE threads SET ${sets} WHERE tenant = ? AND id = ?`,
    args: [...columns.map(([, value]) => value), tenant, id],
  }
}

/** Keeps a run. */
export function insertRun(memory: string, run: Run): Write {
  const sql = 'INSERT INTO runs (memory, id, status, run, request) VALUES (?, ?, ?, ?, ?)'
  return { sql, args: [memory, run.id, run.status, textOf(run), JSON.stringify(run.request)] }
}

/** Keeps a run as it is now; what was asked goes when it is over. */
export function replaceRun(memory: string, run: Run): Write {
  const request = run.request === undefined ? 'NULL' : 'request'
  const sql = `UPDATE runs SET status = ?, run = ?, request = ${request} WHERE memory = ? AND id = ?`
  return { sql, args: [run.status, textOf(run), memory, run.id] }
}

function textOf({ request: _request, status: _status, ...run }: Run): string {
  return JSON.stringify(run)
}

/** A page of a tenant's threads. */
export async function listThreads(database: Database, tenant: string, query: ThreadQuery): Promise<ThreadPage> {
  const { limit, cursor, metadata = {}, status } = query
  const after = parsePlace(cursor)
  const conditions: [string, InValue[]][] = [['tenant = ?', [tenant]]]
  if (status !== undefined) conditions.push(['status = ?', [status]])
  for (const [key, value] of Object.entries(metadata)) conditions.push(hasEntry(key, value))
  if (after !== undefined) {
    conditions.push(['(updated_at < ? OR (updated_at = ? AND id > ?))', [after.updatedAt, after.updatedAt, after.id]])
  }
  const where = conditions.map(([sql]) => sql).join(' AND ')
  const args = conditions.flatMap(([, values]) => values)
  const sql = `SELECT ${THREAD} FROM threads WHERE ${where} ORDER BY updated_at DESC, id LIMIT ?`
  return pageOf((await database.read(sql, [...args, limit + 1])).map(threadIn), limit)
}

function hasEntry(key: string, value: unknown): [string, InValue[]] {
  const [types, given] = typeof value === 'number' ? ["'integer', 'real'", value] : scalar(value)
  const sql = `EXISTS (SELECT 1 FROM json_each(metadata) AS entry WHERE entry.key = ? AND entry.type IN (${types}) AND entry.value IS ?)`
  return [sql, [key, given]]
}

function scalar(value: unknown): [string, InValue] {
  if (typeof value === 'string') return ["'text'", value]
  if (typeof value === 'boolean') return [`'${value}'`, Number(value)]
  if (value === null) return ["'null'", null]
  throw invalid('metadata to search for are texts, numbers, booleans or null')
}
