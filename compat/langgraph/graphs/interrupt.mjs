import { StateGraph, Annotation, MessagesAnnotation, START, interrupt } from '@langchain/langgraph'
import { AIMessage } from '@langchain/core/messages'
const S = Annotation.Root({ ...MessagesAnnotation.spec, decision: Annotation })
export const graph = new StateGraph(S)
  .addNode('ask', async () => {
    const d = interrupt({ question: 'Approve?' })
    return { decision: d, messages: [new AIMessage({ id: 'ai-final', content: 'decision: ' + JSON.stringify(d) })] }
  })
  .addEdge(START, 'ask')
  .compile()
