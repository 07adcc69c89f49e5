import { execFileSync, spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * `node load/run.mjs [memory] [sqlite] [idle] [slow] [--streams 2000] [--sqlite-streams 500] [--rate 20] [--seconds 10]
 * [--idle 5000] [--slow 50]`: see ../README.md.
 */
const PARTS = ['memory', 'sqlite', 'idle', 'slow']
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    streams: { type: 'string', default: '2000' },
    'sqlite-streams': { type: 'string', default: '500' },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    idle: { type: 'string', default: '5000' },
    slow: { type: 'string', default: '50' },
  },
})
const rate = Number(options.rate)
const seconds = Number(options.seconds)
const agent = new Agent({ keepAlive: false, maxSockets: Infinity })
const say = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)

/** Files that a process needs beside its streams. */
const OTHER_FILES = 200
/** As many streams as there may be files. Node raises its limit to the hard one by itself. @type {(wanted: string) => number} */
function affordable(wanted) {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  const most = limit === 'unlimited' ? Infinity : Number(limit) - OTHER_FILES
  if (Number(wanted) <= most) return Number(wanted)
  say(`ulimit -n is ${limit}: ${most} streams instead of ${wanted}`)
  return most
}

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
  const began = performance.now()
  server.go()
  const counts = await Promise.all(all.map(({ done }) => done))
  const took = (performance.now() - began) / 1000
  const after = await server.usage()
  server.end()
  const events = counts.reduce((sum, count) => sum + count, 0)
  const expected = streams * rate * seconds
  const each = (after.cpu - before.cpu) / events
  const lost = expected - events
  say(
    `${subject}: ${streams} streams x ${rate}/s, ${events} of ${expected} events in ${took.toFixed(1)} s, ${lost} lost, ${each.toFixed(1)} µs CPU an event`,
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

/**
 * What readers cost that take nothing while their thread says 32 MiB: beside the log, which costs the same without them.
 *
 * @type {(readers: number) => Promise<void>}
 */
async function slow(readers) {
  const held = []
  for (const stuck of [0, readers]) {
    const server = await start('memory')
    await make(server.url, 0)
    await Promise.all(Array.from({ length: stuck }, () => openStuck(`${server.url}/v1/threads/t0/events`)))
    const before = await server.usage()
    const body = JSON.stringify({ graph: 'flood', run: 'r' })
    const headers = { 'content-type': 'application/json' }
    await (await fetch(`${server.url}/v1/threads/t0/runs?wait=1`, { method: 'POST', headers, body })).text()
    const after = await server.usage()
    held.push(after.rss - before.rss)
    server.end()
  }
  const [without = 0, those = 0] = held
  const each = (those - without) / readers / 1024
  say(
    `slow: ${readers} readers that take nothing of 32 MiB cost ${each.toFixed(0)} KiB of resident memory each (target 1024)`,
  )
}

/** Opens a stream and stops reading it; resolves when its first bytes are there. @type {(url: string) => Promise<void>} */
function openStuck(url) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: { accept: 'text/event-stream' } }, (response) => {
      response.once('error', () => {})
      response.once('data', () => {
        response.socket.pause()
        resolve()
      })
    })
    sent.once('error', reject)
    sent.end()
  })
}

const wanted = positionals.length === 0 ? PARTS : positionals
const unknown = wanted.find((part) => !PARTS.includes(part))
if (unknown !== undefined) throw new Error(`there is no part ${unknown}; there are ${PARTS.join(', ')}`)

/** @type {(subject: string, streams: number, target: number) => Promise<void>} */
async function compare(subject, streams, target) {
  const floor = await load('floor', streams)
  const ours = await load(subject, streams)
  say(`${subject} ${(ours / floor).toFixed(2)}x its floor (target ${target})`)
}

if (wanted.includes('memory')) await compare('memory', affordable(options.streams), 2)
if (wanted.includes('sqlite')) await compare('sqlite', affordable(options['sqlite-streams']), 3)
if (wanted.includes('idle')) await idle(affordable(options.idle))
if (wanted.includes('slow')) await slow(Number(options.slow))
process.exit()
