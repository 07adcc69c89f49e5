import { core, protocol } from '../production.mjs'
import { conversation } from './conversation.mjs'

/** @typedef {import('../../../packages/protocol/dist/index.js').StampedEvent} StampedEvent */
/** @typedef {import('../../../packages/protocol/dist/index.js').RivuletEvent} RivuletEvent */
/** @typedef {import('../../../packages/core/dist/index.js').MessageChunk} MessageChunk */

/** Pieces as models cut them: four characters on average. */
const PIECES = ['The', ' cat', ' sat', ' on', ' the', ' window', 'sill', ' and', ' watch', 'ed', ' rain', '.']

/**
 * @param {number} i
 * @returns {string}
 */
export function piece(i) {
  return PIECES[i % PIECES.length] ?? ''
}

/**
 * A run as a log holds it: one node whose model answers in these chunks, on a thread with so many messages.
 *
 * @param {(i: number) => MessageChunk} chunkAt
 * @param {number} chunks
 * @param {number} [history]
 * @returns {Promise<StampedEvent[]>}
 */
export async function recorded(chunkAt, chunks, history = 0) {
  const { fromAsyncIterable, messages, START, state, StateGraph } = await core()
  const model = fromAsyncIterable(async function* () {
    for (let i = 0; i < chunks; i++) yield chunkAt(i)
  })
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('answer', async ({ messages }) => ({ messages: await model.invoke(messages) }))
    .addEdge(START, 'answer')
    .compile()
  /** @type {StampedEvent[]} */
  const events = []
  for await (const event of graph.events({ messages: conversation(history) })) {
    events.push(Object.assign({}, event, { seq: events.length + 1 }))
  }
  return events
}

/** @param {number} i */
export const textChunk = (i) => ({ content: piece(i) })

/**
 * The events up to the first delta, and the deltas.
 *
 * @param {StampedEvent[]} events
 */
export function cutAtDeltas(events) {
  const first = events.findIndex(({ type }) => type === 'message.delta')
  const last = events.findLastIndex(({ type }) => type === 'message.delta')
  return { before: events.slice(0, first), deltas: events.slice(first, last + 1) }
}

/**
 * Events as the own wire's bytes, one SSE block an event.
 *
 * @param {readonly StampedEvent[]} events
 * @returns {Promise<Uint8Array[]>}
 */
export async function blocks(events) {
  const { encodeFrame, wireState } = await protocol()
  const wire = wireState()
  const text = new TextEncoder()
  return events.map((event) => text.encode(encodeFrame({ type: 'events', log: 'k3v9x2ab', events: [event] }, wire)))
}

/**
 * The same bytes in pieces of so many, as sockets give them.
 *
 * @param {readonly Uint8Array[]} blocks
 * @param {number} size
 * @returns {Uint8Array[]}
 */
export function inChunks(blocks, size) {
  const bytes = Buffer.concat(blocks)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}
