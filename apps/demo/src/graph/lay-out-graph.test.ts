import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GraphShape } from '../../contract/graph-shape.ts'
import { layOutGraph, type GraphDrawing } from './lay-out-graph.ts'

const agent: GraphShape = {
  name: 'agent',
  nodes: [{ id: '__start__' }, { id: 'agent' }, { id: 'tools' }, { id: '__end__' }],
  edges: [
    { from: '__start__', to: 'agent' },
    { from: 'tools', to: 'agent' },
    { from: 'agent', to: 'tools', conditional: true },
    { from: 'agent', to: '__end__', conditional: true },
  ],
}

const placeOf = (drawing: GraphDrawing, id: string) => drawing.nodes.find((node) => node.id === id)!

test('the agent runs from left to right, from start to end', () => {
  const drawing = layOutGraph(agent)
  const x = (id: string) => placeOf(drawing, id).x
  expect(x('__start__')).toBeLessThan(x('agent'))
  expect(x('agent')).toBeLessThan(x('tools'))
  expect(x('agent')).toBeLessThan(x('__end__'))
  expect(drawing.edges.map(({ isConditional }) => isConditional)).toEqual([false, false, true, true])
})

test('the way there and the way back do not lie on each other', () => {
  const [, back, there] = layOutGraph(agent).edges.map(({ path }) => Number(/Q[^,]+,([-\d.]+)/.exec(path)?.[1]))
  expect(Math.abs(back! - there!)).toBeGreaterThan(10)
})

test('two edges between the same nodes are both drawn', () => {
  const twice = { from: 'agent', to: 'tools', conditional: true }
  const edges = [
    { ...twice, label: 'yes' },
    { ...twice, label: 'again' },
  ]
  const { edges: drawn } = layOutGraph({ ...agent, edges })
  expect(new Set(drawn.map(({ path }) => path)).size).toBe(2)
})

test('the way from a node to itself rises above it, inside the drawing', () => {
  const { nodes, edges } = layOutGraph({ ...agent, edges: [{ from: 'agent', to: 'agent' }] })
  const { y, height } = nodes.find(({ id }) => id === 'agent')!
  expect(edges[0]!.path).toMatch(/^M[-\d.]+,[-\d.]+ C/)
  expect(edges[0]!.y).toBeLessThan(y - height / 2)
  expect(edges[0]!.y).toBeGreaterThanOrEqual(0)
})

test('whatever the graph, nodes lie inside the drawing and apart from each other, and each edge has a path', () => {
  const graphs = fc.integer({ min: 1, max: 8 }).chain((count) => {
    const ids = Array.from({ length: count }, (_, i) => `node ${i}`)
    const edge = fc.record({ from: fc.constantFrom(...ids), to: fc.constantFrom(...ids), conditional: fc.boolean() })
    return fc.record({
      name: fc.constant('g'),
      nodes: fc.constant(ids.map((id) => ({ id }))),
      edges: fc.array(edge, { maxLength: 16 }),
    })
  })
  fc.assert(
    fc.property(graphs, (graph) => {
      const { width, height, nodes, edges } = layOutGraph(graph)
      for (const node of nodes) {
        expect(node.x - node.width / 2).toBeGreaterThanOrEqual(0)
        expect(node.x + node.width / 2).toBeLessThanOrEqual(width)
        expect(node.y - node.height / 2).toBeGreaterThanOrEqual(0)
        expect(node.y + node.height / 2).toBeLessThanOrEqual(height)
      }
      for (const [i, a] of nodes.entries()) {
        for (const b of nodes.slice(i + 1)) {
          const isApart = Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= a.height
          expect(isApart).toBe(true)
        }
      }
      for (const { path } of edges) expect(path).toMatch(/^M[-\d.]+,[-\d.]+ [QLC]/)
    }),
    { numRuns: 60 },
  )
})
