import { describe, expect, test } from 'vitest'
import { messages, reduced, START, state, StateGraph, type NodeContext } from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

class PaymentError extends Error {
  override readonly name = 'PaymentError'
  readonly amount = 5
}

const failing = (thrown: unknown) =>
  new StateGraph(schema())
    .addNode('fails', (_s, ctx) => {
      ctx.writer('before')
      throw thrown
    })
    .addEdge(START, 'fails')
    .compile()

describe('what a node throws', () => {
  const thrown: [string, unknown, string][] = [
    ['an error of a class of its own', new PaymentError('no money'), 'no money'],
    ['a frozen error', Object.freeze(new Error('frozen')), 'frozen'],
    ['a string', 'just text', 'just text'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 42, '42'],
    [
      'an object without a prototype',
      Object.freeze(Object.create(null) as object),
      'a value that cannot be described was thrown',
    ],
  ]

  test.each(thrown)('reaches the caller untouched: %s', async (_what, value) => {
    const names = () => (typeof value === 'object' && value !== null ? Object.getOwnPropertyNames(value) : [])
    const before = names()
    expect(await rejection(failing(value).invoke({}))).toBe(value)
    const { items, threw, error } = await allAndError(failing(value).stream({}, { streamMode: 'custom' }))
    expect([items, threw]).toEqual([['before'], true])
    expect(error).toBe(value)
    expect(names()).toEqual(before)
  })

  test.each(thrown)('is in the end of the run as NODE_FAILED with the node: %s', async (_what, value, message) => {
    const events = await all(failing(value).events({}, { runId: 'r' }))
    expect(ofType(events, 'run.end')).toEqual([
      { type: 'run.end', run: 'r', status: 'error', error: { code: 'NODE_FAILED', message, node: 'fails', run: 'r' } },
    ])
    expect(ofType(events, 'task.end')[0]).toMatchObject({ outcome: 'error', error: { code: 'NODE_FAILED', message } })
  })

  test('crosses no wire but with its sentence: no stack, no cause', async () => {
    const secret = new Error('outer', { cause: new Error('secret') })
    const told = JSON.stringify(await all(failing(secret).events({})))
    expect(told).not.toMatch(/secret|stack|errors\.test/)
  })

  test('in a graph below names the node of the root, and stays the same object', async () => {
    const failure = new PaymentError('deep')
    const parent = new StateGraph(schema()).addNode('child', failing(failure)).addEdge(START, 'child').compile()
    expect(await rejection(parent.invoke({}))).toBe(failure)
    const events = await all(parent.events({}))
    expect(events.at(-1)).toMatchObject({ error: { code: 'NODE_FAILED', node: 'child', message: 'deep' } })
    expect(ofType(events, 'task.end').map(({ node, outcome }) => [node, outcome])).toEqual([
      ['fails', 'error'],
      ['child', 'error'],
    ])
  })

  test('asynchronously, or by rejecting later, is the same', async () => {
    const opened = gate()
    const failure = new Error('later')
    const graph = new StateGraph(schema())
      .addNode('fails', async () => {
        await opened.opened
        throw failure
      })
      .addEdge(START, 'fails')
      .compile()
    const ended = rejection(graph.invoke({}))
    await settle()
    opened.open()
    expect(await ended).toBe(failure)
  })
})

describe('when several nodes of a step run', () => {
  const both = (a: (ctx: NodeContext) => unknown, b: (ctx: NodeContext) => unknown) =>
    new StateGraph(schema())
      .addNode('a', ((_s: unknown, ctx: NodeContext) => a(ctx)) as () => undefined)
      .addNode('b', ((_s: unknown, ctx: NodeContext) => b(ctx)) as () => undefined)
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .compile()

  test('the first to fail is what the run fails with; the other is aborted and has one end', async () => {
    const reasons: unknown[] = []
    const graph = both(
      (ctx) =>
        new Promise((_resolve, reject) => {
          ctx.signal.addEventListener('abort', () => {
            reasons.push(ctx.signal.reason)
            reject(new Error('in answer to that'))
          })
        }),
      async () => {
        await settle()
        throw new Error('first')
      },
    )
    expect(await rejection(graph.invoke({}))).toEqual(new Error('first'))
    const events = await all(graph.events({}))
    expect(ofType(events, 'task.end').map(({ node, outcome }) => [node, outcome])).toEqual([
      ['b', 'error'],
      ['a', 'aborted'],
    ])
    expect(reasons[0]).toMatchObject({ code: 'CANCELLED', message: 'node "b" failed beside it' })
  })

  test('that fail at the same moment, the first by name counts and no rejection is lost', async () => {
    const graph = both(
      async () => Promise.reject(new Error('a')),
      async () => Promise.reject(new Error('b')),
    )
    expect(await rejection(graph.invoke({}))).toEqual(new Error('a'))
  })

  test('one that had ended before the failure has told its update; the state stays as it was', async () => {
    const graph = both(
      () => ({ log: ['a'] }),
      async () => {
        await settle()
        throw new Error('b')
      },
    )
    const { items } = await allAndError(graph.stream({ log: ['in'] }, { streamMode: ['updates', 'values'] }))
    expect(items).toEqual([
      ['values', { log: ['in'], messages: [] }],
      ['updates', { a: { log: ['a'] } }],
    ])
  })
})

test('everything told before a failure arrives, in every mode, then the failure', async () => {
  const graph = new StateGraph(schema())
    .addNode('good', () => ({ log: ['good'] }))
    .addNode('fails', (_s, ctx) => {
      for (let i = 0; i < 100; i++) ctx.writer(i)
      ctx.pushMessage({ id: 'm', role: 'assistant', content: 'going down' })
      throw new Error('x')
    })
    .addEdge(START, 'good')
    .addEdge('good', 'fails')
    .compile()
  const modes = ['values', 'updates', 'custom', 'messages', 'tasks'] as const
  const { items, error } = await allAndError(graph.stream({}, { streamMode: modes }))
  expect(error).toEqual(new Error('x'))
  expect(items.filter(([mode]) => mode === 'custom').map(([, chunk]) => chunk)).toEqual(
    Array.from({ length: 100 }, (_, i) => i),
  )
  expect(items.slice(-2).map(([mode]) => mode)).toEqual(['messages', 'tasks'])
})

test('a failed run leaves the stream over: later reads are done', async () => {
  const stream = failing(new Error('x')).stream({})
  await allAndError(stream)
  expect(await stream.next()).toEqual({ value: undefined, done: true })
})
