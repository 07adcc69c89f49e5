import { expect, test } from 'vitest'
import { fromAsyncIterable, START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

/** A client of some provider that this project knows nothing of. */
async function* yourCustomStreamingClient(topic: string): AsyncGenerator<{ text: string }, void, undefined> {
  for (const text of ['Meow', ' about ', topic]) yield await Promise.resolve({ text })
}

test('a streaming client that is no chat model streams through the writer', async () => {
  const graph = new StateGraph(state({ topic: value<string>(), result: value<string>() }))
    .addNode('callArbitraryModel', async ({ topic }, ctx) => {
      for await (const chunk of yourCustomStreamingClient(topic)) ctx.writer({ customLlmChunk: chunk.text })
      return { result: 'completed' }
    })
    .addEdge(START, 'callArbitraryModel')
    .compile()
  expect(await all(graph.stream({ topic: 'cats' }, { streamMode: 'custom' }))).toEqual([
    { customLlmChunk: 'Meow' },
    { customLlmChunk: ' about ' },
    { customLlmChunk: 'cats' },
  ])
})

test('or becomes a chat model, and its tokens are messages', async () => {
  const model = fromAsyncIterable(async function* (conversation) {
    for await (const { text } of yourCustomStreamingClient(conversation.at(-1)?.content ?? '')) yield text
  })
  const graph = new StateGraph(state({ topic: value<string>(), result: value<string>() }))
    .addNode('callModel', async ({ topic }) => ({ result: (await model.invoke(topic)).content }))
    .addEdge(START, 'callModel')
    .compile()
  const chunks = await all(graph.stream({ topic: 'cats' }, { streamMode: 'messages' }))
  expect(chunks.map(([{ content }]) => content)).toEqual(['Meow', ' about ', 'cats'])
})
