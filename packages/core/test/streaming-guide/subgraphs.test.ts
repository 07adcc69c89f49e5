import { expect, test } from 'vitest'
import { isRoot, START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

// The subgraph shares `foo` with the graph above; `bar` is its own.
const subgraph = new StateGraph(state({ foo: value<string>(), bar: value<string>() }))
  .addNode('subgraphNode1', () => ({ bar: 'bar' }))
  .addNode('subgraphNode2', ({ foo, bar }) => ({ foo: foo + bar }))
  .addEdge(START, 'subgraphNode1')
  .addEdge('subgraphNode1', 'subgraphNode2')
  .compile()

const graph = new StateGraph(state({ foo: value<string>() }))
  .addNode('node1', ({ foo }) => ({ foo: `hi! ${foo}` }))
  .addNode('node2', subgraph)
  .addEdge(START, 'node1')
  .addEdge('node1', 'node2')
  .compile()

test('outputs of subgraphs come with their namespace, live', async () => {
  const entries = await all(graph.stream({ foo: 'foo' }, { streamMode: 'updates', subgraphs: true }))
  const below = [expect.stringMatching(/^node2:.+/)]
  expect(entries).toEqual([
    [[], { node1: { foo: 'hi! foo' } }],
    [below, { subgraphNode1: { bar: 'bar' } }],
    [below, { subgraphNode2: { foo: 'hi! foobar' } }],
    [[], { node2: { foo: 'hi! foobar' } }],
  ])
  expect(entries.map((entry) => isRoot(entry))).toEqual([true, false, false, true])
})

test('without subgraphs only the graph itself shows', async () => {
  expect(await all(graph.stream({ foo: 'foo' }, { streamMode: 'updates' }))).toEqual([
    { node1: { foo: 'hi! foo' } },
    { node2: { foo: 'hi! foobar' } },
  ])
})

test('several modes come with namespace and mode', async () => {
  const entries = await all(graph.stream({ foo: 'foo' }, { streamMode: ['updates', 'values'], subgraphs: true }))
  expect(entries.slice(0, 3)).toEqual([
    [[], 'values', { foo: 'foo' }],
    [[], 'updates', { node1: { foo: 'hi! foo' } }],
    [[], 'values', { foo: 'hi! foo' }],
  ])
  expect(entries).toContainEqual([[expect.stringMatching(/^node2:/)], 'values', { foo: 'hi! foo', bar: 'bar' }])
})
