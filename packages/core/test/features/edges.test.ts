import { describe, expect, test } from 'vitest'
import { END, reduced, START, state, StateGraph, value } from '../../src/index.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { gate, settle } from '../gate.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>({ initial: () => 0 }) })
const says = (what: string) => () => ({ log: [what] })

describe('edges', () => {
  test('nodes reached in one step start sorted by name, whatever order they were added in', async () => {
    const graph = new StateGraph(schema())
      .addNode('c', says('c'))
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addEdge(START, 'c')
      .addEdge(START, 'b')
      .addEdge(START, 'a')
      .compile()
    const starts = ofType(await all(graph.events({})), 'task.start')
    expect(starts.map(({ node, step }) => [node, step])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ])
  })

  test('a node that several edges reach in one step runs once', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addNode('end', says('end'))
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .addEdge('a', 'end')
      .addEdge('b', 'end')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'b', 'end'])
    const started = await all(graph.stream({}, { streamMode: 'tasks' }))
    expect(started.flatMap((task) => ('triggers' in task && task.name === 'end' ? [task.triggers] : []))).toEqual([
      ['a', 'b'],
    ])
  })

  test('the same edge twice is one edge', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addEdge(START, 'a')
      .addEdge(START, 'a')
      .addEdge('a', END)
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a'])
  })

  test('a branch that is shorter does not wait: its target runs once per step that reaches it', async () => {
    const graph = new StateGraph(schema())
      .addNode('long1', says('long1'))
      .addNode('long2', says('long2'))
      .addNode('short', says('short'))
      .addNode('end', says('end'))
      .addEdge(START, 'long1')
      .addEdge('long1', 'long2')
      .addEdge(START, 'short')
      .addEdge('short', 'end')
      .addEdge('long2', 'end')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['long1', 'short', 'end', 'long2', 'end'])
  })
})

describe('a join', () => {
  const joined = () =>
    new StateGraph(schema())
      .addNode('long1', says('long1'))
      .addNode('long2', says('long2'))
      .addNode('short', says('short'))
      .addNode('end', says('end'))
      .addEdge(START, 'long1')
      .addEdge('long1', 'long2')
      .addEdge(START, 'short')
      .addEdge(['long2', 'short'], 'end')

  test('runs its target once, when the last of its sources has ended', async () => {
    expect((await joined().compile().invoke({})).log).toEqual(['long1', 'short', 'long2', 'end'])
  })

  test('of one source is an edge; a source named twice counts once', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addNode('c', says('c'))
      .addEdge(START, 'a')
      .addEdge(['a'], 'b')
      .addEdge(['b', 'b'], 'c')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'b', 'c'])
  })

  test('whose source never runs does not fire, and the graph ends', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addNode('end', says('end'))
      .addConditionalEdges(START, () => 'a')
      .addEdge(['a', 'b'], 'end')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a'])
  })

  test('fires again each time all of its sources have run again', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addNode('both', ({ n }) => ({ log: ['both'], n: n + 1 }))
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .addEdge(['a', 'b'], 'both')
      .addConditionalEdges('both', ({ n }) => (n < 2 ? ['a', 'b'] : END))
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'b', 'both', 'a', 'b', 'both'])
  })

  test('is told from another whose names look alike when joined', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addNode('a+b', says('a+b'))
      .addNode('b+c', says('b+c'))
      .addNode('c', says('c'))
      .addNode('end', says('end'))
      .addEdge(START, 'a+b')
      .addEdge(START, 'a')
      .addEdge(['a', 'b+c'], 'end')
      .addEdge(['a+b', 'c'], 'end')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'a+b'])
  })
})

