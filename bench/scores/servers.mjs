import { createServer } from 'node:http'

/**
 * What a backend does to a stream of three pieces of one text, `a`, `b` and `c`.
 *
 * @typedef {'duplicate' | 'poison' | 'silence' | 'endless'} Fault
 */

const PIECE = 'x'.repeat(64 * 1024)
/** So much of a line that never ends is sent, at most. */
export const ENDLESS_BYTES = 256 * 1024 * 1024

/**
 * A server that streams what a peer's client reads, with a fault after the second piece.
 *
 * @param {(text: string) => string} block how this wire says a piece
 * @param {{ before: string, after: string }} frame what it says before and after all pieces
 * @param {Fault} fault
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serveBroken(block, frame, fault) {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-vercel-ai-ui-message-stream': 'v1' })
    response.write(frame.before + block('a') + block('b'))
    if (fault === 'silence') return
    if (fault === 'endless') return endless(response)
    if (fault === 'duplicate') response.write(block('b'))
    if (fault === 'poison') response.write('data: {"type": "text-delta", "del\n\n')
    response.end(block('c') + frame.after)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  // It listens on a port of its own.
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** @param {import('node:http').ServerResponse} response */
function endless(response) {
  response.write('data: ')
  let sent = 0
  const more = () => {
    while (sent < ENDLESS_BYTES && !response.destroyed) {
      sent += PIECE.length
      if (!response.write(PIECE)) return
    }
    if (!response.destroyed) response.end('\n\n')
  }
  response.on('drain', more)
  more()
}
