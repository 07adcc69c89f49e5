import { StateGraph, MessagesAnnotation, START } from '@langchain/langgraph'
import { Fake } from './shared.mjs'
const model = new Fake({ replies: [{ text: 'Hello there, human friend.' }] })
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('model', async (s, cfg) => ({ messages: [await model.invoke(s.messages, { ...cfg, tags: ['chatty'] })] }))
  .addEdge(START, 'model')
  .compile()