describe('a conditional edge', () => {
  test('leads where its router says; the router sees what its node just wrote', async () => {
    const graph = new StateGraph(schema())
      .addNode('count', ({ n }) => ({ n: n + 1 }))
      .addNode('odd', says('odd'))
      .addNode('even', says('even'))
      .addEdge(START, 'count')
      .addConditionalEdges('count', ({ n }) => (n % 2 === 1 ? 'odd' : 'even'))
      .compile()
    expect((await graph.invoke({ n: 0 })).log).toEqual(['odd'])
    expect((await graph.invoke({ n: 1 })).log).toEqual(['even'])
  })

  test('with a map takes keys of it, booleans too', async () => {
    const graph = new StateGraph(schema())
      .addNode('yes', says('yes'))
      .addNode('no', says('no'))
      .addConditionalEdges(START, ({ n }) => n > 0, { true: 'yes', false: 'no' })
      .compile()
    expect((await graph.invoke({ n: 1 })).log).toEqual(['yes'])
    expect((await graph.invoke({ n: 0 })).log).toEqual(['no'])
  })

  test('may lead to several nodes, to none, and to the end', async () => {
    const routed = (to: ('a' | 'b' | typeof END)[]) =>
      new StateGraph(schema())
        .addNode('a', says('a'))
        .addNode('b', says('b'))
        .addConditionalEdges(START, () => to)
        .compile()
        .invoke({})
    expect((await routed(['b', 'a', 'b'])).log).toEqual(['a', 'b'])
    expect((await routed([])).log).toEqual([])
    expect((await routed([END])).log).toEqual([])
    expect((await routed([END, 'a'])).log).toEqual(['a'])
  })

  test('may wait, beside plain edges and other conditional ones', async () => {
    const opened = gate<'a'>()
    const graph = new StateGraph(schema())
      .addNode('first', says('first'))
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addNode('c', says('c'))
      .addEdge(START, 'first')
      .addEdge('first', 'c')
      .addConditionalEdges('first', () => opened.opened)
      .addConditionalEdges('first', () => 'b')
      .compile()
    const running = graph.invoke({})
    await settle()
    opened.open('a')
    expect((await running).log).toEqual(['first', 'a', 'b', 'c'])
  })

  test('that leads to no node fails naming the node, the target and what there is', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addEdge(START, 'a')
      .addConditionalEdges('a', () => 'nope' as 'a')
      .compile()
    const error = await rejection(graph.invoke({}))
    expect(error).toMatchObject({ code: 'INVALID_UPDATE', node: 'a' })
    expect(String(error)).toMatch(/router of node "a" leads to "nope".*there are: a, END/)
  })

  test('that answers a key its map does not have fails', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addConditionalEdges(START, () => 'other' as 'known', { known: 'a' })
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({
      code: 'INVALID_UPDATE',
      message: expect.stringContaining('"other"'),
    })
  })

  test('with a list of targets may not answer a node outside of it', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addConditionalEdges(START, () => 'b' as const, ['a'])
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'INVALID_UPDATE' })
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
  ])('whose router answers %s fails typed', async (_what, answer) => {
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addEdge(START, 'a')
      .addConditionalEdges('a', () => answer as never)
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'INVALID_UPDATE', node: 'a' })
  })

  test('whose router throws fails the run as its node would, with what was thrown', async () => {
    const failure = new Error('no way')
    const graph = new StateGraph(schema())
      .addNode('a', says('a'))
      .addEdge(START, 'a')
      .addConditionalEdges('a', () => {
        throw failure
      })
      .compile()
    expect(await rejection(graph.invoke({}))).toBe(failure)
    const events = await all(graph.events({}))
    expect(events.at(-1)).toMatchObject({ error: { code: 'NODE_FAILED', node: 'a' } })
    expect(ofType(events, 'task.end').map(({ outcome }) => outcome)).toEqual(['error'])
  })
})

describe('a deferred node', () => {
  test('runs when nothing else is left', async () => {
    const graph = new StateGraph(schema())
      .addNode('last', says('last'), { defer: true })
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addNode('c', says('c'))
      .addEdge(START, 'last')
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .addEdge('b', 'c')
      .addEdge('a', 'last')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'b', 'c', 'last'])
  })

  test('may set others going, and runs with other deferred ones in one step', async () => {
    const graph = new StateGraph(schema())
      .addNode('z', says('z'), { defer: true })
      .addNode('y', says('y'), { defer: true })
      .addNode('a', says('a'))
      .addNode('after', says('after'))
      .addEdge(START, 'z')
      .addEdge(START, 'y')
      .addEdge(START, 'a')
      .addEdge('z', 'after')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'y', 'z', 'after'])
  })
})

describe('a cycle', () => {
  const looping = () =>
    new StateGraph(schema())
      .addNode('count', ({ n }) => ({ n: n + 1, log: [String(n)] }))
      .addEdge(START, 'count')
      .addConditionalEdges('count', ({ n }) => (n === 30 ? END : 'count'))
      .compile()

  test('ends by itself when its router says so', async () => {
    expect((await looping().invoke({}, { recursionLimit: 30 })).n).toBe(30)
  })

  test('is stopped after 25 steps unless told otherwise, with everything before delivered', async () => {
    const { items, error } = await allAndError(looping().stream({}, { streamMode: 'values' }))
    expect(items).toHaveLength(25)
    expect(error).toMatchObject({ code: 'RECURSION_LIMIT', message: expect.stringMatching(/25 steps.*count/) })
  })

  test('counts the limit anew for each turn on a thread', async () => {
    const graph = looping()
    expect(await rejection(graph.invoke({}, { recursionLimit: 29 }))).toMatchObject({ code: 'RECURSION_LIMIT' })
    expect(await graph.invoke({ n: 28 }, { recursionLimit: 2 })).toMatchObject({ n: 30 })
  })

  test.each([0, -1, Number.NaN, 1.5])('a limit of %s is refused', async (recursionLimit) => {
    expect(await rejection(looping().invoke({}, { recursionLimit }))).toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('a sequence', () => {
  test('runs its nodes one after the other, after the entry or after a node', async () => {
    const graph = new StateGraph(schema())
      .addSequence({ one: says('one'), two: says('two') })
      .addSequence({ three: says('three'), four: says('four') }, 'two')
      .addEdge('four', END)
      .compile()
    expect((await graph.invoke({})).log).toEqual(['one', 'two', 'three', 'four'])
  })

  test('has the rules of addNode for names', () => {
    const graph = new StateGraph(schema()).addNode('one', says('one'))
    expect(() => graph.addSequence({ one: says('again') })).toThrow(/"one" was added twice/)
    expect(() => new StateGraph(schema()).addSequence({ 'a|b': says('x') })).toThrow(/cannot be a node's name/)
    expect(() => new StateGraph(schema()).addSequence({ [END]: says('x') })).toThrow(/cannot be a node's name/)
  })
})
