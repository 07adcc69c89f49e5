import { createServer } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * One subject of the load, in a process of its own: `node --expose-gc served.mjs floor|memory|sqlite`. Prints its address,
 * then takes lines on standard input: `go <rate> <seconds>` makes every open stream say something `rate` times a second,
 * `usage` prints what the process has used. Each stream says as many events as that makes, then ends.
 */
const subject = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'rivulet-load-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const TEXT = 'token '

/** @type {Set<() => void>} */
let waiting = new Set()
/** Resolves at the next tick. @type {() => Promise<void>} */
const tick = () => new Promise((resolve) => void waiting.add(resolve))
let total = Infinity

/** @type {(rate: number, seconds: number) => void} */
function go(rate, seconds) {
  total = rate * seconds
  setInterval(() => {
    const now = waiting
    waiting = new Set()
    for (const wake of now) wake()
  }, 1000 / rate)
}

/** The least that streams events: a response that is written to. */
async function floor() {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(': open\n\n')
    void speak(response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** @type {(response: import('node:http').ServerResponse) => Promise<void>} */
async function speak(response) {
  for (let i = 0; i < total; i++) {
    await tick()
    const data = JSON.stringify({ id: 'm', at: i * TEXT.length, text: TEXT })
    response.write(`id: log.${i}\nevent: message.delta\ndata: ${data}\n\n`)
  }
  response.end('event: run.end\ndata: {}\n\n')
}

/** A graph that says one word at a time. */
const words = {
  /** @type {import('@rivulet/protocol').StreamableGraph['events']} */
  async *events(_input, { runId: run = '' } = {}) {
    const id = `${run}-m`
    yield { type: 'run.start', run, protocol: 1 }
    yield { type: 'message.start', run, id, role: 'assistant' }
    for (let i = 0; i < total; i++) {
      await tick()
      yield { type: 'message.delta', run, id, part: 0, at: i * TEXT.length, text: TEXT }
    }
    yield { type: 'message.end', run, id, lengths: [total * TEXT.length] }
    yield { type: 'run.end', run, status: 'done' }
  },
}

/** A graph that says 32 MiB in pieces of 16 KiB, one a turn. */
const flood = {
  /** @type {import('@rivulet/protocol').StreamableGraph['events']} */
  async *events(_input, { runId: run = '' } = {}) {
    const id = `${run}-m`
    const text = 'x'.repeat(16 * 1024)
    yield { type: 'run.start', run, protocol: 1 }
    yield { type: 'message.start', run, id, role: 'assistant' }
    for (let i = 0; i < 2048; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      yield { type: 'message.delta', run, id, part: 0, at: i * text.length, text }
    }
    yield { type: 'message.end', run, id, lengths: [2048 * text.length] }
    yield { type: 'run.end', run, status: 'done' }
  },
}

async function ours() {
  const { createApp, memoryStore } = await import('../../packages/server/dist/index.js')
  const { serve } = await import('../../packages/server/dist/node/index.js')
  const { sqliteStore } = await import('../../packages/server/dist/sqlite/index.js')
  const store = subject === 'sqlite' ? sqliteStore(join(folder, 'data.db')) : memoryStore()
  const app = createApp({ graphs: { words, flood }, store })
  return (await serve(app, { port: 0 })).url
}

let input = ''
process.stdin.on('data', (chunk) => {
  input += chunk
  const lines = input.split('\n')
  input = lines.pop() ?? ''
  for (const line of lines) {
    const [command, ...numbers] = line.split(' ')
    if (command === 'go') go(Number(numbers[0]), Number(numbers[1]))
    if (command === 'usage') {
      globalThis.gc?.()
      const { user, system } = process.cpuUsage()
      const { rss, heapUsed, external } = process.memoryUsage()
      process.stdout.write(`${JSON.stringify({ cpu: user + system, rss, heap: heapUsed + external })}\n`)
    }
  }
})
process.stdin.once('end', () => process.exit())
process.stdout.write(`${subject === 'floor' ? await floor() : await ours()}\n`)
