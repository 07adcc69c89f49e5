import { expect, test } from 'vitest'
import { scriptedModel, START, state, StateGraph, value } from '../../src/index.ts'
import { all } from '../reading.ts'

const jokeModel = scriptedModel(() => 'a joke', { tags: ['joke'] })
const poemModel = scriptedModel(() => 'a poem', { tags: ['poem'] })

const graph = new StateGraph(state({ topic: value<string>(), joke: value<string>(), poem: value<string>() }))
  .addNode('callModel', async ({ topic }) => {
    const joke = await jokeModel.invoke(`Write a joke about ${topic}`)
    const poem = await poemModel.invoke(`Write a short poem about ${topic}`)
    return { joke: joke.content, poem: poem.content }
  })
  .addEdge(START, 'callModel')
  .compile()

test('two models in one node are told apart by their tags', async () => {
  const chunks = await all(graph.stream({ topic: 'cats' }, { streamMode: 'messages' }))
  expect(chunks.map(([{ content }, { tags }]) => [content, tags])).toEqual([
    ['a', ['joke']],
    [' joke', ['joke']],
    ['a', ['poem']],
    [' poem', ['poem']],
  ])
  const jokes = chunks.filter(([, { tags }]) => tags.includes('joke')).map(([{ content }]) => content)
  expect(jokes).toEqual(['a', ' joke'])
})

test('a filter by tag does it before anything is sent', async () => {
  const chunks = await all(graph.stream({ topic: 'cats' }, { streamMode: 'messages', filter: { tags: ['poem'] } }))
  expect(chunks.map(([{ content }]) => content)).toEqual(['a', ' poem'])
})
