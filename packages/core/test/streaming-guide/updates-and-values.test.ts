import { expect, test } from 'vitest'
import { END, START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

const graph = new StateGraph(state({ topic: value<string>(), joke: value<string>() }))
  .addNode('refineTopic', ({ topic }) => ({ topic: `${topic} and cats` }))
  .addNode('generateJoke', ({ topic }) => ({ joke: `This is a joke about ${topic}` }))
  .addEdge(START, 'refineTopic')
  .addEdge('refineTopic', 'generateJoke')
  .addEdge('generateJoke', END)
  .compile()

test('updates: what each node returned', async () => {
  expect(await all(graph.stream({ topic: 'ice cream' }, { streamMode: 'updates' }))).toEqual([
    { refineTopic: { topic: 'ice cream and cats' } },
    { generateJoke: { joke: 'This is a joke about ice cream and cats' } },
  ])
})

test('values: the whole state after each step, the input first', async () => {
  expect(await all(graph.stream({ topic: 'ice cream' }, { streamMode: 'values' }))).toEqual([
    { topic: 'ice cream' },
    { topic: 'ice cream and cats' },
    { topic: 'ice cream and cats', joke: 'This is a joke about ice cream and cats' },
  ])
})
