import { expect, test } from 'vitest'
import { describeGraph } from './describe-graph.ts'

const shape = {
  name: 'agent',
  nodes: [{ id: '__start__' }, { id: 'agent' }, { id: 'tools' }, { id: '__end__' }],
  edges: [
    { from: '__start__', to: 'agent' },
    { from: 'tools', to: 'agent' },
    { from: 'agent', to: 'tools', conditional: true },
    { from: 'agent', to: '__end__', conditional: true },
  ],
}

test('a graph is said in words', () => {
  expect(describeGraph(shape, new Set())).toBe(
    'Graph: start leads to agent; agent may lead to tools or end; tools leads to agent.',
  )
})

test('what runs is said too', () => {
  expect(describeGraph(shape, new Set(['tools']))).toContain('Running now: tools.')
})
