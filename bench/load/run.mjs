import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** `node load/run.mjs [--streams 2000] [--sqlite-streams 500] [--rate 20] [--seconds 10] [--idle 5000]`: see ../README.md. */
const { values: options } = parseArgs({
  options: {
    streams: { type: 'string', default: '2000' },
    'sqlite-streams': { type: 'string', default: '500' },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    idle: { type: 'string', default: '5000' },
  },
})
const rate = Number(options.rate)
const seconds = Number(options.seconds)
const agent = new Agent({ keepAlive: false, maxSockets: Infinity })
const say = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)

/** @typedef {{ cpu: number, rss: number, heap: number }} Usage */

/** @type {(subject: string) => Promise<{ url: string, go: () => void, usage: () => Promise<Usage>, end: () => void }>} */
async function start(subject) {
  const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'served.mjs'), subject], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value: url } = await lines.next()
  return {
    url,
    go: () => void child.stdin.write(`go ${rate} ${seconds}\n`),
    async usage() {
      child.stdin.write('usage\n')
      return JSON.parse((await lines.next()).value)
    },
    end: () => child.stdin.end(),
  }
}

/**
 * A stream: `open` when its head has come, `done` with the number of deltas when it has ended. With `idle` it reads a
 * thread on which nothing happens.
 *
 * @type {(url: string, i: number, idle?: boolean) => { open: Promise<void>, done: Promise<number> }}
 */
function stream(url, i, idle = false) {
  const path = idle ? `/v1/threads/t${i}/events` : `/v1/threads/t${i}/runs`
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
  let opened = () => {}
  const open = new Promise((/** @type {(value: void) => void} */ resolve) => (opened = resolve))
  const done = new Promise((/** @type {(events: number) => void} */ resolve, reject) => {
    const sent = request(url + path, { agent, method: idle ? 'GET' : 'POST', headers }, (response) => {
      let length = 0
      let rest = ''
      response.setEncoding('latin1')
      response.on('data', (chunk) => {
        opened()
        const text = rest + chunk
        const end = text.lastIndexOf('\n') + 1
        // Words that were merged into one delta count as many as they are.
        for (const match of text.slice(0, end).matchAll(/"text":"((?:token )+)"/g)) length += (match[1] ?? '').length
        rest = text.slice(end)
      })
      response.once('end', () => resolve(length / 'token '.length))
      response.once('error', reject)
    })
    sent.once('error', reject)
    sent.end(idle ? undefined : JSON.stringify({ graph: 'words', run: 'r' }))
  })
  return { open, done }
}

/** @type {(subject: string, streams: number) => Promise<number>} */
async function load(subject, streams) {
  const server = await start(subject)
  const all = Array.from({ length: streams }, (_, i) => stream(server.url, i))
  await Promise.all(all.map(({ open }) => open))
  const before = await server.usage()
  server.go()
  const counts = await Promise.all(all.map(({ done }) => done))
  const after = await server.usage()
  server.end()
  const events = counts.reduce((sum, count) => sum + count, 0)
  const expected = streams * rate * seconds
  const each = (after.cpu - before.cpu) / events
  const lost = expected - events
  say(
    `${subject}: ${streams} streams x ${rate}/s, ${events} of ${expected} events, ${lost} lost, ${each.toFixed(1)} µs CPU an event`,
  )
  if (lost !== 0) process.exitCode = 1
  return each
}

/** @type {(streams: number) => Promise<void>} */
async function idle(streams) {
  const server = await start('memory')
  for (let i = 0; i < streams; i++) await make(server.url, i)
  const before = await server.usage()
  const all = Array.from({ length: streams }, (_, i) => stream(server.url, i, true))
  await Promise.all(all.map(({ open }) => open))
  const after = await server.usage()
  const kib = (/** @type {'heap' | 'rss'} */ what) => ((after[what] - before[what]) / streams / 1024).toFixed(1)
  say(`idle: ${streams} streams, ${kib('heap')} KiB of heap each, ${kib('rss')} KiB of resident memory`)
  for (const { done } of all) done.catch(() => {})
  server.end()
}

/** @type {(url: string, i: number) => Promise<void>} */
async function make(url, i) {
  const body = JSON.stringify({ id: `t${i}` })
  await (
    await fetch(`${url}/v1/threads`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  ).text()
}

const many = Number(options.streams)
const fewer = Number(options['sqlite-streams'])
const floor = await load('floor', many)
const memory = await load('memory', many)
const floorOfFewer = await load('floor', fewer)
const sqlite = await load('sqlite', fewer)
say(
  `memory ${(memory / floor).toFixed(2)}x its floor (target 2), SQLite ${(sqlite / floorOfFewer).toFixed(2)}x its floor (target 3)`,
)
await idle(Number(options.idle))
process.exit()
