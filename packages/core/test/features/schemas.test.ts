import { expect, test } from 'vitest'
import { z } from 'zod'
import { MemoryCheckpointer, messages, Send, START, state, StateGraph } from '../../src/index.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const counting = () =>
  new StateGraph(state({ n: z.coerce.number(), messages: messages() }))
    .addNode('add', ({ n }) => ({ n: n + 1 }))
    .addEdge(START, 'add')
    .compile({ checkpointer: new MemoryCheckpointer() })

test('a key with a schema takes its input form and nodes read its output form', async () => {
  expect(await counting().invoke({ n: '41' })).toEqual({ n: 42, messages: [] })
})

test('an input that does not fit is INVALID_INPUT, naming the key', async () => {
  const error = await rejection(counting().invoke({ n: 'many' }))
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(/n: /) })
})

test('an input that does not fit ends the events in run.end and starts no node', async () => {
  const events = await all(counting().events({ n: 'many' }))
  expect(events.map(({ type }) => type)).toEqual(['run.start', 'run.end'])
  expect(ofType(events, 'run.end')[0]).toMatchObject({ status: 'error', error: { code: 'INVALID_INPUT' } })
})

test('an input key the state does not have is INVALID_INPUT, naming it', async () => {
  const error = await rejection(counting().invoke({ m: 1 } as never))
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(/"m".*n, messages/) })
})

test.each([
  ['a string', 'hello'],
  ['an array', [1]],
  ['a number', 3],
])('an input that is %s is INVALID_INPUT', async (_what, input) => {
  expect(await rejection(counting().invoke(input as never))).toMatchObject({ code: 'INVALID_INPUT' })
})

const whole = () =>
  new StateGraph(
    z.object({
      topic: z.string().min(2),
      lines: z.array(z.string()).default([]),
      size: z.string().transform((text) => text.length),
    }),
  )
    .addNode('write', ({ topic, lines, size }) => ({ lines: [...lines, `${topic}:${size}`] }))
    .addEdge(START, 'write')
    .compile({ checkpointer: new MemoryCheckpointer() })

test('a schema for the whole state validates the input, fills in defaults and converts', async () => {
  expect(await whole().invoke({ topic: 'cats', size: 'abc' })).toEqual({ topic: 'cats', size: 3, lines: ['cats:3'] })
})

test('a whole input that does not fit is INVALID_INPUT, naming every key that is wrong', async () => {
  const error = await rejection(whole().invoke({ topic: 'c', size: 5 } as never))
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(/topic: .*size: /) })
})

test('a second turn on a thread may pass only what is new', async () => {
  const graph = new StateGraph(z.object({ topic: z.string(), lines: z.array(z.string()).default([]) }))
    .addNode('write', ({ topic, lines }) => ({ lines: [...lines, topic] }))
    .addEdge(START, 'write')
    .compile({ checkpointer: new MemoryCheckpointer() })
  await graph.invoke({ topic: 'cats' }, { threadId: 't' })
  expect(await graph.invoke({ topic: 'dogs' }, { threadId: 't' })).toEqual({ topic: 'dogs', lines: ['cats', 'dogs'] })
})

test('a whole schema that does not accept what it makes asks for those keys again, naming them', async () => {
  const graph = whole()
  await graph.invoke({ topic: 'cats', size: 'abc' }, { threadId: 't' })
  // Types ask for the whole input.
  const error = await rejection(graph.invoke({ topic: 'dogs' } as never, { threadId: 't' }))
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('size') })
  const second = await graph.invoke({ topic: 'dogs', size: 'abcd' }, { threadId: 't' })
  expect(second).toEqual({ topic: 'dogs', size: 4, lines: ['cats:3', 'dogs:4'] })
})

test('what nodes write has the form that the schema makes, and is for the types to check', async () => {
  const graph = whole()
  // The schema would take no number for "size": it makes one of a text.
  const again = new StateGraph(z.object({ size: z.string().transform((text) => text.length) }))
    .addNode('double', ({ size }) => ({ size: size * 2 }))
    .addNode('wrong', () => ({ size: 'no number' }) as never)
    .addEdge(START, 'double')
    .addEdge('double', 'wrong')
    .compile()
  expect(await again.invoke({ size: 'abc' })).toEqual({ size: 'no number' })
  expect(await rejection(graph.invoke({ topic: 'cats', size: 7 } as never))).toMatchObject({ code: 'INVALID_INPUT' })
})

test('an asynchronous schema is waited for', async () => {
  const slow = z.string().refine(async (text) => Promise.resolve(text !== 'bad'), 'is bad')
  const graph = new StateGraph(state({ word: slow }))
    .addNode('end', () => ({}))
    .addEdge(START, 'end')
    .compile()
  expect(await graph.invoke({ word: 'good' })).toEqual({ word: 'good' })
  expect(await rejection(graph.invoke({ word: 'bad' }))).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('word: is bad'),
  })
})

test('a subgraph that shares a converted key takes it as the state has it', async () => {
  const schema = state({ size: z.string().transform((text) => text.length) })
  const child = new StateGraph(schema)
    .addNode('double', ({ size }) => ({ size: size * 2 }))
    .addEdge(START, 'double')
    .compile()
  const parent = new StateGraph(schema).addNode('child', child).addEdge(START, 'child').compile()
  expect(await parent.invoke({ size: 'abc' })).toEqual({ size: 6 })
})

test('a subgraph checks what a send or a call passes to it', async () => {
  const schema = state({ size: z.string().transform((text) => text.length) })
  const child = new StateGraph(schema)
    .addNode('double', ({ size }) => ({ size: size * 2 }))
    .addEdge(START, 'double')
    .compile()
  const sending = new StateGraph(schema)
    .addNode('child', child)
    .addConditionalEdges(START, () => new Send('child', { size: 'abcd' }))
    .compile()
  expect(await sending.invoke({ size: 'a' })).toEqual({ size: 8 })
  const calling = new StateGraph(schema)
    .addNode('call', (_s, ctx) => ctx.run(child, { size: 'ab' }))
    .addEdge(START, 'call')
    .compile()
  expect(await calling.invoke({ size: 'a' })).toEqual({ size: 4 })
})

test('keys that could change a prototype are refused or inert', async () => {
  const input: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
  expect(await rejection(counting().invoke(input as never))).toMatchObject({ code: 'INVALID_INPUT' })
  const open = new StateGraph(z.looseObject({ n: z.number().default(1) }))
    .addNode('look', ({ n }) => ({ n }))
    .addEdge(START, 'look')
    .compile()
  const state1 = await open.invoke(input as never)
  expect((state1 as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
