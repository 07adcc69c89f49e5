import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { langGraphApi } from '../../packages/server/dist/langgraph-api/index.js'
import { createApp } from '../../packages/server/dist/index.js'
import { serve } from '../../packages/server/dist/node/index.js'
import { makeGraphs } from './graphs.mjs'

/**
 * A listening Rivulet server that speaks LangGraph's protocols, behind a line that can be cut. `more`: graphs besides its
 * own.
 *
 * @param {Record<string, any>} [more]
 * @returns {Promise<{
 *   url: string
 *   gate: import('./graphs.mjs').Gate
 *   errors: unknown[]
 *   cut: () => number
 *   close: () => Promise<void>
 * }>}
 */
export async function startRivulet(more = {}) {
  const { gate, graphs } = makeGraphs()
  /** @type {unknown[]} */
  const errors = []
  const app = createApp({
    graphs: { ...graphs, ...more },
    apis: [langGraphApi()],
    cors: { origins: ['http://localhost'], headers: ['x-api-key'] },
    onError: (error) => errors.push(error),
  })
  const served = await serve(app, { port: 0 })
  const line = await lineTo(served.port)
  return {
    url: line.url,
    gate,
    errors,
    cut: () => line.cut(),
    async close() {
      gate.open()
      line.cut()
      await line.close()
      await served.close({ graceMs: 0 })
    },
  }
}

/**
 * Passes connections on, and drops all of them when told to.
 *
 * @param {number} port
 */
async function lineTo(port) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set()
  const line = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  line.listen(0, '127.0.0.1')
  await once(line, 'listening')
  const address = line.address()
  const at = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${at}`,
    cut() {
      const cut = sockets.size
      for (const socket of sockets) socket.destroy()
      return cut
    },
    close: () => new Promise((resolve) => line.close(() => resolve(undefined))),
  }
}
