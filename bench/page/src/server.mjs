import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { oldMessages } from './conversation.mjs'
import { aiSdk, langgraph, tanstack } from './peer-backends.mjs'
import { rivulet } from './rivulet-backend.mjs'

/**
 * One request with its ways to be answered.
 *
 * @typedef {object} Exchange
 * @property {string} path
 * @property {any} body parsed JSON; `{}` without one
 * @property {(value: unknown) => void} json
 * @property {(headers?: Record<string, string>) => { send: (text: string) => void; end: () => void }} stream
 * @property {(fn: () => void) => void} closed calls back when the page has left
 */

/** @type {Record<string, (exchange: Exchange) => unknown>} */
const backends = { rivulet, 'ai-sdk': aiSdk, tanstack, langgraph }

/** When the last piece was written to a page, in milliseconds since the epoch: `at`. */
export const lastWrite = { at: 0 }

/**
 * Serves the pages of `folder` and everybody's backend on loopback.
 *
 * @param {string} folder
 * @returns {Promise<{ url: string; close: () => void }>}
 */
export async function serve(folder) {
  const server = createServer((request, response) => {
    void answer(folder, request, response).catch((error) => {
      process.stderr.write(`${request.url}: ${error}\n`)
      response.destroy()
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * @param {string} folder
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function answer(folder, request, response) {
  const { pathname: path } = new URL(request.url ?? '/', 'http://bench')
  const json = (/** @type {unknown} */ value) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(value))
  }
  if (path === '/old') return json(oldMessages)
  const backend = backends[path.split('/')[1] ?? '']
  if (backend === undefined || path.endsWith('.html') || path.endsWith('.js')) return await file(folder, path, response)
  let text = ''
  for await (const chunk of request) text += chunk
  /** @type {Exchange['stream']} */
  const stream = (headers = {}) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', ...headers })
    response.flushHeaders()
    const send = (/** @type {string} */ piece) => {
      if (piece.includes('THE-END') && lastWrite.at === 0) lastWrite.at = Date.now()
      response.write(piece)
    }
    return { send, end: () => response.end() }
  }
  const closed = (/** @type {() => void} */ fn) => void response.on('close', fn)
  await backend({ path, body: text === '' ? {} : JSON.parse(text), json, stream, closed })
}

/**
 * @param {string} folder
 * @param {string} path
 * @param {import('node:http').ServerResponse} response
 */
async function file(folder, path, response) {
  if (path.endsWith('.js')) {
    response.writeHead(200, { 'content-type': 'text/javascript' })
    response.end(await readFile(`${folder}${path}`))
    return
  }
  response.writeHead(200, { 'content-type': 'text/html' })
  const script = `<script type="module" src="${path.replace('.html', '.js')}"></script>`
  response.end(`<!doctype html><meta charset="utf-8"><div id="root"></div>${script}`)
}
