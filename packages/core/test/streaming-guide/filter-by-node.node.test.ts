import { expect, test } from 'vitest'
import { scriptedModel, START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

const model = scriptedModel((conversation) => `here: ${conversation[0]?.content}`)

const graph = new StateGraph(state({ topic: value<string>(), joke: value<string>(), poem: value<string>() }))
  .addNode('writeJoke', async ({ topic }) => ({ joke: (await model.invoke(`joke about ${topic}`)).content }))
  .addNode('writePoem', async ({ topic }) => ({ poem: (await model.invoke(`poem about ${topic}`)).content }))
  // Both run side by side.
  .addEdge(START, 'writeJoke')
  .addEdge(START, 'writePoem')
  .compile()

test('tokens of nodes side by side are told apart by their node', async () => {
  const chunks = await all(graph.stream({ topic: 'cats' }, { streamMode: 'messages' }))
  const of = (node: string) =>
    chunks.flatMap(([{ content }, { langgraph_node }]) => (langgraph_node === node ? [content] : [])).join('')
  expect(of('writePoem')).toBe('here: poem about cats')
  expect(of('writeJoke')).toBe('here: joke about cats')
})

test('a filter by node does it before anything is sent', async () => {
  const chunks = await all(
    graph.stream({ topic: 'cats' }, { streamMode: 'messages', filter: { nodes: ['writePoem'] } }),
  )
  expect(chunks.map(([{ content }]) => content)).toEqual(['here:', ' poem', ' about', ' cats'])
  expect(new Set(chunks.map(([, { langgraph_node }]) => langgraph_node))).toEqual(new Set(['writePoem']))
})
