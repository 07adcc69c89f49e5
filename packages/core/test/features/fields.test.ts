import { expect, test } from 'vitest'
import { overwrite, reduced, Send, START, state, StateGraph, value } from '../../src/index.ts'
import { all, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })

test('the last write of a value wins, step after step', async () => {
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('a', () => ({ n: 1 }))
    .addNode('b', ({ n }) => ({ n: n + 1 }))
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile()
  expect(await graph.invoke({ n: 0 })).toEqual({ n: 2 })
})

test('a value that nobody wrote is absent, and one with an initial value is there', async () => {
  const graph = new StateGraph(state({ n: value<number>(), m: value<number>({ initial: () => 7 }) }))
    .addNode('look', (s) => ({ m: s.m + ('n' in s ? 1 : 0) }))
    .addEdge(START, 'look')
    .compile()
  expect(await graph.invoke({})).toEqual({ m: 7 })
  expect(await graph.invoke({ n: 0 })).toEqual({ n: 0, m: 8 })
})

test('two nodes writing one value in one step fail with the key and both names', async () => {
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('left', () => ({ n: 1 }))
    .addNode('right', () => ({ n: 2 }))
    .addEdge(START, 'left')
    .addEdge(START, 'right')
    .compile()
  expect(await rejection(graph.invoke({}))).toMatchObject({
    code: 'INVALID_UPDATE',
    message: expect.stringMatching(/node "left" and node "right" wrote the state key "n"/),
  })
})

test('two sends of one node writing one value in one step fail too', async () => {
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('work', () => ({ n: 1 }))
    .addConditionalEdges(START, () => [new Send('work', {}), new Send('work', {})])
    .compile()
  expect(await rejection(graph.invoke({}))).toMatchObject({
    code: 'INVALID_UPDATE',
    message: expect.stringMatching(/"work".*state key "n"/),
  })
})

test('one node may write a value several times: its last write wins', async () => {
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('count', async function* () {
      yield { n: 1 }
      yield { n: 2 }
    })
    .addEdge(START, 'count')
    .compile()
  expect(await graph.invoke({})).toEqual({ n: 2 })
})

test('a reduced key takes the writes of a step in the order of the nodes names, whoever is faster', async () => {
  const graph = new StateGraph(state({ log: log() }))
    .addNode('c', () => ({ log: ['c'] }))
    .addNode('a', async () => {
      await Promise.resolve()
      return { log: ['a'] }
    })
    .addNode('b', () => ({ log: ['b'] }))
    .addEdge(START, 'c')
    .addEdge(START, 'b')
    .addEdge(START, 'a')
    .compile()
  expect(await graph.invoke({ log: ['in'] })).toEqual({ log: ['in', 'a', 'b', 'c'] })
})

test('an overwrite passes by the reducer, in a node and in the input', async () => {
  const graph = new StateGraph(state({ log: log() }))
    .addNode('a', () => ({ log: overwrite(['fresh']) }))
    .addNode('b', () => ({ log: ['b'] }))
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile()
  expect(await graph.invoke({ log: overwrite(['x']) })).toEqual({ log: ['fresh', 'b'] })
  const updates = await all(graph.stream({ log: ['x'] }, { streamMode: 'updates' }))
  expect(updates).toEqual([{ a: { log: ['fresh'] } }, { b: { log: ['b'] } }])
})

test('two overwrites of one key in one step fail; an overwrite beside a write does not', async () => {
  const build = (other: () => { log: string[] }) =>
    new StateGraph(state({ log: log() }))
      .addNode('a', () => ({ log: overwrite(['a']) }))
      .addNode('b', other)
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .compile()
  expect(await rejection(build(() => ({ log: overwrite(['b']) })).invoke({}))).toMatchObject({ code: 'INVALID_UPDATE' })
  expect(await build(() => ({ log: ['b'] })).invoke({ log: ['x'] })).toEqual({ log: ['a', 'b'] })
})

