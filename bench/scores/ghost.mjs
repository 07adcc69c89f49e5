import { AIMessageChunk } from '@langchain/core/messages'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import * as rivulet from '../../packages/core/dist/index.js'

/**
 * What a page shows in the end after a model that broke off after `ghost ` and, tried again by its node, said `real`.
 *
 * @type {Readonly<Record<string, () => Promise<string>>>}
 */
export const ghosts = { Rivulet: ours, 'LangGraph 1.7.3': langGraph }

async function ours() {
  const model = rivulet.scriptedModel([{ text: ['ghost ', 'more'], failAfter: 1 }, 'real'])
  const graph = new rivulet.StateGraph(rivulet.state({ messages: rivulet.messages() }))
    .addNode('talk', async ({ messages }) => ({ messages: [await model.invoke(messages)] }), {
      retry: { attempts: 2, delayMs: 1, jitter: false },
    })
    .addEdge(rivulet.START, 'talk')
    .compile()
  const { createClient, inProcess } = await import('../../packages/client/dist/index.js')
  const thread = createClient({ transport: inProcess(graph) }).thread({ graph: 'g', threadId: 't' })
  await thread.submit({ messages: 'hi' }).result
  const { messages } = thread.getSnapshot()
  thread.dispose()
  return messages
    .slice(1)
    .map(({ content }) => content)
    .join(' / ')
}

async function langGraph() {
  let attempt = 0
  class Breaking extends FakeListChatModel {
    /** @param {any} _messages @param {any} _options @param {any} manager */
    async *_streamResponseChunks(_messages, _options, manager) {
      const isFirst = attempt++ === 0
      const said = isFirst ? 'ghost ' : 'real'
      const message = new AIMessageChunk({ content: said, id: `run-${attempt}` })
      await manager?.handleLLMNewToken(said, undefined, undefined, undefined, undefined, {
        chunk: { text: said, message },
      })
      yield /** @type {any} */ ({ text: said, message })
      if (isFirst) throw new Error('the provider hung up')
    }
  }
  const model = new Breaking({ responses: ['x'] })
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('talk', async ({ messages }) => ({ messages: [await model.invoke(messages)] }), {
      retryPolicy: { maxAttempts: 2, initialInterval: 1, jitter: false, retryOn: () => true },
    })
    .addEdge(START, 'talk')
    .addEdge('talk', END)
    .compile()
  /** @type {Map<string, string>} as a page keeps them: by id, pieces appended */
  const shown = new Map()
  const stream = await graph.stream({ messages: [{ role: 'user', content: 'hi' }] }, { streamMode: 'messages' })
  for await (const [{ id = '', content }] of stream)
    shown.set(id, (shown.get(id) ?? '') + (typeof content === 'string' ? content : ''))
  return [...shown.values()].join(' / ')
}
