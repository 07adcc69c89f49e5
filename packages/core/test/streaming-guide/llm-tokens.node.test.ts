import { expect, test } from 'vitest'
import { createAgent, messages, scriptedModel, START, state, StateGraph, tool, value } from '../../src/index.ts'
import { all } from '../reading.ts'

test("an agent's tokens: pieces of the tool call, the tool's answer, pieces of the text", async () => {
  const getWeather = tool(({ city }: { city: string }) => `It's always sunny in ${city}!`, {
    name: 'get_weather',
    description: 'Get weather for a given city.',
  })
  const model = scriptedModel([
    { toolCalls: [{ id: 'call_1', name: 'get_weather', argsText: ['{"city":', '"San Francisco"}'] }] },
    'Sunny in SF!',
  ])
  const agent = createAgent({ model, tools: [getWeather] })
  const chunks = await all(agent.stream({ messages: 'What is the weather in SF?' }, { streamMode: 'messages' }))
  const seen = chunks.map(([{ content, toolCallChunks }, { langgraph_node }]) => [
    langgraph_node,
    toolCallChunks?.map(({ id, name, args }) => [id, name, args].filter((part) => part !== undefined && part !== '')) ??
      content,
  ])
  expect(seen).toEqual([
    ['model', [['call_1', 'get_weather']]],
    ['model', [['{"city":']]],
    ['model', [['"San Francisco"}']]],
    ['tools', "It's always sunny in San Francisco!"],
    ['model', 'Sunny'],
    ['model', ' in'],
    ['model', ' SF!'],
  ])
})

test("a node's tokens stream though the node only invokes its model", async () => {
  const model = scriptedModel('Why did the cream scream?')
  const graph = new StateGraph(state({ topic: value<string>(), joke: value<string>() }))
    .addNode('call_model', async ({ topic }) => ({ joke: (await model.invoke(`A joke about ${topic}`)).content }))
    .addEdge(START, 'call_model')
    .compile()
  const chunks = await all(graph.stream({ topic: 'ice cream' }, { streamMode: 'messages' }))
  expect(chunks.map(([{ content }]) => content)).toEqual(['Why', ' did', ' the', ' cream', ' scream?'])
  const [[first, metadata], [second, same]] = chunks as [(typeof chunks)[0], (typeof chunks)[0]]
  expect(second.id).toBe(first.id)
  expect(same).toBe(metadata)
  expect(metadata).toMatchObject({ langgraph_node: 'call_model', langgraph_step: 1, tags: [], attempt: 1 })
})

test('the whole message is in the state once its tokens have streamed, under the same id', async () => {
  const model = scriptedModel('a b')
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('call_model', async (now) => ({ messages: [await model.invoke(now.messages)] }))
    .addEdge(START, 'call_model')
    .compile()
  const entries = await all(graph.stream({ messages: 'Hi' }, { streamMode: ['messages', 'values'] }))
  const ids = entries.flatMap(([mode, chunk]) => (mode === 'messages' ? [chunk[0].id] : []))
  const end = entries.at(-1)
  expect(new Set(ids).size).toBe(1)
  expect(end).toMatchObject(['values', { messages: [{ role: 'user' }, { id: ids[0], content: 'a b' }] }])
})
