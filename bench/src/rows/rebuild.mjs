import { protocol } from '../production.mjs'
import { blocks, cutAtDeltas, inChunks, recorded, textChunk } from './recorded.mjs'
import { atMost } from './row.mjs'
import { byHand } from './sse.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Work} Work */
/** @typedef {import('../../../packages/protocol/dist/index.js').ThreadState} ThreadState */
/** @typedef {(i: number) => import('../../../packages/core/dist/index.js').MessageChunk} ChunkAt */

const KIB = 1024
const CALL = 'call_1'

/** @type {ChunkAt} */
const argumentsChunk = (i) => ({
  toolCallChunks: [{ index: 0, args: '"line of text",', ...(i === 0 && { id: CALL, name: 'write' }) }],
})

/**
 * How the bytes of a long text and of a call's arguments arrive: as a fast network gives them, and one event a chunk,
 * where a page that reads after each chunk reads most.
 *
 * @typedef {(blocks: readonly Uint8Array[]) => readonly Uint8Array[]} Arrival
 */

/** @type {Arrival} */
const fast = (blocks) => inChunks(blocks, 16 * KIB)
/** @type {Arrival} */
const eventByEvent = (blocks) => blocks

/**
 * From the bytes of one message's deltas to its text, by hand.
 *
 * @param {ChunkAt} chunkAt
 * @param {Arrival} arrival
 * @param {number} pieces
 * @returns {Promise<Work>}
 */
async function floor(chunkAt, arrival, pieces) {
  const chunks = arrival(await blocks(await recorded(chunkAt, pieces)))
  return async () => {
    let text = ''
    let deltas = 0
    await byHand(chunks, (event) => {
      if (typeof event !== 'object' || event === null || !('at' in event) || !('text' in event)) return
      if (event.at !== text.length) throw new Error('gap')
      text += event.text
      deltas++
    })
    return deltas
  }
}

/**
 * From bytes to state, and what a page reads of it after each chunk.
 *
 * @param {ChunkAt} chunkAt
 * @param {Arrival} arrival
 * @param {number} pieces
 * @param {number} history
 * @param {(state: ThreadState) => number} read
 * @returns {Promise<Work>}
 */
async function ours(chunkAt, arrival, pieces, history, read) {
  const { createFrameDecoder, emptyState, foldAll } = await protocol()
  const { before, deltas } = cutAtDeltas(await recorded(chunkAt, pieces, history))
  const base = foldAll(emptyState(), before)
  const chunks = arrival(await blocks(deltas))
  return () => {
    const decoder = createFrameDecoder()
    let state = base
    let length = 0
    for (const chunk of chunks) {
      const frames = decoder.push(chunk)
      state = foldAll(
        state,
        frames.flatMap((frame) => (frame.type === 'events' ? frame.events : [])),
      )
      length = read(state)
    }
    if (state.gap !== undefined || length === 0) throw new Error('the state is not complete')
    return pieces
  }
}

/** Length of the last message on the page. */
async function readText() {
  const { messagesOf } = await protocol()
  return (/** @type {ThreadState} */ state) => messagesOf(state).at(-1)?.content.length ?? 0
}

/** Length of the call's arguments. */
async function readArguments() {
  const { toolCallOf } = await protocol()
  return (/** @type {ThreadState} */ state) => toolCallOf(state, CALL)?.args.length ?? 0
}

/**
 * @param {number} history
 * @returns {Row}
 */
function textRow(history) {
  return {
    name: history === 0 ? 'rebuild/text' : `rebuild/text-on-${history}`,
    unit: 'µs CPU a token, bytes to page',
    size: 100_000,
    smokeSize: 40,
    kind: 'cpu',
    subjects: {
      ...(history === 0 && { floor: (tokens) => floor(textChunk, fast, tokens) }),
      ours: async (tokens) => ours(textChunk, fast, tokens, history, await readText()),
    },
    targets: [
      history === 0
        ? atMost('6 µs', () => 6)
        : atMost('1.2 x without a history', (of) => of('ours', 'rebuild/text') * 1.2),
    ],
  }
}

/**
 * @param {string} variant
 * @param {number} pieces
 * @param {Arrival} arrival
 * @returns {Row}
 */
function argumentsRow(variant, pieces, arrival) {
  return {
    name: `rebuild/arguments-${variant}`,
    unit: 'µs CPU a piece, bytes to page',
    size: pieces,
    smokeSize: 40,
    kind: 'cpu',
    subjects: {
      floor: (size) => floor(argumentsChunk, arrival, size),
      ours: async (size) => ours(argumentsChunk, arrival, size, 0, await readArguments()),
    },
    targets: [
      atMost('5 x floor', (of) => of('floor') * 5),
      ...(variant === '16000'
        ? [atMost('linear: 1.2 x a piece of 2,000', (of) => of('ours', 'rebuild/arguments-2000') * 1.2)]
        : []),
    ],
  }
}

/** @type {Row[]} */
export const rows = [
  textRow(0),
  textRow(1_000),
  argumentsRow('2000', 2_000, fast),
  argumentsRow('16000', 16_000, fast),
  argumentsRow('each', 16_000, eventByEvent),
]
