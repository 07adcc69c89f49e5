import { setImmediate } from 'node:timers/promises'
import { core } from '../production.mjs'
import { sketch } from '../sketch/engine.mjs'
import { atMost, drain } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */

/** Writes in one turn of the event loop: readers run between the bursts. */
const BURST = 50

/**
 * @param {number} writes
 * @param {(data: { done: number }) => void} write
 * @returns {Promise<{}>}
 */
async function report(writes, write) {
  for (let done = 0; done < writes; done++) {
    if (done % BURST === 0) await setImmediate()
    write({ done })
  }
  return {}
}

/** @param {number} writes */
async function* byHand(writes) {
  for (let done = 0; done < writes; done++) {
    if (done % BURST === 0) await setImmediate()
    yield { done }
  }
}

/** @type {Row[]} */
export const rows = [
  {
    name: 'custom/100000',
    unit: 'µs CPU a write',
    size: 100_000,
    smokeSize: 20,
    warmSize: 5_000,
    kind: 'cpu',
    subjects: {
      floor: async (writes) => () => drain(byHand(writes)),
      sketch: async (writes) => {
        /** @type {import('../sketch/engine.mjs').Engine<{}>} */
        const engine = {
          nodes: { report: (_, ctx) => report(writes, (data) => ctx.put('custom', data)) },
          reducers: {},
          route: (_, after) => (after === undefined ? [{ node: 'report' }] : []),
        }
        return () => drain(sketch(engine, {}, ['custom']))
      },
      ours: async (writes) => {
        const { START, state, StateGraph, value } = await core()
        const graph = new StateGraph(state({ done: value() }))
          .addNode('report', (_, ctx) => report(writes, ctx.writer))
          .addEdge(START, 'report')
          .compile()
        return () => drain(graph.stream({ done: 0 }, { streamMode: 'custom' }))
      },
      peer: async (writes) => {
        const { Annotation, START, StateGraph } = await import('@langchain/langgraph')
        const graph = new StateGraph(Annotation.Root({ done: Annotation() }))
          .addNode('report', (_, { writer }) => report(writes, (data) => writer?.(data)))
          .addEdge(START, 'report')
          .compile()
        return async () => drain(await graph.stream({ done: 0 }, { streamMode: 'custom' }))
      },
    },
    targets: [atMost('1.3 µs', () => 1.3)],
  },
]
