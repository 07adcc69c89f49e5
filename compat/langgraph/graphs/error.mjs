import { StateGraph, MessagesAnnotation, START } from '@langchain/langgraph'
import { Fake } from './shared.mjs'
const model = new Fake({ replies: [{ text: 'about to fail' }] })
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('model', async (s, cfg) => ({ messages: [await model.invoke(s.messages, cfg)] }))
  .addNode('boom', async () => {
    throw new TypeError('kaboom: database unreachable')
  })
  .addEdge(START, 'model')
  .addEdge('model', 'boom')
  .compile()
