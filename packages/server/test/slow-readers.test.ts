import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createApp, type App } from '../src/index.ts'
import { nodeListener, webSockets } from '../src/node/index.ts'
import { Gate, wordGraph } from './graphs.ts'

const MIB = 1024 * 1024
/** 12 MiB in characters of three bytes each. */
const WORDS = 800
const WORD = '水'.repeat(5500)

/** An app below a server of the test's own, which keeps the server's ends of its connections in sight. */
async function listen(app: App): Promise<{ url: string; connections: Socket[] }> {
  const connections: Socket[] = []
  const sockets = webSockets(app)
  const listener = nodeListener(app)
  const server: Server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  server.on('upgrade', sockets.listener)
  server.on('connection', (socket) => connections.push(socket))
  onTestFinished(async () => {
    await app.close({ graceMs: 0 })
    sockets.close()
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on a port has an address with one.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections }
}

/** Opens a stream of the thread and takes nothing of it; resolves when it is open. */
type OpenStuck = (url: string) => Promise<void>

const overSse: OpenStuck = (url) =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/threads/t1/events?until=r1`, (response) => {
      response.socket.pause()
      response.on('error', () => undefined)
      onTestFinished(() => void response.destroy())
      resolve()
    })
    sent.once('error', reject)
    sent.end()
  })

const overSocket: OpenStuck = (url) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'rivulet.v1')
    onTestFinished(() => socket.terminate())
    socket.once('error', reject)
    socket.once('open', () => {
      socket.on('error', () => undefined)
      socket.send(JSON.stringify({ type: 'open', thread: 't1', until: 'r1' }))
    })
    socket.once('message', () => {
      socket.pause()
      resolve()
    })
  })

describe.each([
  ['server-sent events', overSse],
  ['a WebSocket', overSocket],
] as const)('over %s', (_wire, openStuck) => {
  test('a reader that takes nothing holds no more than 1 MiB, and is dropped', async () => {
    const gate = new Gate()
    const graphs = { words: wordGraph([gate, ...Array.from({ length: WORDS }, () => WORD)]) }
    const app = createApp({ graphs, heartbeatMs: 20, limits: { stallMs: 100 } })
    const { url, connections } = await listen(app)
    const body = JSON.stringify({ graph: 'words', run: 'r1' })
    const post = (query: string) =>
      fetch(`${url}/v1/threads/t1/runs${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    await (await post('')).text()
    const before = connections.length
    await openStuck(url)
    const stuck = connections[before]!
    const dropped = new Promise<void>((resolve) => stuck.once('close', () => resolve()))
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, stuck.writableLength)), 1)
    onTestFinished(() => clearInterval(watch))
    gate.open()
    await expect((await post('?wait=1')).json()).resolves.toMatchObject({ status: 'done' })
    await dropped
    // It was stuck: what did not go out was held here, and was little of what there is.
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(MIB)
    expect(app.openStreams).toBe(0)
  })
})
