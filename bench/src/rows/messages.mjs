import { setImmediate } from 'node:timers/promises'
import { core } from '../production.mjs'
import { context, sketch } from '../sketch/engine.mjs'
import { atMost, drain } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */

const TOKEN = 'token '

/** Tokens that a read of the network brings. */
const BURST = 50

/**
 * What every subject streams: an await a token and a turn of the event loop a burst, as a socket gives them. Without
 * these turns no reader would run before the end, and the peer's queue would cost six times what its engine does.
 *
 * @param {number} tokens
 */
async function* source(tokens) {
  for (let i = 0; i < tokens; i++) {
    if (i % BURST === 0) await setImmediate()
    yield TOKEN
  }
}

/** @param {number} tokens */
async function* byHand(tokens) {
  const metadata = { node: 'answer', step: 1 }
  let content = ''
  for await (const text of source(tokens)) {
    content += text
    yield [{ id: 'm1', role: 'assistant', content: text }, metadata]
  }
  if (content.length !== tokens * TOKEN.length) throw new Error('text was lost')
}

/** @param {number} tokens */
function sketched(tokens) {
  return {
    nodes: {
      answer: async () => {
        const ctx = context.getStore()
        const metadata = { node: ctx?.node, step: ctx?.step }
        let content = ''
        for await (const text of source(tokens)) {
          content += text
          ctx?.put('messages', [{ id: 'm1', role: 'assistant', content: text }, metadata])
        }
        return { messages: [{ id: 'm1', role: 'assistant', content }] }
      },
    },
    reducers: {},
    /** @param {object} _ @param {string | undefined} after */
    route: (_, after) => (after === undefined ? [{ node: 'answer' }] : []),
  }
}

/** @param {number} tokens */
async function ours(tokens) {
  const { fromAsyncIterable, messages, START, state, StateGraph } = await core()
  const model = fromAsyncIterable(() => source(tokens))
  return new StateGraph(state({ messages: messages() }))
    .addNode('answer', async ({ messages }) => ({ messages: await model.invoke(messages) }))
    .addEdge(START, 'answer')
    .compile()
}

/** @param {number} tokens */
export async function langgraph(tokens) {
  const { MessagesAnnotation, START, StateGraph } = await import('@langchain/langgraph')
  const { BaseChatModel } = await import('@langchain/core/language_models/chat_models')
  const { AIMessageChunk } = await import('@langchain/core/messages')
  const { ChatGenerationChunk } = await import('@langchain/core/outputs')

  class Source extends BaseChatModel {
    /** @override */
    _llmType() {
      return 'source'
    }

    /**
     * @override
     * @returns {Promise<never>}
     */
    async _generate() {
      throw new Error('the graph streams, so the model is asked to')
    }

    /**
     * @override
     * @param {unknown} _messages
     * @param {unknown} _options
     * @param {import('@langchain/core/callbacks/manager').CallbackManagerForLLMRun} [run]
     */
    async *_streamResponseChunks(_messages, _options, run) {
      for await (const text of source(tokens)) {
        const chunk = new ChatGenerationChunk({ message: new AIMessageChunk({ content: text }), text })
        yield chunk
        await run?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk })
      }
    }
  }
  const model = new Source({})
  return new StateGraph(MessagesAnnotation)
    .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addEdge(START, 'answer')
    .compile()
}

/**
 * @param {unknown} chunk `[message, metadata]`
 * @returns {boolean}
 */
function isToken(chunk) {
  return Array.isArray(chunk) && chunk[0].content === TOKEN
}

/** @param {number} tokens */
async function oursWork(tokens) {
  const graph = await ours(tokens)
  return () => drain(graph.stream({ messages: 'hello' }, { streamMode: 'messages' }), isToken)
}

/** @type {Row[]} */
export const rows = [
  {
    name: 'messages/100000',
    unit: 'µs CPU a token',
    size: 100_000,
    smokeSize: 20,
    warmSize: 5_000,
    kind: 'cpu',
    subjects: {
      floor: async (tokens) => () => drain(byHand(tokens), isToken),
      sketch: async (tokens) => () => drain(sketch(sketched(tokens), {}, ['messages']), isToken),
      ours: oursWork,
      peer: async (tokens) => {
        const graph = await langgraph(tokens)
        const input = { messages: [{ role: 'user', content: 'hello' }] }
        return async () => drain(await graph.stream(input, { streamMode: 'messages' }), isToken)
      },
    },
    targets: [
      atMost('2.5 µs', () => 2.5),
      atMost('linear: 1.2 x a token of 10,000', (of) => of('ours', 'messages/10000') * 1.2),
    ],
  },
  {
    name: 'messages/10000',
    unit: 'µs CPU a token',
    size: 10_000,
    smokeSize: 20,
    kind: 'cpu',
    subjects: { ours: oursWork },
    targets: [],
  },
  {
    name: 'messages/unread',
    unit: 'µs CPU a token',
    size: 100_000,
    smokeSize: 20,
    warmSize: 5_000,
    kind: 'cpu',
    subjects: {
      floor: async (tokens) => async () => {
        let content = ''
        for await (const text of source(tokens)) content += text
        return content.length / TOKEN.length
      },
      ours: async (tokens) => {
        const graph = await ours(tokens)
        return async () => {
          const { messages } = await graph.invoke({ messages: 'hello' })
          return (messages.at(-1)?.content.length ?? 0) / TOKEN.length
        }
      },
    },
    targets: [atMost('1.1 x the model alone', (of) => of('ours', 'messages/model-alone') * 1.1)],
  },
  {
    name: 'messages/model-alone',
    unit: 'µs CPU a token, outside of a graph',
    size: 100_000,
    smokeSize: 20,
    warmSize: 5_000,
    kind: 'cpu',
    subjects: {
      ours: async (tokens) => {
        const { fromAsyncIterable } = await core()
        const model = fromAsyncIterable(() => source(tokens))
        return async () => (await model.invoke('hello')).content.length / TOKEN.length
      },
    },
    targets: [],
  },
]
