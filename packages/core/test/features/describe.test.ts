import { expect, test } from 'vitest'
import { END, START, state, StateGraph, value } from '../../src/index.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const graph = () =>
  new StateGraph(state({ n: value<number>() }))
    .addNode('plan', () => ({}), { tags: ['t'], metadata: { icon: 'map' } })
    .addNode('say "hi"', () => ({}))
    .addNode('last', () => ({}), { defer: true })
    .addEdge(START, 'plan')
    .addConditionalEdges('plan', ({ n }) => (n > 0 ? 'go' : 'stop'), { go: 'say "hi"', stop: END })
    .addEdge(['plan', 'say "hi"'], 'last')
    .addConditionalEdges('last', () => END)
    .compile({ name: 'demo' })

test('a graph describes its nodes and edges as JSON', () => {
  const description = graph().describe()
  expect(description).toEqual({
    name: 'demo',
    nodes: [
      { id: START },
      { id: 'plan', tags: ['t'], metadata: { icon: 'map' } },
      { id: 'say "hi"' },
      { id: 'last', defer: true },
      { id: END },
    ],
    edges: [
      { from: START, to: 'plan' },
      { from: 'plan', to: 'last' },
      { from: 'say "hi"', to: 'last' },
      { from: 'plan', to: 'say "hi"', conditional: true, label: 'go' },
      { from: 'plan', to: END, conditional: true, label: 'stop' },
      { from: 'last', to: 'plan', conditional: true },
      { from: 'last', to: 'say "hi"', conditional: true },
      { from: 'last', to: 'last', conditional: true },
      { from: 'last', to: END, conditional: true },
    ],
  })
  expect(JSON.parse(JSON.stringify(description))).toEqual(description)
})

test('a graph draws itself as a Mermaid flowchart, with names escaped', () => {
  expect(graph().toMermaid()).toBe(`flowchart TD
  n0([__start__])
  n1["plan"]
  n2["say #quot;hi#quot;"]
  n3["last"]
  n4([__end__])
  n0 --> n1
  n1 --> n3
  n2 --> n3
  n1 -.->|"go"| n2
  n1 -.->|"stop"| n4
  n3 -.-> n1
  n3 -.-> n2
  n3 -.-> n3
  n3 -.-> n4
`)
})
