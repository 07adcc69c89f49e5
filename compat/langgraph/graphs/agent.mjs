import { StateGraph, MessagesAnnotation, START } from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { tool } from '@langchain/core/tools'
import { z } from 'zod'
import { Fake, sleep } from './shared.mjs'
const weather = tool(
  async ({ city }, cfg) => {
    for (let i = 1; i <= 3; i++) {
      cfg.writer?.({ type: 'progress', tool: 'get_weather', done: i, total: 3 })
      await sleep(10)
    }
    return JSON.stringify({ city, temp: 64 })
  },
  { name: 'get_weather', description: 'w', schema: z.object({ city: z.string() }) },
)
const model = new Fake({
  replies: [
    {
      text: 'Let me check.',
      tool_calls: [{ id: 'call_1', name: 'get_weather', args: { city: 'SF' }, type: 'tool_call' }],
    },
    { text: 'It is 64F in SF.' },
  ],
})
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('agent', async (s, cfg) => ({ messages: [await model.invoke(s.messages, cfg)] }))
  .addNode('tools', new ToolNode([weather]))
  .addEdge(START, 'agent')
  .addConditionalEdges('agent', toolsCondition)
  .addEdge('tools', 'agent')
  .compile()
