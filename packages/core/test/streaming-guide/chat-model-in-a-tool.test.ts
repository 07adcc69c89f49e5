import { expect, test } from 'vitest'
import { z } from 'zod'
import { messages, START, state, StateGraph, tool, toolNode } from '../../src/index.ts'
import { all } from '../reading.ts'

/** A provider's own client, in the shape that many have. */
async function* streamTokens(content: string) {
  for (const token of content.split(/(?= )/)) yield await Promise.resolve({ role: 'assistant', content: token })
}

const getItems = tool(
  async ({ place }, ctx) => {
    let response = ''
    for await (const chunk of streamTokens(`Items in the ${place}: a lamp and a rug`)) {
      response += chunk.content
      ctx.writer(chunk)
    }
    return response
  },
  {
    name: 'get_items',
    description: 'Lists the items one might find in a place you are asked about.',
    schema: z.object({ place: z.string() }),
  },
)

test('a chat model that a tool calls by itself streams through the writer, and its whole answer is the output', async () => {
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('callTool', toolNode([getItems]))
    .addEdge(START, 'callTool')
    .compile()
  const input = {
    messages: [
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: '1', name: 'get_items', args: '{"place":"bedroom"}' }],
      },
    ],
  }
  const entries = await all(graph.stream(input, { streamMode: ['custom', 'updates'] }))
  expect(entries.slice(0, -1)).toEqual(
    ['Items', ' in', ' the', ' bedroom:', ' a', ' lamp', ' and', ' a', ' rug'].map((content) => [
      'custom',
      { role: 'assistant', content },
    ]),
  )
  expect(entries.at(-1)).toMatchObject([
    'updates',
    { callTool: { messages: [{ role: 'tool', toolCallId: '1', content: 'Items in the bedroom: a lamp and a rug' }] } },
  ])
})
