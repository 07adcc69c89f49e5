import type { Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createAgent, scriptedModel, tool, type ScriptedTurn } from '../../src/index.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const forecast = z.object({ sky: z.enum(['clear', 'cloudy']), degrees: z.coerce.number() })
const weather = tool(() => 'sunny', { name: 'weather', description: 'tells the weather' })
const looks: ScriptedTurn = { toolCalls: [{ name: 'weather' }] }
const final = (args: unknown, id = 'f'): ScriptedTurn => ({ toolCalls: [{ id, name: 'final_answer', args }] })

const read = ({ role, content }: Message) => [role, content]

describe('a final answer by a tool', () => {
  test('is the value that the schema made of it, and its call is answered', async () => {
    const model = scriptedModel([looks, final({ sky: 'clear', degrees: '21' })])
    const agent = createAgent({ model, tools: [weather], responseFormat: forecast })
    const end = await agent.invoke({ messages: 'Hi' })
    expect(end.structuredResponse).toEqual({ sky: 'clear', degrees: 21 })
    expect(end.messages.map(read).slice(2)).toEqual([
      ['tool', 'sunny'],
      ['assistant', ''],
      ['tool', 'The final answer was taken.'],
    ])
    const { tools, toolChoice } = model.calls[0]!.options
    expect([tools?.map(({ name }) => name), toolChoice]).toEqual([['weather', 'final_answer'], 'required'])
    expect(tools?.[1]?.jsonSchema).toMatchObject({ type: 'object', properties: { sky: { enum: ['clear', 'cloudy'] } } })
  })

  test('that does not fit is asked for once more, and the model is told why; only the right one is kept', async () => {
    const model = scriptedModel([final({ sky: 'green', degrees: 1 }), final({ sky: 'clear', degrees: 2 }, 'g')])
    const end = await createAgent({ model, responseFormat: forecast }).invoke({ messages: 'Hi' })
    expect(end.structuredResponse).toEqual({ sky: 'clear', degrees: 2 })
    expect(model.calls[1]?.messages.at(-1)).toMatchObject({
      role: 'tool',
      toolCallId: 'f',
      content: expect.stringMatching(/^Error: sky: /),
    })
    expect(end.messages.map(({ toolCalls, toolCallId }) => toolCalls?.[0]?.id ?? toolCallId)).toEqual([
      undefined,
      'g',
      'g',
    ])
  })

  test.each<[string, ScriptedTurn, RegExp]>([
    ['wrong', final({ sky: 'green', degrees: 1 }), /sky: /],
    ['no JSON', { toolCalls: [{ name: 'final_answer', argsText: '{"sky"' }] }, /no JSON/],
    ['just text', 'it is clear', /not given by calling "final_answer"/],
  ])('that is %s twice fails the run, which may be tried again', async (_what, turn, why) => {
    const agent = createAgent({ model: scriptedModel(() => turn as never), responseFormat: forecast })
    expect(await rejection(agent.invoke({ messages: 'Hi' }))).toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
      message: expect.stringMatching(why),
    })
  })

  test('given as text first is asked for by its tool', async () => {
    const model = scriptedModel(['clear, I think', final({ sky: 'clear', degrees: 2 })])
    const end = await createAgent({ model, responseFormat: forecast }).invoke({ messages: 'Hi' })
    expect(end.structuredResponse).toEqual({ sky: 'clear', degrees: 2 })
    expect(model.calls[1]?.messages.at(-1)?.content).toBe('Give your answer by calling "final_answer".')
  })

  test('beside other calls ends the loop; the others are answered and not made', async () => {
    const both: ScriptedTurn = {
      toolCalls: [
        { id: 'w', name: 'weather' },
        { id: 'f', name: 'final_answer', args: { sky: 'clear', degrees: 2 } },
      ],
    }
    const agent = createAgent({ model: scriptedModel([both]), tools: [weather], responseFormat: forecast })
    const events = await all(agent.events({ messages: 'Hi' }))
    expect(ofType(events, 'tool.start')).toEqual([])
    expect(events.at(-1)).toMatchObject({ status: 'done' })
    const { messages } = await createAgent({ model: scriptedModel([both]), responseFormat: forecast }).invoke({
      messages: '',
    })
    expect(messages.slice(2).map(({ toolCallId, content }) => [toolCallId, content])).toEqual([
      ['w', 'Not called: the final answer was given beside it.'],
      ['f', 'The final answer was taken.'],
    ])
  })

  test('may have a name and a description of its own, which no tool may have', async () => {
    const responseFormat = { schema: forecast, name: 'report', description: 'Reports.' }
    const model = scriptedModel([{ toolCalls: [{ name: 'report', args: { sky: 'cloudy', degrees: 3 } }] }])
    const end = await createAgent({ model, responseFormat }).invoke({ messages: 'Hi' })
    expect(end.structuredResponse?.sky).toBe('cloudy')
    expect(model.calls[0]?.options.tools).toMatchObject([{ name: 'report', description: 'Reports.' }])
    const twin = { schema: forecast, name: 'weather' }
    expect(() => createAgent({ model, tools: [weather], responseFormat: twin })).toThrow(/both called "weather"/)
  })
})

describe("a final answer in the provider's own form", () => {
  const responseFormat = { schema: forecast, name: 'forecast', strategy: 'provider' as const }

  test.each([
    ['', '{"sky":"clear","degrees":4}'],
    ['in a fence', '```json\n{"sky":"clear","degrees":4}\n```'],
  ])('is read from the text %s', async (_how, text) => {
    const model = scriptedModel([looks, text])
    const end = await createAgent({ model, tools: [weather], responseFormat }).invoke({ messages: 'Hi' })
    expect(end.structuredResponse).toEqual({ sky: 'clear', degrees: 4 })
    expect(end.messages.at(-1)?.content).toBe(text)
    const { responseFormat: asked, toolChoice, tools } = model.calls[0]!.options
    expect([asked?.name, toolChoice, tools?.length]).toEqual(['forecast', undefined, 1])
    expect(asked?.jsonSchema).toMatchObject({ type: 'object' })
  })

  test('that does not fit is asked for once more', async () => {
    const model = scriptedModel(['{"sky":"clear"}', '{"sky":"clear","degrees":4}'])
    const end = await createAgent({ model, responseFormat }).invoke({ messages: 'Hi' })
    expect(end.structuredResponse?.degrees).toBe(4)
    expect(end.messages.map(read)).toEqual([
      ['user', 'Hi'],
      ['assistant', '{"sky":"clear","degrees":4}'],
    ])
    expect(model.calls[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(model.calls[1]?.messages.at(-1)?.content).toMatch(/^That is not the answer that is wanted: degrees: /)
  })
})
