import { expect, test } from 'vitest'
import { getWriter, messages, START, state, StateGraph, tool, toolNode, value } from '../../src/index.ts'
import { all } from '../reading.ts'

test('from a node: whatever it writes, when it writes it', async () => {
  const graph = new StateGraph(state({ query: value<string>(), answer: value<string>() }))
    .addNode('node', async (_state, ctx) => {
      ctx.writer({ customKey: 'Generating custom data inside node' })
      await Promise.resolve()
      getWriter()({ customKey: 'and through getWriter' })
      return { answer: 'some data' }
    })
    .addEdge(START, 'node')
    .compile()
  const entries = await all(graph.stream({ query: 'example' }, { streamMode: ['custom', 'updates'] }))
  expect(entries).toEqual([
    ['custom', { customKey: 'Generating custom data inside node' }],
    ['custom', { customKey: 'and through getWriter' }],
    ['updates', { node: { answer: 'some data' } }],
  ])
})

test('from a tool: its writes carry the id of its call', async () => {
  const queryDatabase = tool(
    ({ query }: { query: string }, ctx) => {
      ctx.writer({ data: 'Retrieved 0/100 records', type: 'progress' })
      ctx.writer({ data: 'Retrieved 100/100 records', type: 'progress' })
      return `some answer to ${query}`
    },
    { name: 'query_database', description: 'Query the database.' },
  )
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([queryDatabase]))
    .addEdge(START, 'tools')
    .compile()
  const asks = {
    role: 'assistant',
    content: '',
    toolCalls: [{ id: 'call_1', name: 'query_database', args: '{"query":"cats"}' }],
  }
  const written = [
    { data: 'Retrieved 0/100 records', type: 'progress' },
    { data: 'Retrieved 100/100 records', type: 'progress' },
  ]
  expect(await all(graph.stream({ messages: [asks] }, { streamMode: 'custom' }))).toEqual(written)
  const events = await all(graph.events({ messages: [asks] }))
  expect(
    events.flatMap((event) => (event.type === 'custom' ? [[event.toolCallId, event.node, event.data]] : [])),
  ).toEqual(written.map((data) => ['call_1', 'tools', data]))
})
