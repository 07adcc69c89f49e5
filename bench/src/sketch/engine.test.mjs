import assert from 'node:assert/strict'
import { test } from 'node:test'
import { context, sketch } from './engine.mjs'

/** @typedef {{ n: number, seen: string[] }} State */

/** @type {import('./engine.mjs').Engine<State>} */
const engine = {
  nodes: {
    a: () => ({ n: 1, seen: ['a'] }),
    b: async ({ n }) => ({ seen: [`b saw ${n} in ${context.getStore()?.node}`] }),
  },
  reducers: { seen: (old, update) => [...old, ...update] },
  route: (_, after) => (after === undefined ? [{ node: 'a' }, { node: 'b' }] : []),
}

/** @param {AsyncIterable<unknown>} stream */
async function all(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

void test('tasks of a step see the state before it, and their updates meet behind the barrier', async () => {
  assert.deepEqual(await all(sketch(engine, { n: 0, seen: [] }, ['values'])), [{ n: 1, seen: ['a', 'b saw 0 in b'] }])
})

void test('several modes come in one order, each chunk with its mode', async () => {
  const chunks = await all(sketch(engine, { n: 0, seen: [] }, ['updates', 'values']))
  assert.deepEqual(
    chunks.map((chunk) => (Array.isArray(chunk) ? chunk[0] : undefined)),
    ['updates', 'updates', 'values'],
  )
})

void test('what a node throws reaches the reader', async () => {
  const failing = {
    ...engine,
    nodes: {
      a: () => {
        throw new Error('no')
      },
    },
  }
  await assert.rejects(all(sketch(failing, { n: 0, seen: [] }, ['values'])), /no/)
})
