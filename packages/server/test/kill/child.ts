import { createClient } from '@libsql/client/sqlite3'
import { createApp } from '../../src/index.ts'
import { serve } from '../../src/node/index.ts'
import { sqliteStore } from '../../src/sqlite/index.ts'
import { storyGraph } from './story.ts'

/**
 * A server on the database in the first argument, which prints its address. With a second argument it kills itself, as a
 * power cut would, `before` or `after` the transaction, counted from 1, that writes something: `after:events:3` is between
 * the third append and its readers being told.
 */
const [path, point] = process.argv.slice(2)
if (point !== undefined) killAt(point)
const app = createApp({ graphs: { story: storyGraph() }, store: sqliteStore(path!) })
const { url } = await serve(app, { port: 0 })
process.stdout.write(`${url}\n`)

function killAt(name: string): void {
  const [, when, what, count] = /^(\w+):(.+):(\d+)$/.exec(name)! as unknown as [string, string, string, string]
  let seen = 0
  const client = createClient({ url: 'file::memory:' })
  // The class is not exported; every client shares its prototype.
  const prototype = Object.getPrototypeOf(client) as { batch: (...args: unknown[]) => Promise<unknown> }
  const { batch } = prototype
  prototype.batch = async function (...args) {
    const isHit = textsIn(args[0]).some((sql) => sql.includes(what)) && ++seen === Number(count)
    if (isHit && when === 'before') process.kill(process.pid, 'SIGKILL')
    const result = await batch.apply(this, args)
    if (isHit) process.kill(process.pid, 'SIGKILL')
    return result
  }
}

function textsIn(statements: unknown): string[] {
  const list = statements as (string | { sql: string; args: unknown[] })[]
  return list.map((one) => (typeof one === 'string' ? one : `${one.sql} ${one.args.join(' ')}`))
}
