import { core } from '../production.mjs'
import { sketch } from '../sketch/engine.mjs'
import { atMost, drain } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Target} Target */

/** The peer's cost grows with the square of the tasks: beyond this it is not asked. */
const PEER_BOUND = 1_000

/** @param {number} a @param {number} b */
const sum = (a, b) => a + b

/**
 * Every task at once, merged in order.
 *
 * @param {number} tasks
 */
async function* byHand(tasks) {
  const work = async () => ({ hits: 1 })
  let hits = 0
  for (const update of await Promise.all(Array.from({ length: tasks }, work))) {
    hits = sum(hits, update.hits)
    yield { work: update }
  }
}

/**
 * @param {number} count
 * @param {boolean} sends one node for all tasks, or one each
 */
function sketched(count, sends) {
  const names = Array.from({ length: count }, (_, i) => (sends ? 'work' : `work${i}`))
  const work = () => ({ hits: 1 })
  return {
    nodes: Object.fromEntries(names.map((name) => [name, work])),
    reducers: { hits: sum },
    /** @param {{ hits: number }} _ @param {string | undefined} after */
    route: (_, after) =>
      after === undefined ? names.map((node) => (sends ? { node, input: { hits: 0 } } : { node })) : [],
  }
}

/**
 * @param {number} count
 * @param {boolean} sends
 */
async function ours(count, sends) {
  const { reduced, Send, START, state, StateGraph } = await core()
  const schema = state({ hits: reduced({ initial: () => 0, reduce: sum }) })
  const work = () => ({ hits: 1 })
  if (sends) {
    const all = Array.from({ length: count }, () => new Send('work', { hits: 0 }))
    return new StateGraph(schema)
      .addNode('work', work)
      .addConditionalEdges(START, () => all)
      .compile()
  }
  const graph = new StateGraph(schema, { nodes: Array.from({ length: count }, (_, i) => `work${i}`) })
  for (let i = 0; i < count; i++) graph.addNode(`work${i}`, work).addEdge(START, `work${i}`)
  return graph.compile()
}

/**
 * @param {number} count
 * @param {boolean} sends
 */
async function langgraph(count, sends) {
  const { Annotation, END, Send, START, StateGraph } = await import('@langchain/langgraph')
  const schema = Annotation.Root({ hits: Annotation({ reducer: sum, default: () => 0 }) })
  const work = () => ({ hits: 1 })
  if (sends) {
    return new StateGraph(schema)
      .addNode('work', work)
      .addConditionalEdges(START, () => Array.from({ length: count }, () => new Send('work', { hits: 0 })))
      .addEdge('work', END)
      .compile()
  }
  const graph = new StateGraph(schema)
  for (let i = 0; i < count; i++) graph.addNode(`work${i}`, work).addEdge(START, `work${i}`).addEdge(`work${i}`, END)
  return graph.compile()
}

/**
 * @param {'fan-out' | 'send'} group
 * @param {number} count
 * @returns {Row}
 */
function row(group, count) {
  const sends = group === 'send'
  return {
    name: `${group}/${count}`,
    unit: 'µs CPU a task',
    size: count,
    smokeSize: 5,
    kind: 'cpu',
    subjects: {
      floor: async (tasks) => () => drain(byHand(tasks)),
      sketch: async (tasks) => {
        const engine = sketched(tasks, sends)
        return () => drain(sketch(engine, { hits: 0 }, ['updates']))
      },
      ours: async (tasks) => {
        const graph = await ours(tasks, sends)
        return () => drain(graph.stream({}, { streamMode: 'updates' }))
      },
      ...(count <= PEER_BOUND && {
        peer: async (tasks) => {
          const graph = await langgraph(tasks, sends)
          return async () => drain(await graph.stream({ hits: 0 }, { streamMode: 'updates' }))
        },
      }),
    },
    targets: targets(group, count),
  }
}

/**
 * @param {'fan-out' | 'send'} group
 * @param {number} count
 * @returns {Target[]}
 */
function targets(group, count) {
  if (count <= 100) return []
  if (count <= PEER_BOUND) return [atMost('LangGraph / 100', (of) => of('peer') / 100)]
  const flat = atMost('1.5 x a task of 100', (of) => of('ours', `${group}/100`) * 1.5)
  if (group === 'fan-out') return [flat]
  return [flat, atMost('250 ms CPU in all', () => 250_000 / count)]
}

/** @type {Row[]} */
export const rows = [100, 1_000, 10_000].flatMap((count) => [row('fan-out', count), row('send', count)])
