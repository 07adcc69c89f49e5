import { protocol } from '../production.mjs'
import { cutAtDeltas, recorded, textChunk } from './recorded.mjs'
import { atMost } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Work} Work */
/** @typedef {import('./recorded.mjs').StampedEvent} StampedEvent */

const TOKENS = 100_000
const BATCH = 16

/**
 * Text by hand: a cursor, a place in the text, and appending. Mutable, for one kind of event.
 *
 * @param {readonly StampedEvent[]} before
 * @param {readonly StampedEvent[]} deltas
 */
function byHand(before, deltas) {
  let cursor = before.length
  const messages = new Map(
    before.flatMap((event) => (event.type === 'message.start' ? [[event.id, { text: '' }]] : [])),
  )
  for (const event of deltas) {
    const message = event.type === 'message.delta' ? messages.get(event.id) : undefined
    if (message === undefined || event.type !== 'message.delta') throw new Error('unknown message')
    if (event.seq !== cursor + 1 || event.at !== message.text.length) throw new Error('gap')
    cursor = event.seq
    message.text += event.text
  }
  return cursor - before.length
}

/**
 * @param {number} tokens
 * @param {number} history
 * @param {number} batch events at once
 * @returns {Promise<Work>}
 */
async function ours(tokens, history, batch) {
  const { emptyState, fold, foldAll } = await protocol()
  const { before, deltas } = cutAtDeltas(await recorded(textChunk, tokens, history))
  const base = foldAll(emptyState(), before)
  if (batch === 1) {
    return () => {
      let state = base
      for (const event of deltas) state = fold(state, event)
      return state.cursor - base.cursor
    }
  }
  const batches = Array.from({ length: Math.ceil(tokens / batch) }, (_, i) => deltas.slice(i * batch, (i + 1) * batch))
  return () => {
    let state = base
    for (const events of batches) state = foldAll(state, events)
    return state.cursor - base.cursor
  }
}

/** @param {number} tokens */
async function floor(tokens) {
  const { before, deltas } = cutAtDeltas(await recorded(textChunk, tokens))
  return () => byHand(before, deltas)
}

/**
 * @param {'single' | 'batch'} how
 * @param {number} history
 * @returns {Row}
 */
function row(how, history) {
  const batch = how === 'single' ? 1 : BATCH
  const name = `fold/${how}`
  return {
    name: history === 0 ? name : `${name}-on-${history}`,
    unit: 'µs CPU a token',
    size: TOKENS,
    smokeSize: 40,
    kind: 'cpu',
    subjects: { ...(history === 0 && { floor }), ours: (tokens) => ours(tokens, history, batch) },
    targets: [
      history === 0 ? atMost('2 µs', () => 2) : atMost('1.2 x without a history', (of) => of('ours', name) * 1.2),
    ],
  }
}

/**
 * Tokens one by one at a place of one long message.
 *
 * @param {number} first
 * @param {number} tokens
 * @returns {Promise<Work>}
 */
async function window(first, tokens) {
  const { emptyState, fold, foldAll } = await protocol()
  const { before, deltas } = cutAtDeltas(await recorded(textChunk, first + tokens))
  const base = foldAll(emptyState(), [...before, ...deltas.slice(0, first)])
  const counted = deltas.slice(first)
  return () => {
    let state = base
    for (const event of counted) state = fold(state, event)
    return state.cursor - base.cursor
  }
}

/** @type {Row[]} */
export const rows = [
  ...[0, 1_000, 10_000].map((history) => row('single', history)),
  ...[0, 1_000, 10_000].map((history) => row('batch', history)),
  {
    name: 'fold/early',
    unit: 'µs CPU a token, 1,000 to 2,000',
    size: 1_000,
    smokeSize: 20,
    kind: 'cpu',
    subjects: { ours: (tokens) => window(tokens, tokens) },
    targets: [],
  },
  {
    name: 'fold/late',
    unit: 'µs CPU a token, 99,000 to 100,000',
    size: 1_000,
    smokeSize: 20,
    kind: 'cpu',
    subjects: { ours: (tokens) => window(99 * tokens, tokens) },
    targets: [atMost('1.2 x an early token', (of) => of('ours', 'fold/early') * 1.2)],
  },
]
