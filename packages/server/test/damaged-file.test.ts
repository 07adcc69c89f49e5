import { createClient } from '@libsql/client/sqlite3'
import * as fc from 'fast-check'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { chatGraph } from './graphs.ts'
import { startServer } from './server.ts'
import { openStore, temporaryPath } from './sqlite.ts'

/** Columns that hold JSON, with what is in them. */
const COLUMNS = [
  ['checkpoints', 'data'],
  ['events', 'data'],
  ['threads', 'metadata'],
  ['runs', 'run'],
] as const

const HOSTILE =
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"values":{"__proto__":{"polluted":1}}}'

/** Another text than the one that was kept: cut, with a character changed, or of another shape. */
const damage = fc.oneof(
  fc.record({ cut: fc.nat(2000) }),
  fc.record({ at: fc.nat(2000), put: fc.string({ minLength: 1, maxLength: 3 }) }),
  fc.constantFrom('null', '[]', '[{}]', '{}', '0', '"x"', '[[]]', '{"values":null}', '', HOSTILE),
)

function damaged(text: string, how: string | { cut: number } | { at: number; put: string }): string {
  if (typeof how === 'string') return how
  if ('cut' in how) return text.slice(0, how.cut % Math.max(text.length, 1))
  const at = how.at % Math.max(text.length, 1)
  return text.slice(0, at) + how.put + text.slice(at + how.put.length)
}

test('whatever stands in a damaged file is answered, or refused with a typed error, and changes no prototype', async () => {
  const path = await temporaryPath()
  const open = () => startServer({ graphs: { chat: chatGraph() }, store: openStore(path) })
  let server = await open()
  const file = createClient({ url: pathToFileURL(path).href })
  onTestFinished(() => file.close())
  let thread = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...COLUMNS), damage, async ([table, column], how) => {
      const id = `t${++thread}`
      const body = { graph: 'chat', run: 'r1', input: { messages: ['hi'] } }
      await (await server.post(`/v1/threads/${id}/runs?wait=1`, body)).json()
      const memory = `(SELECT memory FROM threads WHERE id = '${id}')`
      const { rows } = await file.execute(
        `SELECT rowid AS place, ${column} AS data FROM ${table} WHERE memory = ${memory}`,
      )
      for (const { place, data } of rows) {
        await file.execute({
          sql: `UPDATE ${table} SET ${column} = ? WHERE rowid = ?`,
          args: [damaged(typeof data === 'string' ? data : '', how), Number(place)],
        })
      }
      // One that has nothing in memory.
      server = await open()
      const answers = [
        await server.get(`/v1/threads/${id}/state`),
        await server.get(`/v1/threads/${id}/history`),
        await server.get(`/v1/threads/${id}/runs/r1`),
        await server.get(`/v1/threads/${id}/events?until=r1`),
        await server.post(`/v1/threads/${id}/runs?wait=1`, { graph: 'chat', run: 'r2', input: { messages: ['more'] } }),
      ]
      const failures: string[] = []
      for (const answer of answers) {
        const text = await answer.text()
        expect([200, 400, 404, 409, 500]).toContain(answer.status)
        if (answer.status === 500) failures.push((JSON.parse(text) as { error: { code: string } }).error.code)
        expect(text).not.toMatch(/SyntaxError|TypeError|at .*:\d+:\d+/)
      }
      expect(failures.every((code) => code === 'INTERNAL')).toBe(true)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    }),
    {
      numRuns: 12,
      examples: [
        // Groups of events that hold none: their reader once asked for ever.
        [COLUMNS[1], '[]'],
        [COLUMNS[1], '[{}]'],
      ],
    },
  )
  // The server is as well as before.
  const body = { graph: 'chat', input: { messages: ['hi'] } }
  expect(await (await server.post('/v1/threads/whole/runs?wait=1', body)).json()).toMatchObject({ status: 'done' })
})
