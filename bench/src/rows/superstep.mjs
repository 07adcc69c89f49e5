import { core } from '../production.mjs'
import { sketch } from '../sketch/engine.mjs'
import { atMost, drain, isUpdate } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Work} Work */
/** @typedef {{ n: number }} Counter */

const STEPS = 1_000
const ONE = /** @type {const} */ (['updates'])
const FIVE = /** @type {const} */ (['values', 'updates', 'custom', 'messages', 'debug'])

/**
 * The loop by hand: one call, one merge, one chunk for each mode.
 *
 * @param {number} steps
 * @param {boolean} five
 */
async function* byHand(steps, five) {
  let state = { n: 0 }
  for (let step = 1; state.n < steps; step++) {
    const before = state
    const update = await Promise.resolve({ n: state.n + 1 })
    state = { ...state, ...update }
    if (!five) yield { tick: update }
    else {
      yield ['debug', { type: 'task', step, node: 'tick', input: before }]
      yield ['custom', { n: before.n }]
      yield ['updates', { tick: update }]
      yield ['debug', { type: 'task_result', step, node: 'tick', result: update }]
      yield ['values', state]
    }
  }
}

/**
 * @param {number} steps
 * @returns {import('../sketch/engine.mjs').Engine<Counter>}
 */
function sketched(steps) {
  return {
    nodes: {
      tick: ({ n }, ctx) => {
        ctx.put('custom', { n })
        return { n: n + 1 }
      },
    },
    reducers: {},
    route: ({ n }) => (n < steps ? [{ node: 'tick' }] : []),
  }
}

/**
 * A loop over one node; `idle` more nodes stand beside it and never run.
 *
 * @param {number} steps
 * @param {boolean} writes
 * @param {number} idle
 */
async function ours(steps, writes, idle) {
  const { END, START, state, StateGraph, value } = await core()
  const graph = new StateGraph(state({ n: value({ initial: () => 0 }) })).addNode('tick', ({ n }, ctx) => {
    if (writes) ctx.writer({ n })
    return { n: n + 1 }
  })
  for (let i = 0; i < idle; i++) graph.addNode(`idle${i}`, () => undefined)
  return graph
    .addEdge(START, 'tick')
    .addConditionalEdges('tick', ({ n }) => (n < steps ? 'tick' : END))
    .compile()
}

/**
 * @param {number} steps
 * @param {boolean} writes
 */
async function langgraph(steps, writes) {
  const { Annotation, END, START, StateGraph } = await import('@langchain/langgraph')
  return new StateGraph(Annotation.Root({ n: Annotation() }))
    .addNode('tick', (/** @type {Counter} */ { n }, config) => {
      if (writes) config.writer?.({ n })
      return { n: n + 1 }
    })
    .addEdge(START, 'tick')
    .addConditionalEdges('tick', ({ n }) => (Number(n) < steps ? 'tick' : END))
    .compile()
}

/** @type {Row[]} */
export const rows = [
  {
    name: 'superstep/one-mode',
    unit: 'µs CPU a step',
    size: STEPS,
    smokeSize: 5,
    warmSize: 200,
    kind: 'cpu',
    subjects: {
      floor: async (steps) => () => drain(byHand(steps, false)),
      sketch: async (steps) => () => drain(sketch(sketched(steps), { n: 0 }, ONE)),
      ours: async (steps) => {
        const graph = await ours(steps, false, 0)
        return () => drain(graph.stream({}, { streamMode: 'updates', recursionLimit: steps + 1 }))
      },
      peer: async (steps) => {
        const graph = await langgraph(steps, false)
        return async () => drain(await graph.stream({ n: 0 }, { streamMode: 'updates', recursionLimit: steps + 1 }))
      },
    },
    targets: [
      atMost('LangGraph / 50', (of) => of('peer') / 50),
      atMost('4 x sketch (stretch)', (of) => of('sketch') * 4),
    ],
  },
  {
    name: 'superstep/five-modes',
    unit: 'µs CPU a step',
    size: STEPS,
    smokeSize: 5,
    warmSize: 200,
    kind: 'cpu',
    subjects: {
      floor: async (steps) => () => drain(byHand(steps, true), isUpdate),
      sketch: async (steps) => () => drain(sketch(sketched(steps), { n: 0 }, FIVE), isUpdate),
      ours: async (steps) => {
        const graph = await ours(steps, true, 0)
        return () => drain(graph.stream({}, { streamMode: FIVE, recursionLimit: steps + 1 }), isUpdate)
      },
      peer: async (steps) => {
        const graph = await langgraph(steps, true)
        const options = { streamMode: [...FIVE], recursionLimit: steps + 1 }
        return async () => drain(await graph.stream({ n: 0 }, options), isUpdate)
      },
    },
    targets: [
      atMost('LangGraph / 50', (of) => of('peer') / 50),
      atMost('4 x sketch (stretch)', (of) => of('sketch') * 4),
    ],
  },
  {
    name: 'superstep/200-nodes',
    unit: 'µs CPU a step',
    size: STEPS,
    smokeSize: 5,
    warmSize: 200,
    kind: 'cpu',
    subjects: {
      ours: async (steps) => {
        const graph = await ours(steps, false, 200)
        return () => drain(graph.stream({}, { streamMode: 'updates', recursionLimit: steps + 1 }))
      },
    },
    targets: [atMost('1.2 x a graph of one node', (of) => of('ours', 'superstep/one-mode') * 1.2)],
  },
]
