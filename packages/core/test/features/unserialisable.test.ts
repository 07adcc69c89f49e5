import { describe, expect, test } from 'vitest'
import {
  Command,
  END,
  entrypoint,
  MemoryCheckpointer,
  messages,
  overwrite,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  task,
  value,
} from '../../src/index.ts'
import { JsonCheckpointer } from '../json-checkpointer.ts'
import { all, rejection } from '../reading.ts'

class Point {
  readonly x = 1
}

const cycle = (): object => {
  const here: Record<string, unknown> = {}
  here['inner'] = { here }
  return here
}

const bad: [string, () => unknown, RegExp][] = [
  ['a function', () => () => 1, /thing is a function/],
  ['a symbol', () => Symbol('s'), /thing is a symbol/],
  ['a bigint', () => 1n, /thing is a bigint/],
  ['a number that is none', () => Number.NaN, /thing is NaN/],
  ['an instance of a class', () => new Point(), /thing is an instance of Point/],
  ['a date', () => new Date(0), /thing is an instance of Date/],
  ['a map', () => new Map(), /thing is an instance of Map/],
  ['something deep in a list', () => [{ a: [0, { b: () => 1 }] }], /thing\.0\.a\.1\.b is a function/],
  ['a cycle', cycle, /holds itself/],
]

const thread = { threadId: 't' }
const schema = () =>
  state({
    thing: value<unknown>(),
    kept: value<string>(),
    all: reduced<unknown[], unknown>({ initial: () => [], reduce: (list, one) => [...list, one] }),
  })

const stores = [
  ['in memory', () => new MemoryCheckpointer()],
  ['in a store of text', () => new JsonCheckpointer()],
] as const

const ofNode = (make: () => unknown, checkpointer = new MemoryCheckpointer()) =>
  new StateGraph(schema())
    .addNode('before', () => ({ kept: 'yes' }))
    .addNode('bad', make as () => object)
    .addEdge(START, 'before')
    .addEdge('before', 'bad')
    .addEdge('bad', END)
    .compile({ checkpointer })

describe.each(stores)('state that is no JSON, with a thread %s,', (_where, store) => {
  test.each(bad)(
    'fails the node that writes %s, naming the key and it, and loses nothing else',
    async (_what, make, how) => {
      const graph = ofNode(() => ({ thing: make() }), store() as MemoryCheckpointer)
      const error = await rejection(graph.invoke({}, thread))
      expect(error).toMatchObject({ code: 'UNSERIALIZABLE', message: expect.stringMatching(how) })
      expect(error).toMatchObject({ message: expect.stringMatching(/node "bad" wrote .*state key "thing"/) })
      const left = await graph.getState('t')
      expect(left).toMatchObject({ values: { kept: 'yes', all: [] }, next: ['bad'] })
      expect(await all(graph.getStateHistory('t'))).toHaveLength(3)
    },
  )
})

test('the run can be taken up where the node failed', async () => {
  let first = true
  const graph = ofNode(() => {
    const thing: unknown = first ? () => 1 : 'plain'
    first = false
    return { thing }
  })
  await rejection(graph.invoke({}, thread))
  expect(await graph.invoke(null, thread)).toMatchObject({ kept: 'yes', thing: 'plain' })
})

test('what had ended beside it is kept', async () => {
  let ran = 0
  let broken = true
  const graph = new StateGraph(schema())
    .addNode('good', () => {
      ran++
      return { kept: 'yes' }
    })
    .addNode('late', async () => {
      await Promise.resolve()
      return { thing: broken ? () => 1 : 1 }
    })
    .addEdge(START, 'good')
    .addEdge(START, 'late')
    .compile({ checkpointer: new MemoryCheckpointer() })
  await rejection(graph.invoke({}, thread))
  broken = false
  expect(await graph.invoke(null, thread)).toMatchObject({ kept: 'yes', thing: 1 })
  expect(ran).toBe(1)
})

const wrote: [string, () => unknown][] = [
  ['a command', () => new Command({ update: { thing: () => 1 } })],
  ['an overwrite', () => ({ all: overwrite([() => 1]) })],
  ['one update to a reducer', () => ({ all: () => 1 })],
  ['a send', () => new Command({ goto: new Send('before', { thing: new Point() }) })],
  ['a list of updates', () => [{ kept: 'no' }, { thing: () => 1 }]],
]

test.each(wrote)('%s is looked at too', async (_what, make) => {
  expect(await rejection(ofNode(make).invoke({}, thread))).toMatchObject({
    code: 'UNSERIALIZABLE',
    message: expect.stringContaining('node "bad"'),
  })
})

