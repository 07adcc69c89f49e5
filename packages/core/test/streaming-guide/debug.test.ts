import { expect, test } from 'vitest'
import { MemoryCheckpointer, START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

const build = () =>
  new StateGraph(state({ topic: value<string>(), joke: value<string>() }))
    .addNode('refineTopic', ({ topic }) => ({ topic: `${topic} and cats` }))
    .addNode('generateJoke', ({ topic }) => ({ joke: `This is a joke about ${topic}` }))
    .addEdge(START, 'refineTopic')
    .addEdge('refineTopic', 'generateJoke')

test('debug: every task with its input and result, and the time', async () => {
  const chunks = await all(build().compile().stream({ topic: 'ice cream' }, { streamMode: 'debug' }))
  expect(chunks).toMatchObject([
    { type: 'task', step: 1, payload: { name: 'refineTopic', input: { topic: 'ice cream' } } },
    {
      type: 'task_result',
      step: 1,
      payload: { name: 'refineTopic', result: { topic: 'ice cream and cats' }, error: null },
    },
    { type: 'task', step: 2, payload: { name: 'generateJoke', input: { topic: 'ice cream and cats' } } },
    {
      type: 'task_result',
      step: 2,
      payload: { name: 'generateJoke', result: { joke: 'This is a joke about ice cream and cats' }, error: null },
    },
  ])
  for (const { timestamp } of chunks) expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('with a checkpointer also every checkpoint', async () => {
  const graph = build().compile({ checkpointer: new MemoryCheckpointer() })
  const chunks = await all(graph.stream({ topic: 'ice cream' }, { streamMode: 'debug', threadId: 't' }))
  expect(chunks.map(({ type, step }) => `${step} ${type}`)).toEqual([
    '-1 checkpoint',
    '0 checkpoint',
    '1 task',
    '1 task_result',
    '1 checkpoint',
    '2 task',
    '2 task_result',
    '2 checkpoint',
  ])
  expect(chunks[4]?.payload).toMatchObject({ values: { topic: 'ice cream and cats' }, next: ['generateJoke'] })
})
