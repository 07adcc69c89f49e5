import { expect, test } from 'vitest'
import { createAgent, getWriter, scriptedModel, tool } from '../../src/index.ts'
import { all } from '../reading.ts'

const model = () =>
  scriptedModel([{ toolCalls: [{ id: 'call_1', name: 'get_weather', args: { city: 'SF' } }] }, 'Sunny.'])
const about = { name: 'get_weather', description: 'Get weather for a given city.' }

test('a tool writes what it does, as it does it', async () => {
  const getWeather = tool(({ city }: { city: string }, ctx) => {
    ctx.writer(`Looking up data for city: ${city}`)
    ctx.writer(`Acquired data for city: ${city}`)
    return `It's always sunny in ${city}!`
  }, about)
  const agent = createAgent({ model: model(), tools: [getWeather] })
  expect(await all(agent.stream({ messages: 'Weather?' }, { streamMode: 'custom' }))).toEqual([
    'Looking up data for city: SF',
    'Acquired data for city: SF',
  ])
})

test('getWriter() finds the same writer, where the platform has AsyncLocalStorage', async () => {
  const getWeather = tool(async ({ city }: { city: string }) => {
    await Promise.resolve()
    getWriter()(`Looking up data for city: ${city}`)
    return 'sunny'
  }, about)
  const agent = createAgent({ model: model(), tools: [getWeather] })
  expect(await all(agent.stream({ messages: 'Weather?' }, { streamMode: 'custom' }))).toEqual([
    'Looking up data for city: SF',
  ])
})

test('the tools mode shows each call from its start to its end', async () => {
  const getWeather = tool(async function* ({ city }: { city: string }, ctx) {
    ctx.progress({ done: 1, total: 2, message: 'asking' })
    yield { done: 2, total: 2 }
    return await Promise.resolve(`sunny in ${city}`)
  }, about)
  const agent = createAgent({ model: model(), tools: [getWeather] })
  const call = { toolCallId: 'call_1', name: 'get_weather' }
  expect(await all(agent.stream({ messages: 'Weather?' }, { streamMode: 'tools' }))).toEqual([
    { event: 'on_tool_start', ...call, input: { city: 'SF' } },
    { event: 'on_tool_event', ...call, data: { done: 1, total: 2, message: 'asking' } },
    { event: 'on_tool_event', ...call, data: { done: 2, total: 2 } },
    { event: 'on_tool_end', ...call, output: 'sunny in SF' },
  ])
})