test('a private key is read by nodes and shown to nobody', async () => {
  const graph = new StateGraph(state({ out: value<string>(), secret: value<string>({ private: true }) }))
    .addNode('make', () => ({ secret: 's3' }))
    .addNode('use', ({ secret }) => ({ out: `used ${secret}` }))
    .addEdge(START, 'make')
    .addEdge('make', 'use')
    .compile()
  expect(await graph.invoke({})).toEqual({ out: 'used s3' })
  const chunks = await all(graph.stream({}, { streamMode: ['values', 'tasks'] }))
  expect(chunks.filter(([mode]) => mode === 'values').map(([, chunk]) => chunk)).toEqual([{}, { out: 'used s3' }])
  const inputs = chunks.flatMap(([mode, chunk]) => (mode === 'tasks' && 'input' in chunk ? [chunk.input] : []))
  expect(inputs).toEqual([{}, {}])
})

test('callers may pass only the input keys and get only the output keys', async () => {
  const graph = new StateGraph(state({ q: value<string>(), work: value<string>(), a: value<string>() }), {
    input: ['q'],
    output: ['a'],
  })
    .addNode('think', ({ q }) => ({ work: q.toUpperCase(), a: `${q}!` }))
    .addEdge(START, 'think')
    .compile()
  expect(await graph.invoke({ q: 'hi' })).toEqual({ a: 'hi!' })
  expect(await rejection(graph.invoke({ q: 'hi', work: 'no' }))).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('"work"'),
  })
})

test('an undefined key in an update is no write', async () => {
  const graph = new StateGraph(state({ n: value<number | undefined>() }))
    .addNode('a', () => ({ n: undefined }))
    .addEdge(START, 'a')
    .compile()
  expect(await graph.invoke({ n: 4 })).toEqual({ n: 4 })
})

test('an unknown key in an update names the node, the key and what there is', async () => {
  const graph = new StateGraph(state({ topic: value<string>() }))
    // Types would refuse it; a dynamic object gets here.
    .addNode('typo', () => JSON.parse('{"topik":"x"}') as { topic: string })
    .addEdge(START, 'typo')
    .compile()
  const error = await rejection(graph.invoke({}))
  expect(error).toMatchObject({ code: 'INVALID_UPDATE' })
  expect(String(error)).toMatch(/node "typo" wrote the unknown state key "topik"; the state has: topic/)
})

test('a reducer that throws fails the run with its error and the name of the node whose write it was', async () => {
  const failure = new Error('cannot add')
  const graph = new StateGraph(
    state({
      n: reduced<number>({
        initial: () => 0,
        reduce: () => {
          throw failure
        },
      }),
    }),
  )
    .addNode('add', () => ({ n: 1 }))
    .addEdge(START, 'add')
    .compile()
  const events = await all(graph.events({}))
  expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'error', error: { message: 'cannot add' } })
  expect(await rejection(graph.invoke({}))).toBe(failure)
})

test('what a node was given cannot be changed by it: siblings and later steps see what was committed', async () => {
  const graph = new StateGraph(state({ tags: value<string[]>(), n: value<number>(), seen: log() }))
    .addNode('a', (s) => {
      expect(() => s.tags.push('x')).toThrow(TypeError)
      expect(() => Object.assign(s, { n: 9 })).toThrow(TypeError)
      return { seen: ['a'] }
    })
    .addNode('b', (s) => ({ seen: [`${s.tags.join()}/${s.n}`] }))
    .addEdge(START, 'a')
    .addEdge(START, 'b')
    .compile()
  expect(await graph.invoke({ tags: ['t'], n: 1 })).toEqual({ tags: ['t'], n: 1, seen: ['a', 't/1'] })
})

test('what a caller or a node still holds of an update cannot change the state later', async () => {
  const held = { list: ['in'] }
  const made = ['made']
  const graph = new StateGraph(state({ list: value<string[]>(), other: value<string[]>() }))
    .addNode('a', () => {
      held.list.push('late')
      return { other: made }
    })
    .addNode('b', () => {
      made.push('late')
      return {}
    })
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile()
  expect(await graph.invoke(held)).toEqual({ list: ['in'], other: ['made'] })
})