test('what a reducer makes of plain updates is looked at, and the run says whose update that was', async () => {
  const graph = new StateGraph(
    state({ set: reduced<unknown, string>({ initial: () => null, reduce: (_old, one) => new Set([one]) }) }),
  )
    .addNode('adds', () => ({ set: 'x' }))
    .addEdge(START, 'adds')
    .compile({ checkpointer: new MemoryCheckpointer() })
  const error = await rejection(graph.invoke({}, thread))
  expect(error).toMatchObject({
    code: 'UNSERIALIZABLE',
    message: expect.stringMatching(/"adds".*"set".*instance of Set/),
  })
})

test('a list that holds something unsaved stays so when a reducer adds to it', async () => {
  const free = new StateGraph(schema())
    .addNode('a', () => ({ all: () => 1 }))
    .addNode('b', () => ({ all: 'plain' }))
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile()
  const { all: list } = await free.invoke({})
  const kept = new StateGraph(schema()).addNode('a', () => ({ thing: list })).addEdge(START, 'a')
  const error = await rejection(kept.compile({ checkpointer: new MemoryCheckpointer() }).invoke({}, thread))
  expect(error).toMatchObject({ code: 'UNSERIALIZABLE', message: expect.stringContaining('thing.0 is a function') })
})

test('an input, an update from outside, an answer and metadata are looked at', async () => {
  const graph = new StateGraph(schema())
    .addNode('ask', (_s, ctx) => ({ thing: ctx.interrupt('?') }))
    .addEdge(START, 'ask')
    .compile({ checkpointer: new MemoryCheckpointer() })
  const code = { code: 'UNSERIALIZABLE' }
  expect(await rejection(graph.invoke({ thing: () => 1 }, thread))).toMatchObject(code)
  expect(await rejection(graph.invoke({}, { ...thread, metadata: { at: new Date(0) } }))).toMatchObject(code)
  await graph.invoke({}, thread)
  expect(await rejection(graph.updateState('t', { thing: new Point() }))).toMatchObject(code)
  expect(await rejection(graph.invoke(new Command({ resume: new Point() }), thread))).toMatchObject(code)
  expect(await graph.invoke(new Command({ resume: { plain: [1] } }), thread)).toMatchObject({ thing: { plain: [1] } })
})

test('a message with data that is no JSON is looked at', async () => {
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('talk', () => ({
      messages: [{ role: 'assistant', content: 'x', parts: [{ kind: 'data', name: 'd', value: () => 1 }] }],
    }))
    .addEdge(START, 'talk')
    .compile({ checkpointer: new MemoryCheckpointer() })
  expect(await rejection(graph.invoke({ messages: [] }, thread))).toMatchObject({
    code: expect.stringMatching(/UNSERIALIZABLE|INVALID_INPUT/),
  })
})

test('what a task of the functional form returns is looked at', async () => {
  const point = task('point', () => new Point())
  const flow = entrypoint({ name: 'flow', checkpointer: new MemoryCheckpointer() }, async (_in: string, ctx) => {
    await point.within(ctx)
    return 'done'
  })
  expect(await rejection(flow.invoke('x', thread))).toMatchObject({
    code: 'UNSERIALIZABLE',
    message: expect.stringContaining('task "point"'),
  })
})

test('a graph below is held to it with the run, and without a thread anything may be in the state', async () => {
  const child = new StateGraph(schema()).addNode('inner', () => ({ thing: new Point() })).addEdge(START, 'inner')
  const parent = (checkpointer?: MemoryCheckpointer) =>
    new StateGraph(schema())
      .addNode('child', child.compile())
      .addEdge(START, 'child')
      .compile(checkpointer && { checkpointer })
  expect(await rejection(parent(new MemoryCheckpointer()).invoke({}, thread))).toMatchObject({
    code: 'UNSERIALIZABLE',
    message: expect.stringContaining('node "inner"'),
  })
  expect((await parent().invoke({})).thing).toBeInstanceOf(Point)
  expect((await parent(new MemoryCheckpointer()).invoke({})).thing).toBeInstanceOf(Point)
})

test('a value that holds itself is a typed error without a thread too', async () => {
  const graph = new StateGraph(schema())
    .addNode('bad', () => ({ thing: cycle() }))
    .addEdge(START, 'bad')
    .compile()
  expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'UNSERIALIZABLE' })
})
