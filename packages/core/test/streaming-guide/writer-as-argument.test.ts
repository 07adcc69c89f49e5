import { expect, test } from 'vitest'
import { START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

/** Knows nothing of graphs: it is handed something to write with. */
async function generateJoke(topic: string, writer: (data: unknown) => void): Promise<string> {
  writer({ customKey: 'Streaming custom data while generating a joke' })
  return await Promise.resolve(`This is a joke about ${topic}`)
}

test('the writer may be taken off the context and handed on', async () => {
  const graph = new StateGraph(state({ topic: value<string>(), joke: value<string>() }))
    .addNode('generateJoke', async ({ topic }, { writer }) => ({ joke: await generateJoke(topic, writer) }))
    .addEdge(START, 'generateJoke')
    .compile()
  expect(await all(graph.stream({ topic: 'ice cream' }, { streamMode: ['custom', 'updates'] }))).toEqual([
    ['custom', { customKey: 'Streaming custom data while generating a joke' }],
    ['updates', { generateJoke: { joke: 'This is a joke about ice cream' } }],
  ])
})
