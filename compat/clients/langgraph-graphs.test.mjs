import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MemorySaver } from '@langchain/langgraph'
import { Client } from '@langchain/langgraph-sdk'
import { graph as agent } from '../langgraph/graphs/agent.mjs'
import { graph as chat } from '../langgraph/graphs/chat.mjs'
import { graph as interrupt } from '../langgraph/graphs/interrupt.mjs'
import { startRivulet } from './server.mjs'

/** @type {Awaited<ReturnType<typeof startRivulet>>} */
let server
/** @type {Client} */
let client
before(async () => {
  // As LangGraph's own server does it.
  for (const graph of [agent, chat, interrupt]) graph.checkpointer = new MemorySaver()
  server = await startRivulet({ theirAgent: agent, theirChat: chat, theirQuestion: interrupt })
  client = new Client({ apiUrl: server.url, callerOptions: { maxRetries: 0 } })
})
after(async () => {
  await server.close()
  assert.deepEqual(server.errors, [])
})

const saying = (/** @type {string} */ content) => ({ messages: [{ type: 'human', content }] })

/** @param {any} options */
async function streamed(thread, graph, options) {
  const parts = []
  for await (const part of client.runs.stream(thread, graph, options)) parts.push(/** @type {any} */ (part))
  return parts
}

describe('graphs of LangGraph.js behind this server, with LangGraph’s Client before it', { concurrency: false }, () => {
  test('a chat: tokens, state, history and a second turn', async () => {
    const { thread_id } = await client.threads.create()
    const parts = await streamed(thread_id, 'theirChat', {
      input: saying('hi'),
      streamMode: ['messages-tuple', 'values'],
    })
    const chunks = parts.filter(({ event, data }) => event === 'messages' && data[0].type === 'ai')
    assert.equal(chunks.map(({ data }) => data[0].content).join(''), 'Hello there, human friend.')
    assert.equal(chunks[0].data[1].langgraph_node, 'model')
    await client.runs.wait(thread_id, 'theirChat', { input: saying('again') })
    const { values } = await client.threads.getState(thread_id)
    assert.deepEqual(
      values.messages.map(({ type }) => type),
      ['human', 'ai', 'human', 'ai'],
    )
    assert.ok((await client.threads.getHistory(thread_id)).length > 4)
  })

  test('an agent: tool calls, and what a tool writes', async () => {
    const { thread_id } = await client.threads.create()
    const parts = await streamed(thread_id, 'theirAgent', {
      input: saying('weather?'),
      streamMode: ['values', 'custom'],
    })
    const written = parts.filter(({ event }) => event === 'custom').map(({ data }) => data.done)
    assert.deepEqual(written, [1, 2, 3])
    const { messages } = parts.findLast(({ event }) => event === 'values').data
    assert.deepEqual(
      messages.map(({ type }) => type),
      ['human', 'ai', 'tool', 'ai'],
    )
    assert.deepEqual(messages[1].tool_calls[0].args, { city: 'SF' })
  })

  test('a question and its answer', async () => {
    const { thread_id } = await client.threads.create()
    const asked = await streamed(thread_id, 'theirQuestion', { input: saying('go') })
    assert.deepEqual(asked.findLast(({ event }) => event === 'values').data.__interrupt__[0].value, {
      question: 'Approve?',
    })
    const values = await client.runs.wait(thread_id, 'theirQuestion', { command: { resume: { ok: true } } })
    assert.deepEqual(values.decision, { ok: true })
  })
})
