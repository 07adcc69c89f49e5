import { RivuletError } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { END, START, state, StateGraph, value, type CompileOptions } from '../../src/index.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const builder = () => new StateGraph(state({ n: value<number>() })).addNode('a', () => ({}))

/** What a call throws: its code and sentence. */
function thrownBy(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof RivuletError ? `${error.code}: ${error.message}` : String(error)
  }
  return 'nothing'
}

// Names are strings here, as in plain JavaScript: types would refuse them.
const loose = (name: string) => name as 'a'
const compiled = (graph: { compile(options?: CompileOptions): unknown }, options?: CompileOptions) =>
  thrownBy(() => graph.compile(options))

describe('compile() refuses', () => {
  test('a graph without nodes', () => {
    expect(compiled(new StateGraph(state({ n: value<number>() })))).toBe(
      'INVALID_GRAPH: the graph has no nodes: add one with addNode(name, fn)',
    )
  })

  test('a graph that nothing enters', () => {
    expect(compiled(builder())).toMatch(/^INVALID_GRAPH: nothing runs first: add an edge from START/)
  })

  test.each([
    ['an edge to an unknown node', builder().addEdge(START, 'a').addEdge('a', loose('b'))],
    ['an edge from an unknown node', builder().addEdge(START, 'a').addEdge(loose('b'), 'a')],
    [
      'a join from an unknown node',
      builder()
        .addEdge(START, 'a')
        .addEdge(['a', loose('b')], END),
    ],
    [
      'a join to an unknown node',
      builder()
        .addNode('c', () => ({}))
        .addEdge(START, 'a')
        .addEdge(['a', 'c'], loose('b')),
    ],
    [
      'a conditional edge from an unknown node',
      builder()
        .addEdge(START, 'a')
        .addConditionalEdges(loose('b'), () => END),
    ],
    ['a map that leads to an unknown node', builder().addConditionalEdges(START, () => 'x', { x: loose('b') })],
    ['a list of targets with an unknown node', builder().addConditionalEdges(START, () => 'a', [loose('b')])],
  ])('%s, naming it, saying what to do and what there is', (_what, graph) => {
    expect(compiled(graph)).toMatch(
      /^INVALID_GRAPH: .*"b", which is no node: add it with addNode\("b", …\), or use one of: a/,
    )
  })

  test('an edge into the start and one out of the end', () => {
    expect(
      compiled(
        builder()
          .addEdge(START, 'a')
          .addEdge('a', START as typeof END),
      ),
    ).toMatch(/leads from "a" to "__start__"/)
    expect(
      compiled(
        builder()
          .addEdge(START, 'a')
          .addEdge(END as typeof START, 'a'),
      ),
    ).toMatch(/begins at "__end__"/)
  })

  test('interrupts set at unknown nodes', () => {
    const graph = builder().addEdge(START, 'a')
    expect(compiled(graph, { interruptBefore: ['b'] })).toMatch(/an interrupt is set at "b", which is no node/)
    expect(compiled(graph, { interruptAfter: ['b'] })).toMatch(/an interrupt is set at "b", which is no node/)
    expect(compiled(graph, { interruptAfter: ['*', 'a'] })).toBe('nothing')
  })

  test('input and output keys the state does not have', () => {
    const graph = (options: { input?: string[]; output?: string[] }) =>
      new StateGraph(state({ n: value<number>() }), options).addNode('a', () => ({})).addEdge(START, 'a')
    expect(compiled(graph({ input: ['m'] }))).toMatch(
      /"m" is named as input or output but is no state key; there are: n/,
    )
    expect(compiled(graph({ output: ['m'] }))).toMatch(/"m" is named as input or output/)
  })
})

describe('the builder refuses', () => {
  test('a node added twice', () => {
    expect(thrownBy(() => builder().addNode('a', () => ({})))).toBe('INVALID_GRAPH: node "a" was added twice')
  })

  test.each(['', START, END, 'a|b', 'a:b'])('the name %j', (name) => {
    expect(thrownBy(() => builder().addNode(name, () => ({})))).toMatch(/^INVALID_GRAPH: .*cannot be a node's name/)
  })

  test('a node that is neither a function nor a graph', () => {
    expect(thrownBy(() => builder().addNode('b', {} as never))).toBe(
      'INVALID_GRAPH: node "b" is neither a function nor a compiled graph',
    )
  })

  test('an edge from nowhere', () => {
    expect(thrownBy(() => builder().addEdge([], 'a'))).toBe('INVALID_GRAPH: an edge to "a" begins nowhere')
  })

  test('a state key that is neither a field nor a schema', () => {
    expect(thrownBy(() => state({ n: {} }))).toBe(
      'INVALID_GRAPH: state key "n" is neither a field nor a Standard Schema',
    )
  })
})

test('a compiled graph does not change when its builder goes on', async () => {
  const open = builder().addEdge(START, 'a')
  const before = open.compile()
  open.addNode('late', () => ({ n: 9 })).addEdge('a', 'late')
  expect(await before.invoke({ n: 1 })).toEqual({ n: 1 })
  expect(await open.compile().invoke({ n: 1 })).toEqual({ n: 9 })
})

test('an unknown stream mode is refused, naming what there is', () => {
  const graph = builder().addEdge(START, 'a').compile()
  expect(thrownBy(() => graph.stream({}, { streamMode: 'vals' as 'values' }))).toMatch(
    /^INVALID_INPUT: there is no stream mode "vals"; there are: values, updates/,
  )
})
