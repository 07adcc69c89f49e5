import { expect, test } from 'vitest'
import { getContext, getWriter, messages, reduced, START, state, StateGraph, tool, toolNode } from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { all, ofType } from '../reading.ts'
import { asking } from '../tools/tool-graphs.ts'
import { failOnSurprises } from '../watch-process.ts'

// What nodes and tools find without being given it: only where the platform has AsyncLocalStorage.
failOnSurprises()

test('a tool that a node calls as a function writes as that node', async () => {
  const talkative = tool((_args, ctx) => ctx.writer('from the tool'), { name: 't', description: 'talks' })
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('node', () => talkative.invoke({}))
    .addEdge(START, 'node')
    .compile()
  expect(ofType(await all(graph.events({ messages: [] })), 'custom')).toMatchObject([
    { node: 'node', data: 'from the tool' },
  ])
})

test('getWriter() and getContext() find the node they are called in, over awaits and in parallel', async () => {
  const gates = [gate(), gate()]
  const work = async (i: number) => {
    await gates[i]!.opened
    getWriter()(`from ${getContext().node}`)
  }
  const graph = new StateGraph(state({ log: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }) }))
    .addNode('one', () => work(0))
    .addNode('two', () => work(1))
    .addEdge(START, 'one')
    .addEdge(START, 'two')
    .compile()
  const reading = all(graph.events({}))
  await settle()
  gates[1]!.open()
  await settle()
  gates[0]!.open()
  expect(ofType(await reading, 'custom').map(({ node, data }) => [node, data])).toEqual([
    ['two', 'from two'],
    ['one', 'from one'],
  ])
})

test('a generator of a tool finds its call without ctx', async () => {
  const steps = tool(
    async function* () {
      yield 1
      getWriter()('from within')
      return await Promise.resolve('end')
    },
    { name: 'steps', description: 'steps' },
  )
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([steps]))
    .addEdge(START, 'tools')
    .compile()
  const events = await all(graph.events({ messages: [asking([{ id: 'c', name: 'steps' }])] }))
  expect(ofType(events, 'custom').map(({ data, toolCallId }) => [data, toolCallId])).toEqual([
    [1, 'c'],
    ['from within', 'c'],
  ])
})
