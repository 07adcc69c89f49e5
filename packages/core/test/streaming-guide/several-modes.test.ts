import { expect, test } from 'vitest'
import { createAgent, scriptedModel, tool } from '../../src/index.ts'
import { all } from '../reading.ts'

test('several modes come in one stream, each chunk with the name of its mode', async () => {
  const getWeather = tool(
    ({ city }: { city: string }, ctx) => {
      ctx.writer(`Looking up data for city: ${city}`)
      ctx.writer(`Acquired data for city: ${city}`)
      return `It's always sunny in ${city}!`
    },
    { name: 'get_weather', description: 'Get weather for a given city.' },
  )
  const model = scriptedModel([{ toolCalls: [{ id: 'call_1', name: 'get_weather', args: { city: 'SF' } }] }, 'Sunny.'])
  const agent = createAgent({ model, tools: [getWeather] })
  const entries = await all(agent.stream({ messages: 'Weather?' }, { streamMode: ['updates', 'custom'] }))
  expect(entries).toMatchObject([
    ['updates', { model: { messages: [{ toolCalls: [{ name: 'get_weather' }] }] } }],
    ['custom', 'Looking up data for city: SF'],
    ['custom', 'Acquired data for city: SF'],
    ['updates', { tools: { messages: [{ role: 'tool', content: "It's always sunny in SF!" }] } }],
    ['updates', { model: { messages: [{ content: 'Sunny.' }] } }],
  ])
  expect(entries).toHaveLength(5)
})

test('a list of one mode names it too', async () => {
  const agent = createAgent({ model: scriptedModel('Hi') })
  const entries = await all(agent.stream({ messages: 'Hi' }, { streamMode: ['messages'] }))
  expect(entries.map(([mode, [{ content }]]) => [mode, content])).toEqual([['messages', 'Hi']])
})
