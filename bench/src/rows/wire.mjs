import { protocol } from '../production.mjs'
import { langgraph } from './messages.mjs'
import { blocks, cutAtDeltas, piece, recorded, textChunk } from './recorded.mjs'
import { atMost } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */

const TOKENS = 10_000
const BATCH = 16

/**
 * @param {readonly (string | Uint8Array)[]} parts
 * @returns {number}
 */
function bytesOf(parts) {
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
}

/** A stream of nothing but text. @param {number} tokens */
async function bare(tokens) {
  return bytesOf(Array.from({ length: tokens }, (_, i) => `data: ${JSON.stringify(piece(i))}\n\n`)) / tokens
}

/** @param {number} tokens */
async function single(tokens) {
  const { deltas } = cutAtDeltas(await recorded(textChunk, tokens))
  return bytesOf(await blocks(deltas)) / tokens
}

/** What a reader gets who is so many tokens behind each time it reads. @param {number} tokens */
async function behind(tokens) {
  const { encodeFrame, memoryLog, readLog, wireState } = await protocol()
  const { before, deltas } = cutAtDeltas(await recorded(textChunk, tokens))
  const log = memoryLog()
  await log.append(before)
  const wire = wireState()
  const leave = new AbortController()
  let sent = 0
  let bytes = 0
  for await (const frame of readLog(log, { after: log.head() }, leave.signal)) {
    bytes += bytesOf([encodeFrame(frame, wire)])
    if (sent < tokens) await log.append(deltas.slice(sent, (sent += BATCH)))
    else leave.abort()
  }
  return bytes / tokens
}

/** The chunks of its `messages` mode as flat JSON, which is what its server writes. @param {number} tokens */
async function langgraphBytes(tokens) {
  const graph = await langgraph(tokens)
  let bytes = 0
  for await (const [message, metadata] of await graph.stream(
    { messages: [{ role: 'user', content: 'hello' }] },
    { streamMode: 'messages' },
  )) {
    const flat = { ...message.lc_kwargs, id: message.id, type: message.getType() }
    bytes += Buffer.byteLength(`event: messages\ndata: ${JSON.stringify([flat, metadata])}\n\n`)
  }
  return bytes / tokens
}

/** @type {Row[]} */
export const rows = [
  {
    name: 'wire/one-event',
    unit: 'bytes a token',
    size: TOKENS,
    smokeSize: 40,
    kind: 'gauge',
    subjects: { floor: bare, ours: single, peer: langgraphBytes },
    targets: [atMost('100 bytes', () => 100)],
  },
  {
    name: 'wire/16-behind',
    unit: 'bytes a token',
    size: TOKENS,
    smokeSize: 40,
    kind: 'gauge',
    subjects: { floor: bare, ours: behind },
    targets: [atMost('100 bytes', () => 100)],
  },
]
