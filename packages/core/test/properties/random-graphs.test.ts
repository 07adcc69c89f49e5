import fc from 'fast-check'
import { expect, test } from 'vitest'
import { END, reduced, Send, START, state, StateGraph, value, type Graph } from '../../src/index.ts'
import { freezeClock } from '../frozen-clock.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()
freezeClock()

interface Shape {
  size: number
  edges: (readonly [from: number, to: number])[]
  joins: (readonly [sources: number[], to: number])[]
  routes: { from: number; to: number[]; send: boolean }[]
  /** Nodes that write the key where the last write wins. */
  owners: number[]
  deferred: number[]
  entries: number[]
}

/** Any graph of up to 30 nodes. One more than the last node is the end. */
const shapes: fc.Arbitrary<Shape> = fc.integer({ min: 1, max: 30 }).chain((size) => {
  const node = fc.nat({ max: size - 1 })
  const target = fc.nat({ max: size })
  return fc.record({
    size: fc.constant(size),
    edges: fc.array(fc.tuple(node, target), { maxLength: 2 * size }),
    joins: fc.array(fc.tuple(fc.array(node, { minLength: 2, maxLength: 3 }), target), { maxLength: 3 }),
    routes: fc.array(fc.record({ from: node, to: fc.array(target, { maxLength: 3 }), send: fc.boolean() }), {
      maxLength: 6,
    }),
    owners: fc.uniqueArray(node, { maxLength: 2 }),
    deferred: fc.uniqueArray(node, { maxLength: 2 }),
    entries: fc.array(node, { minLength: 1, maxLength: 3 }),
  })
})

function build({ size, edges, joins, routes, owners, deferred, entries }: Shape): Graph {
  const name = (i: number) => `n${i}`
  const to = (i: number) => (i === size ? END : name(i))
  const builder = new StateGraph(
    state({
      log: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }),
      owner: value<number>(),
    }),
  ).addNode('n0', () => ({ log: ['n0'], ...(owners.includes(0) && { owner: 0 }) }), { defer: deferred.includes(0) })
  // Names are made here, so the types know none but the first.
  const loose = builder as unknown as StateGraph<never, unknown, unknown, unknown, string, string>
  for (let i = 1; i < size; i++) {
    const update: unknown = { log: [name(i)], ...(owners.includes(i) && { owner: i }) }
    loose.addNode(name(i), (() => update) as () => undefined, { defer: deferred.includes(i) })
  }
  for (const entry of entries) loose.addEdge(START, name(entry))
  for (const [from, target] of edges) loose.addEdge(name(from), to(target))
  for (const [sources, target] of joins) loose.addEdge(sources.map(name), to(target))
  for (const { from, to: targets, send } of routes) {
    loose.addConditionalEdges(name(from), (s) => {
      const { log } = s as { log?: string[] }
      const length = log?.length ?? 0
      // Sends multiply in a cycle: without an end to it such a graph grows beyond any memory.
      const chosen = send && length > 50 ? [] : targets.filter((_, i) => (length + i) % 2 === 0)
      return chosen.map((target) => (send && target < size ? new Send(name(target), { from }) : to(target)))
    })
  }
  return loose.compile()
}

const TYPED = ['RECURSION_LIMIT', 'INVALID_UPDATE']

test('a random graph ends as done, or typed; every task that starts has one end, and so has the run', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const events = await all(build(shape).events({}))
      const ends = ofType(events, 'run.end')
      expect(ends).toHaveLength(1)
      expect(events.at(-1)).toBe(ends[0])
      const { status, error } = ends[0]!
      seen.add(error?.code ?? status)
      expect(['done', ...TYPED]).toContain(error?.code ?? status)
      const starts = ofType(events, 'task.start').map(({ task }) => task)
      const stops = ofType(events, 'task.end').map(({ task }) => task)
      expect(new Set(starts).size).toBe(starts.length)
      expect([...stops].sort()).toEqual([...starts].sort())
    }),
    { numRuns: 500 },
  )
  // The property is worth something only when all of them come up.
  expect([...seen].sort()).toEqual(['INVALID_UPDATE', 'RECURSION_LIMIT', 'done'])
})

test('the same random graph runs the same twice', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const run = () => all(build(shape).events({}, { runId: 'r' }))
      expect(await run()).toEqual(await run())
    }),
    { numRuns: 100 },
  )
})
