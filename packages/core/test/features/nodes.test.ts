import { describe, expect, test } from 'vitest'
import { Command, getContext, reduced, START, state, StateGraph, value, type NodeContext } from '../../src/index.ts'
import { isNode } from '../platform.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })

/** A graph of one node that answers whatever `run` does, typed or not. */
function returning(run: (s: unknown, ctx: NodeContext) => unknown) {
  return new StateGraph(schema())
    .addNode('node', run as () => undefined)
    .addEdge(START, 'node')
    .compile()
}

async function* counted() {
  yield { n: 0 }
  yield { n: 1 }
}

describe('a node', () => {
  test.each<[string, () => unknown]>([
    ['a plain function', () => ({ n: 1 })],
    ['an async function', async () => Promise.resolve({ n: 1 })],
    [
      'an async generator',
      async function* () {
        yield await Promise.resolve({ n: 0 })
        yield { n: 1 }
      },
    ],
    ['a promise of a stream of updates', async () => Promise.resolve(counted())],
    ['a list of updates', () => [{ n: 0 }, { n: 1 }]],
    ['a list of updates and commands', () => [{ n: 0 }, new Command({ update: { n: 1 } })]],
    ['an update without a prototype', () => Object.assign(Object.create(null) as object, { n: 1 })],
  ])('may be or return %s', async (_what, run) => {
    expect(await returning(run).invoke({})).toEqual({ log: [], n: 1 })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['an empty list', []],
  ])('that returns %s changes nothing and shows an empty update', async (_what, returned) => {
    const chunks = await all(returning(() => returned).stream({ n: 3 }, { streamMode: ['updates', 'values'] }))
    expect(chunks).toEqual([
      ['values', { log: [], n: 3 }],
      ['updates', { node: {} }],
    ])
  })

  test.each<[string, unknown]>([
    ['a string', 'hello'],
    ['a number', 5],
    ['a boolean', true],
    ['a function', () => {}],
  ])('that returns %s fails with its name and what it may return', async (_what, returned) => {
    expect(await rejection(returning(() => returned).invoke({}))).toMatchObject({
      code: 'INVALID_UPDATE',
      node: 'node',
      message: expect.stringMatching(/node "node" returned a .*return an object with state keys/),
    })
  })

  test('that yields several updates shows them as one, or as a list where keys repeat', async () => {
    const graph = returning(async function* () {
      yield { log: ['a'] }
      yield { n: 1 }
      yield { log: ['b'] }
    })
    expect(await all(graph.stream({}, { streamMode: 'updates' }))).toEqual([
      { node: [{ log: ['a'] }, { n: 1 }, { log: ['b'] }] },
    ])
    const apart = returning(async function* () {
      yield { log: ['a'] }
      yield { n: 1 }
    })
    expect(await all(apart.stream({}, { streamMode: 'updates' }))).toEqual([{ node: { log: ['a'], n: 1 } }])
  })

  test('knows where it is', async () => {
    let seen: unknown
    const graph = new StateGraph(schema())
      .addNode(
        'here',
        (s, ctx) => {
          const { node, step, attempt, namespace, tags, metadata, context, runId, threadId, toolCallId } = ctx
          seen = { node, step, attempt, namespace, tags, metadata, context, runId, threadId, toolCallId }
          expect(ctx.state).toBe(s)
          expect(ctx.task).toMatch(/^\w+$/)
          expect(isNode ? getContext() : ctx).toBe(ctx)
        },
        { tags: ['mine'], metadata: { a: 1 } },
      )
      .addEdge(START, 'here')
      .compile()
    await graph.invoke({}, { runId: 'r', tags: ['run'], metadata: { b: 2 }, context: { user: 'u' } })
    expect(seen).toEqual({
      node: 'here',
      step: 1,
      attempt: 1,
      namespace: [],
      tags: ['run', 'mine'],
      metadata: { a: 1, b: 2 },
      context: { user: 'u' },
      runId: 'r',
      threadId: undefined,
      toolCallId: undefined,
    })
  })

  test('can take the functions off its context', async () => {
    const graph = returning((_s, { writer, progress, command }) => {
      writer('w')
      progress(1)
      return command({ update: { n: 2 } })
    })
    expect(await graph.invoke({})).toMatchObject({ n: 2 })
  })

  test('has one start and one end, whatever it returns', async () => {
    const events = await all(returning(() => 'wrong').events({}))
    expect(ofType(events, 'task.start')).toHaveLength(1)
    expect(ofType(events, 'task.end').map(({ outcome }) => outcome)).toEqual(['error'])
  })
})

test('a generator that throws after some updates changes nothing', async () => {
  const graph = returning(async function* () {
    yield { n: 1 }
    throw new Error('too late')
  })
  const events = await all(graph.events({ n: 0 }))
  expect(ofType(events, 'values').map(({ set }) => set)).toEqual([{ log: [], n: 0 }])
  expect(ofType(events, 'run.end')[0]).toMatchObject({ status: 'error', error: { code: 'NODE_FAILED', node: 'node' } })
})

test('a generator whose update is wrong is closed', async () => {
  let closed = false
  const graph = returning(async function* () {
    try {
      yield { nope: 1 }
    } finally {
      closed = true
    }
  })
  expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'INVALID_UPDATE' })
  expect(closed).toBe(true)
})

test('the result of a task that wrote a key several times has all of that, the others as they are', async () => {
  const graph = new StateGraph(state({ log: log(), n: value<number>() }))
    .addNode('a', async function* () {
      yield { log: ['first'] }
      yield new Command({ update: { log: ['second'] } })
      yield { n: 3 }
    })
    .addEdge(START, 'a')
    .compile()
  const chunks = await all(graph.stream({}, { streamMode: ['updates', 'tasks'] }))
  expect(chunks.slice(1)).toMatchObject([
    ['updates', { a: [{ log: ['first'] }, { log: ['second'] }, { n: 3 }] }],
    ['tasks', { name: 'a', result: { log: { $writes: [['first'], ['second']] }, n: 3 } }],
  ])
})
