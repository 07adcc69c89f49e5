import { parser, protocol } from '../production.mjs'
import { blocks, cutAtDeltas, inChunks, recorded, textChunk } from './recorded.mjs'
import { atMost } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Work} Work */

const TOKENS = 100_000
const KIB = 1024

/**
 * The parser and JSON by themselves.
 *
 * @param {readonly Uint8Array[]} chunks
 * @param {(event: unknown) => void} take
 */
export async function byHand(chunks, take) {
  const { createParser } = await parser()
  const text = new TextDecoder('utf-8', { ignoreBOM: true })
  const sse = createParser({ onEvent: ({ data }) => take(JSON.parse(data)) })
  for (const chunk of chunks) sse.feed(text.decode(chunk, { stream: true }))
}

/**
 * @param {number} tokens
 * @param {number | undefined} chunkBytes one event a chunk when left out
 */
async function chunksOf(tokens, chunkBytes) {
  const events = await blocks(await recorded(textChunk, tokens))
  return { beside: events.length - tokens, chunks: chunkBytes === undefined ? events : inChunks(events, chunkBytes) }
}

/**
 * @param {string} variant
 * @param {number} [chunkBytes]
 * @returns {Row}
 */
function row(variant, chunkBytes) {
  return {
    name: `sse/${variant}`,
    unit: 'µs CPU an event',
    size: TOKENS,
    smokeSize: 40,
    kind: 'cpu',
    subjects: {
      floor: async (tokens) => {
        const { beside, chunks } = await chunksOf(tokens, chunkBytes)
        return async () => {
          let events = 0
          await byHand(chunks, () => events++)
          return events - beside
        }
      },
      ours: async (tokens) => {
        const { beside, chunks } = await chunksOf(tokens, chunkBytes)
        const { createFrameDecoder } = await protocol()
        return () => {
          const decoder = createFrameDecoder()
          let events = 0
          for (const chunk of chunks) {
            for (const frame of decoder.push(chunk)) if (frame.type === 'events') events += frame.events.length
          }
          return events - beside
        }
      },
    },
    targets: [atMost('1.4 x floor', (of) => of('floor') * 1.4)],
  }
}

/** @type {Row} */
const encodeRow = {
  name: 'sse/encode',
  unit: 'µs CPU an event',
  size: TOKENS,
  smokeSize: 40,
  kind: 'cpu',
  subjects: {
    floor: async (tokens) => {
      const { deltas } = cutAtDeltas(await recorded(textChunk, tokens))
      return () => {
        let length = 0
        for (const event of deltas) length += `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`.length
        return length > 0 ? deltas.length : 0
      }
    },
    ours: async (tokens) => {
      const { deltas } = cutAtDeltas(await recorded(textChunk, tokens))
      const { encodeFrame, wireState } = await protocol()
      return () => {
        const wire = wireState()
        let length = 0
        for (const event of deltas) {
          length += encodeFrame({ type: 'events', log: 'k3v9x2ab', events: [event] }, wire).length
        }
        return length > 0 ? deltas.length : 0
      }
    },
  },
  targets: [],
}

/** @type {Row[]} */
export const rows = [row('event-a-chunk'), row('16-kib-chunks', 16 * KIB), encodeRow]
