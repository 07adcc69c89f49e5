import { expect, test, vi } from 'vitest'

// As in a browser: there is no AsyncLocalStorage to find a context with.
vi.hoisted(() => {
  if ('process' in globalThis) process.getBuiltinModule = () => undefined
})

import { getWriter, scriptedModel, START, state, StateGraph, value } from '../../src/index.ts'
import { all, rejection } from '../reading.ts'

const model = scriptedModel(() => 'a joke')

test("a model that is given the node's context streams as that node", async () => {
  const graph = new StateGraph(state({ topic: value<string>(), joke: value<string>() }))
    .addNode('callModel', async ({ topic }, ctx) => ({
      joke: (await model.invoke(`Write a joke about ${topic}`, { ctx })).content,
    }))
    .addEdge(START, 'callModel')
    .compile()
  const chunks = await all(graph.stream({ topic: 'ice cream' }, { streamMode: 'messages' }))
  expect(chunks.map(([{ content }, { langgraph_node }]) => [langgraph_node, content])).toEqual([
    ['callModel', 'a'],
    ['callModel', ' joke'],
  ])
})

test('a graph that a node runs by its context streams below it', async () => {
  const child = new StateGraph(state({ x: value<string>() }))
    .addNode('inner', (_state, ctx) => {
      ctx.writer('from below')
      return { x: 'y' }
    })
    .addEdge(START, 'inner')
    .compile()
  const graph = new StateGraph(state({ x: value<string>() }))
    .addNode('outer', (_state, ctx) => ctx.run(child, { x: '' }))
    .addEdge(START, 'outer')
    .compile()
  const entries = await all(graph.stream({ x: '' }, { streamMode: 'custom', subgraphs: true }))
  expect(entries).toEqual([[[expect.stringMatching(/^outer:/)], 'from below']])
})

test('what would have to find the context says what to do instead', async () => {
  const graph = new StateGraph(state({ x: value<string>() }))
    .addNode('node', () => {
      getWriter()('lost')
      return {}
    })
    .addEdge(START, 'node')
    .compile()
  expect(await rejection(graph.invoke({ x: '' }))).toMatchObject({
    code: 'NO_CONTEXT',
    message: "getWriter() needs AsyncLocalStorage, which this platform does not have: use the node's ctx instead",
  })
})
