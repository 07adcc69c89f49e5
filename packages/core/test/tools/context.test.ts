import { expect, test } from 'vitest'
import { messages, START, state, StateGraph, tool, toolNode, value } from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'
import { asking } from './tool-graphs.ts'

failOnSurprises()

const calls = { messages: [asking([{ id: 'c', name: 'look' }])] }
const graphOf = (look: Parameters<typeof tool>[0]) =>
  new StateGraph(state({ messages: messages(), mood: value<string>() }))
    .addNode('tools', toolNode([tool(look, { name: 'look', description: 'looks' })]), { tags: ['node'] })
    .addEdge(START, 'tools')
    .compile()

test("a tool reads the state, the caller's context, and where it runs", async () => {
  const seen: unknown[] = []
  const graph = graphOf((_args, ctx) => {
    const { mood } = ctx.state as { mood: string }
    seen.push(mood, ctx.context, ctx.node, ctx.step, ctx.toolCallId, ctx.tags, ctx.metadata, ctx.runId, ctx.threadId)
  })
  const options = { context: { user: 'Ann' }, tags: ['run'], metadata: { plan: 'free' }, runId: 'r1', threadId: 't1' }
  await graph.invoke({ ...calls, mood: 'glad' }, options)
  expect(seen).toEqual(['glad', { user: 'Ann' }, 'tools', 1, 'c', ['run', 'node'], { plan: 'free' }, 'r1', 't1'])
})

test('what a tool does to the state it reads, or to what it returned, changes nothing', async () => {
  const returned = { list: [1] }
  const graph = graphOf((_args, ctx) => {
    expect(() => (ctx.state as { messages: unknown[] }).messages.pop()).toThrow(TypeError)
    return returned
  })
  const events = await all(graph.events({ ...calls, mood: 'glad' }))
  returned.list.push(2)
  expect(ofType(events, 'tool.end')).toMatchObject([{ output: { list: [1] } }])
})

test('a message that a tool shows appears at once, as its node', async () => {
  const graph = graphOf((_args, ctx) => void ctx.pushMessage({ role: 'assistant', content: 'look at this' }))
  const seen = []
  for await (const [chunk, { langgraph_node }] of graph.stream(calls, { streamMode: 'messages' }))
    seen.push([langgraph_node, chunk.role, chunk.content])
  expect(seen).toEqual([
    ['tools', 'assistant', 'look at this'],
    ['tools', 'tool', 'null'],
  ])
})
