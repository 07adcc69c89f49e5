import type { Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { messages, START, state, StateGraph, tool, toolNode, type Tool } from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const graphOf = (one: Tool) =>
  new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([one]))
    .addEdge(START, 'tools')
    .compile()

const asking = (name: string): Message => ({
  id: 'm',
  role: 'assistant',
  content: '',
  toolCalls: [{ id: 'c', name, args: '{}' }],
})

/** What a tool that returns this is told to have put out, and the answer in the state. */
async function returning(value: unknown) {
  const graph = graphOf(tool(() => value, { name: 'give', description: 'gives' }))
  const events = await all(graph.events({ messages: [asking('give')] }))
  const answer = (await graph.invoke({ messages: [asking('give')] })).messages[1]
  return { output: ofType(events, 'tool.end')[0]?.output, error: ofType(events, 'tool.end')[0]?.error, answer }
}

const image = { kind: 'image', mediaType: 'image/png', data: 'iVBORw0=' }

describe('a tool that returns', () => {
  test.each([
    ['text', 'sunny', 'sunny', 'sunny'],
    ['an object', { sky: 'clear', wind: [1, 2] }, { sky: 'clear', wind: [1, 2] }, '{"sky":"clear","wind":[1,2]}'],
    ['a list', [1, 2], [1, 2], '[1,2]'],
    ['nothing', undefined, null, 'null'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
  ])('%s is answered with it', async (_what, value, output, content) => {
    const { answer, ...told } = await returning(value)
    expect(told).toEqual({ output, error: undefined })
    expect(answer).toMatchObject({ role: 'tool', toolCallId: 'c', name: 'give', content })
  })

  test('a message is answered with it, under the id of its call', async () => {
    const { output, answer } = await returning({ role: 'tool', content: 'see', toolCallId: 'another', id: 'mine' })
    expect(output).toBe('see')
    expect(answer).toEqual({ id: 'mine', role: 'tool', content: 'see', toolCallId: 'c', name: 'give' })
  })

  test("LangChain's message is answered with it", async () => {
    const { answer } = await returning({ type: 'tool', content: 'theirs', tool_call_id: 'c', name: 'give' })
    expect(answer).toMatchObject({ role: 'tool', content: 'theirs', toolCallId: 'c', name: 'give' })
  })

  test.each([
    ['an image', image, [image], ''],
    [
      'text and an image',
      [{ kind: 'text', text: 'look: ' }, image],
      [{ kind: 'text', text: 'look: ' }, image],
      'look: ',
    ],
  ])('%s is answered with its parts', async (_what, value, parts, content) => {
    const { output, answer } = await returning(value)
    expect(output).toEqual(value)
    expect(answer).toMatchObject({ role: 'tool', toolCallId: 'c', content, parts })
  })

  test('a list that only looks like parts is JSON', async () => {
    const value = [{ kind: 'text', text: 'a' }, { kind: 'other' }]
    expect((await returning(value)).answer).toMatchObject({ content: JSON.stringify(value) })
    expect((await returning([])).answer).toMatchObject({ content: '[]' })
  })

  test.each([
    ['a message whose content is no message', { role: 'tool', content: 7 }, 'INVALID_INPUT'],
    ['what is no JSON', new Map(), 'UNSERIALIZABLE'],
  ])('%s ends with an error that the model reads', async (_what, value, code) => {
    const { error, answer } = await returning(value)
    expect(error?.code).toBe(code)
    expect(answer?.content).toMatch(/^Error: /)
  })
})

describe('what a model is told of a tool', () => {
  test('is its JSON Schema, where the schema can say it', async () => {
    const { z } = await import('zod')
    const made = tool(({ n }: { n: number }) => n, { name: 'n', description: 'n', schema: z.object({ n: z.number() }) })
    expect(made.jsonSchema).toMatchObject({ type: 'object', properties: { n: { type: 'number' } }, required: ['n'] })
  })

  test('is what its author says, where that is given', () => {
    const jsonSchema = { type: 'object' }
    expect(tool(() => 1, { name: 'n', description: 'n', jsonSchema }).jsonSchema).toBe(jsonSchema)
  })

  test('is nothing, where the schema has no way to say it', () => {
    const schema = { '~standard': { version: 1 as const, vendor: 'x', validate: (value: unknown) => ({ value }) } }
    expect(tool(() => 1, { name: 'n', description: 'n', schema }).jsonSchema).toBeUndefined()
  })
})

describe('a schema that takes its time', () => {
  const even = {
    '~standard': {
      version: 1 as const,
      vendor: 'own',
      validate: async (value: unknown) =>
        (value as { n: number }).n % 2 === 0
          ? { value: { half: (value as { n: number }).n / 2 } }
          : { issues: [{ message: 'is odd', path: ['n'] }] },
    },
  }
  const half = tool(({ half }: { half: number }) => half, { name: 'half', description: 'halves', schema: even })

  test('converts the arguments before the tool runs, or refuses them', async () => {
    expect(await half.invoke({ n: 4 })).toBe(2)
    await expect(half.invoke({ n: 3 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/n: is odd/),
    })
    await expect(half.check({ n: 4 })).resolves.toEqual({ half: 2 })
  })
})
