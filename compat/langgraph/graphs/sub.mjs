import { StateGraph, MessagesAnnotation, START } from '@langchain/langgraph'
import { Fake } from './shared.mjs'
const m1 = new Fake({ replies: [{ text: 'inner words here' }] })
const m2 = new Fake({ replies: [{ text: 'inner words here' }, { text: 'outer words here' }] })
const inner = new StateGraph(MessagesAnnotation)
  .addNode('think', async (s, cfg) => {
    cfg.writer?.({ note: 'from inner' })
    return { messages: [await m1.invoke(s.messages, cfg)] }
  })
  .addEdge(START, 'think')
  .compile()
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('child', inner)
  .addNode('speak', async (s, cfg) => ({ messages: [await m2.invoke(s.messages, cfg)] }))
  .addEdge(START, 'child')
  .addEdge('child', 'speak')
  .compile()
