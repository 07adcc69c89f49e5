import { core } from '../production.mjs'
import { sketch } from '../sketch/engine.mjs'
import { conversation, merged, message } from './conversation.mjs'

/** @typedef {import('./conversation.mjs').Message} Message */

/**
 * A loop whose every step appends one message to a list that begins with `history` messages. `beforeStep` is called
 * with the number of messages appended so far, from 0, and once more after the last.
 *
 * @typedef {{ history: number, steps: number, beforeStep: (appended: number) => void }} Growth
 */

/** @param {Growth} growth */
export async function* byHand({ history, steps, beforeStep }) {
  let list = conversation(history)
  while (list.length < history + steps) {
    beforeStep(list.length - history)
    const update = await Promise.resolve([message(list.length)])
    list = [...list, ...update]
    yield { append: { messages: update } }
  }
  beforeStep(steps)
}

/**
 * @param {Growth} growth
 * @param {Partial<{ messages: readonly Message[] }>[]} [checkpoints]
 */
export function sketched({ history, steps, beforeStep }, checkpoints) {
  /** @type {import('../sketch/engine.mjs').Engine<{ messages: readonly Message[] }>} */
  const engine = {
    nodes: {
      append: ({ messages }) => {
        beforeStep(messages.length - history)
        return { messages: [message(messages.length)] }
      },
    },
    reducers: { messages: merged },
    route: ({ messages }) => {
      if (messages.length < history + steps) return [{ node: 'append' }]
      beforeStep(steps)
      return []
    },
    ...(checkpoints && { checkpoints }),
  }
  return sketch(engine, { messages: conversation(history) }, ['updates'])
}

/**
 * @param {Growth} growth
 * @param {import('../../../packages/core/dist/index.js').Checkpointer} [checkpointer]
 */
export async function ours({ history, steps, beforeStep }, checkpointer) {
  const { END, messages, START, state, StateGraph } = await core()
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('append', ({ messages }) => {
      beforeStep(messages.length - history)
      return { messages: message(messages.length) }
    })
    .addEdge(START, 'append')
    .addConditionalEdges('append', ({ messages }) => {
      if (messages.length < history + steps) return 'append'
      beforeStep(steps)
      return END
    })
    .compile(checkpointer && { checkpointer })
  const input = { messages: conversation(history) }
  return (/** @type {string} */ threadId) =>
    graph.stream(input, { streamMode: 'updates', recursionLimit: steps + 1, ...(checkpointer && { threadId }) })
}

/**
 * @param {Growth} growth
 * @param {import('@langchain/langgraph').BaseCheckpointSaver} [checkpointer]
 */
export async function langgraph({ history, steps, beforeStep }, checkpointer) {
  const { END, MessagesAnnotation, START, StateGraph } = await import('@langchain/langgraph')
  const { AIMessage, HumanMessage } = await import('@langchain/core/messages')
  const instance = (/** @type {Message} */ { id, role, content }) =>
    role === 'user' ? new HumanMessage({ id, content }) : new AIMessage({ id, content })
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('append', ({ messages }) => {
      beforeStep(messages.length - history)
      return { messages: [instance(message(messages.length))] }
    })
    .addEdge(START, 'append')
    .addConditionalEdges('append', ({ messages }) => {
      if (messages.length < history + steps) return 'append'
      beforeStep(steps)
      return END
    })
    .compile(checkpointer && { checkpointer })
  const input = { messages: conversation(history).map(instance) }
  return (/** @type {string} */ threadId) =>
    graph.stream(input, {
      streamMode: 'updates',
      recursionLimit: steps + 1,
      ...(checkpointer && { configurable: { thread_id: threadId } }),
    })
}
