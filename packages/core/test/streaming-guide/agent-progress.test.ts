import { expect, test } from 'vitest'
import { z } from 'zod'
import { createAgent, scriptedModel, tool } from '../../src/index.ts'
import { all } from '../reading.ts'

const getWeather = tool(({ city }: { city: string }) => `It's always sunny in ${city}!`, {
  name: 'get_weather',
  description: 'Get weather for a given city.',
  schema: z.object({ city: z.string() }),
})

const model = () =>
  scriptedModel([
    { toolCalls: [{ id: 'call_1', name: 'get_weather', args: { city: 'San Francisco' } }] },
    "It's always sunny in San Francisco!",
  ])

test("an agent's progress is three updates: model, tools, model", async () => {
  const agent = createAgent({ model: model(), tools: [getWeather] })
  const input = { messages: [{ role: 'user', content: 'What is the weather in SF?' }] }
  const chunks = await all(agent.stream(input, { streamMode: 'updates' }))
  expect(chunks).toMatchObject([
    {
      model: {
        messages: [
          {
            role: 'assistant',
            content: '',
            toolCalls: [{ id: 'call_1', name: 'get_weather', args: '{"city":"San Francisco"}' }],
          },
        ],
      },
    },
    {
      tools: {
        messages: [
          { role: 'tool', name: 'get_weather', toolCallId: 'call_1', content: "It's always sunny in San Francisco!" },
        ],
      },
    },
    { model: { messages: [{ role: 'assistant', content: "It's always sunny in San Francisco!" }] } },
  ])
  expect(chunks.map((chunk) => Object.keys(chunk))).toEqual([['model'], ['tools'], ['model']])
})
