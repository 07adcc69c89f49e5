import { createInterface } from 'node:readline'

/** @typedef {import('node:stream').Readable} Readable */

// Colours, which a terminal would have hidden.
// eslint-disable-next-line no-control-regex -- the escape character is what a colour begins with
const COLOUR = /\u001b\[[0-9;]*m/g

/**
 * The first address on this machine that a program prints. Keeps reading afterwards, so that the program never waits for
 * a full pipe. Rejects with what was printed when the output ends without an address, or with the signal's reason.
 *
 * @param {readonly Readable[]} outputs
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export function printedAddress(outputs, signal) {
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const lines = []
    let open = outputs.length
    const failed = (/** @type {string} */ why) =>
      reject(new Error(`${why}. It printed:\n${lines.slice(-40).join('\n')}`))
    for (const input of outputs) {
      const reader = createInterface({ input })
      reader.on('line', (line) => {
        const plain = line.replace(COLOUR, '')
        lines.push(plain)
        const address = addressIn(plain)
        if (address !== undefined) resolve(address)
      })
      reader.on('close', () => --open === 0 && failed('The demo ended before it printed an address'))
    }
    signal.addEventListener('abort', () => failed('The demo printed no address in time'), { once: true })
  })
}

/**
 * The address of a server on this machine in a line of text.
 *
 * @param {string} line
 * @returns {string | undefined}
 */
export function addressIn(line) {
  return /https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):\d+\/?/.exec(line)?.[0]
}

/**
 * Waits for the address and asks for the page there and for the scripts it names on the same server. Rejects when one
 * of them is not served as what it is.
 *
 * @param {readonly Readable[]} outputs of the program that serves
 * @param {AbortSignal} signal
 * @returns {Promise<{ url: string, bytes: number, scripts: number }>}
 */
export async function servedPage(outputs, signal) {
  const url = await printedAddress(outputs, signal)
  const html = await get(url, 'text/html', signal)
  const scripts = [...html.matchAll(/<script[^>]*\ssrc="(\/[^"]+)"/g)].map((match) => `${match[1]}`)
  if (scripts.length === 0) throw new Error(`${url} serves a page without a script:\n${html.slice(0, 500)}`)
  for (const script of scripts) await get(new URL(script, url).href, 'javascript', signal)
  return { url, bytes: html.length, scripts: scripts.length }
}

/** @type {(url: string, type: string, signal: AbortSignal) => Promise<string>} */
async function get(url, type, signal) {
  const response = await fetch(url, { signal, headers: { accept: type === 'text/html' ? type : '*/*' } })
  const text = await response.text()
  if (response.ok && response.headers.get('content-type')?.includes(type)) return text
  throw new Error(`${url} answered ${response.status} ${response.headers.get('content-type')}: ${text.slice(0, 500)}`)
}
