import { StateGraph, MessagesAnnotation, START } from '@langchain/langgraph'
import { Fake } from './shared.mjs'
const model = new Fake({ delay: 100, replies: [{ text: Array.from({ length: 40 }, (_, i) => 'w' + i).join(' ') }] })
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('model', async (s, cfg) => ({ messages: [await model.invoke(s.messages, cfg)] }))
  .addEdge(START, 'model')
  .compile()
