import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client } from '@langchain/langgraph-sdk'
import { PAUSED } from './graphs.mjs'
import { startRivulet } from './server.mjs'

/** @typedef {Awaited<ReturnType<typeof startRivulet>>} Server */

/** @type {Server} */
let server
/** @type {Client} */
let client
before(async () => {
  server = await startRivulet()
  client = new Client({ apiUrl: server.url, callerOptions: { maxRetries: 0 } })
})
after(async () => {
  await server.close()
  // What the node of that graph throws is told to the operator, and nothing else was.
  assert.deepEqual(new Set(server.errors.map(String)), new Set(['RivuletError: kaboom']))
})

/** @param {string} content */
const saying = (content) => ({ messages: [{ type: 'human', content }] })

/**
 * @template T
 * @param {AsyncIterable<T>} stream
 * @returns {Promise<T[]>}
 */
async function all(stream) {
  const parts = []
  for await (const part of stream) parts.push(part)
  return parts
}

/**
 * What a reader who adds up chunks has in the end.
 *
 * @param {{ event: string; data: any }[]} parts
 */
function textIn(parts) {
  return parts
    .filter(({ event, data }) => event === 'messages' && data[0].type === 'ai')
    .map(({ data }) => data[0].content)
    .join('')
}

/** @param {{ event: string; data: any }[]} parts */
const lastValues = (parts) => parts.findLast(({ event }) => event === 'values')?.data

describe('Client of @langchain/langgraph-sdk', { concurrency: false }, () => {
  test('assistants.search, get, getGraph, getSchemas', async () => {
    const found = await client.assistants.search()
    assert.deepEqual(found.map(({ graph_id }) => graph_id).sort(), ['agent', 'ask', 'chat', 'fail', 'nested'])
    assert.equal((await client.assistants.get('chat')).assistant_id, 'chat')
    const { nodes } = await client.assistants.getGraph('agent')
    assert.deepEqual(
      nodes.map(({ id }) => id),
      ['__start__', 'model', 'tools', '__end__'],
    )
    assert.equal((await client.assistants.getSchemas('chat')).graph_id, 'chat')
  })

  test('threads.create, get, update, search, count, copy, delete', async () => {
    const thread = await client.threads.create({ metadata: { user: 'ann' }, graphId: 'chat' })
    assert.equal((await client.threads.get(thread.thread_id)).status, 'idle')
    const updated = await client.threads.update(thread.thread_id, { metadata: { title: 'x' } })
    assert.deepEqual(updated.metadata?.title, 'x')
    const found = await client.threads.search({ metadata: { user: 'ann' } })
    assert.deepEqual(
      found.map(({ thread_id }) => thread_id),
      [thread.thread_id],
    )
    assert.equal(await client.threads.count({ metadata: { user: 'ann' } }), 1)
    await client.runs.wait(thread.thread_id, 'chat', { input: saying('hi') })
    const copy = await client.threads.copy(thread.thread_id)
    assert.equal((await client.threads.getState(copy.thread_id)).values.messages.length, 2)
    await client.threads.delete(thread.thread_id)
    await assert.rejects(client.threads.get(thread.thread_id), /404/)
  })

  test('runs.stream: tokens, state, what nodes write, and the id of the run', async () => {
    const { thread_id } = await client.threads.create()
    let created
    const parts = await all(
      client.runs.stream(thread_id, 'chat', {
        input: saying('hi'),
        streamMode: ['values', 'messages-tuple', 'updates', 'custom'],
        onRunCreated: (run) => (created = run),
      }),
    )
    const { run_id } = parts[0].data
    assert.deepEqual(created, { run_id, thread_id })
    assert.equal(textIn(parts), 'you said: hi. That is all.')
    assert.equal(lastValues(parts).turns, 1)
    assert.deepEqual(
      lastValues(parts).messages.map(({ type }) => type),
      ['human', 'ai'],
    )
    assert.deepEqual(
      parts.filter(({ event }) => event === 'custom').map(({ data }) => data),
      [{ thinking: true }],
    )
    assert.equal(parts.find(({ event }) => event === 'updates')?.data.model.turns, 1)
    assert.equal(parts.at(-1)?.event, 'end')
  })

  test('runs.stream: tool calls, their progress and their answers', async () => {
    const parts = await all(
      client.runs.stream(null, 'agent', { input: saying('count'), streamMode: ['values', 'tools', 'custom'] }),
    )
    const tools = parts.filter(({ event }) => event === 'tools').map(({ data }) => data)
    assert.deepEqual(
      tools.map(({ event }) => event),
      ['on_tool_start', 'on_tool_event', 'on_tool_event', 'on_tool_event', 'on_tool_end'],
    )
    assert.deepEqual(tools[2].data, { done: 2, total: 3 })
    assert.ok(parts.some(({ event, data }) => event === 'custom' && data.note === 'counted'))
    const messages = lastValues(parts).messages
    assert.deepEqual(
      messages.map(({ type }) => type),
      ['human', 'ai', 'tool', 'ai'],
    )
    assert.equal(messages[1].tool_calls[0].name, 'count')
    assert.equal(messages[2].tool_call_id, messages[1].tool_calls[0].id)
  })

  test('runs.stream: subgraphs by namespace', async () => {
    const parts = await all(
      client.runs.stream(null, 'nested', { input: saying('hi'), streamMode: 'messages-tuple', streamSubgraphs: true }),
    )
    assert.ok(parts.some(({ event }) => event.startsWith('messages|child:')))
  })

  test('runs.stream: an error is told, and the thread says so', async () => {
    const { thread_id } = await client.threads.create()
    const parts = await all(client.runs.stream(thread_id, 'fail', { input: saying('x') }))
    assert.deepEqual(parts.find(({ event }) => event === 'error')?.data, {
      error: 'NODE_FAILED',
      message: 'node "model" failed',
    })
    assert.equal((await client.threads.get(thread_id)).status, 'error')
    await assert.rejects(client.runs.wait(thread_id, 'fail', { input: saying('x') }), /NODE_FAILED/)
  })

  test('a question stands in the state and is answered with a command', async () => {
    const { thread_id } = await client.threads.create()
    const asked = await all(client.runs.stream(thread_id, 'ask', { input: saying('go') }))
    assert.deepEqual(lastValues(asked).__interrupt__[0].value, { question: 'Approve?' })
    const state = await client.threads.getState(thread_id)
    assert.deepEqual(state.next, ['review'])
    assert.deepEqual(state.tasks[0].interrupts[0].value, { question: 'Approve?' })
    assert.equal((await client.threads.get(thread_id)).status, 'interrupted')
    const values = await client.runs.wait(thread_id, 'ask', { command: { resume: { ok: true } } })
    assert.deepEqual(values.decision, { ok: true })
    assert.deepEqual((await client.threads.getState(thread_id)).next, [])
  })

  test('threads.getHistory, getState at a checkpoint, updateState, and a fork', async () => {
    const { thread_id } = await client.threads.create()
    await client.runs.wait(thread_id, 'chat', { input: saying('one') })
    const history = await client.threads.getHistory(thread_id, { limit: 10 })
    assert.deepEqual(
      history.map(({ metadata }) => metadata?.step),
      [1, 0, -1],
    )
    const [, before] = history
    assert.deepEqual(await client.threads.getState(thread_id, before.checkpoint), before)
    assert.deepEqual(await client.threads.getState(thread_id, before.checkpoint.checkpoint_id ?? ''), before)
    const forked = await client.runs.wait(thread_id, 'chat', {
      input: { messages: [{ ...before.values.messages[0], content: 'two' }] },
      checkpoint: { checkpoint_id: history[2].checkpoint.checkpoint_id, checkpoint_ns: '' },
    })
    assert.deepEqual(
      forked.messages.map(({ content }) => content),
      ['two', 'you said: two. That is all.'],
    )
    await client.threads.updateState(thread_id, { values: { turns: 41 }, asNode: 'model' })
    assert.equal((await client.threads.getState(thread_id)).values.turns, 41)
  })

  test('runs.create, get, list, join, and a second run that waits or is refused', async () => {
    server.gate.shut()
    const { thread_id } = await client.threads.create()
    const run = await client.runs.create(thread_id, 'chat', { input: saying('slowly') })
    assert.equal((await client.runs.get(thread_id, run.run_id)).status, 'running')
    await assert.rejects(client.runs.create(thread_id, 'chat', { input: saying('x') }), /409/)
    const second = await client.runs.create(thread_id, 'chat', { input: saying('x'), multitaskStrategy: 'enqueue' })
    assert.equal(second.status, 'pending')
    server.gate.open()
    const values = await client.runs.join(thread_id, second.run_id)
    assert.equal(values.turns, 2)
    assert.deepEqual(
      (await client.runs.list(thread_id)).map(({ status }) => status),
      ['success', 'success'],
    )
  })

  test('runs.cancel stops a run, and its stream ends', async () => {
    server.gate.shut()
    const { thread_id } = await client.threads.create()
    const parts = []
    for await (const part of client.runs.stream(thread_id, 'chat', {
      input: saying('slowly'),
      streamMode: 'messages-tuple',
    })) {
      parts.push(part)
      if (part.event !== 'messages' || textIn(parts) !== PAUSED) continue
      await client.runs.cancel(thread_id, parts[0].data.run_id, true)
    }
    assert.equal(parts.at(-1)?.event, 'end')
    assert.equal(textIn(parts), PAUSED)
    assert.equal((await client.runs.get(thread_id, parts[0].data.run_id)).status, 'interrupted')
    assert.equal((await client.threads.getState(thread_id)).values.messages.at(-1).content, PAUSED)
    server.gate.open()
  })

  test('a client that leaves stops its run where it asked for that', async () => {
    server.gate.shut()
    const { thread_id } = await client.threads.create()
    const leave = new AbortController()
    let run = ''
    for await (const { event, data } of client.runs.stream(thread_id, 'chat', {
      input: saying('slowly'),
      onDisconnect: 'cancel',
      signal: leave.signal,
    })) {
      if (event === 'metadata') run = data.run_id
      else leave.abort()
    }
    await client.runs.join(thread_id, run)
    assert.equal((await client.runs.get(thread_id, run)).status, 'interrupted')
    server.gate.open()
  })

  test('runs.joinStream reads a run from its beginning, and from any event on', async () => {
    server.gate.shut()
    const { thread_id } = await client.threads.create()
    const { run_id } = await client.runs.create(thread_id, 'chat', {
      input: saying('slowly'),
      streamMode: ['values', 'messages-tuple'],
    })
    const parts = []
    for await (const part of client.runs.joinStream(thread_id, run_id)) {
      parts.push(part)
      if (textIn(parts) === PAUSED) server.gate.open()
    }
    assert.equal(textIn(parts), 'you said: slowly. That is all.')
    const last = parts.findIndex(({ event }) => event === 'end') - 1
    const again = await all(client.runs.joinStream(thread_id, run_id, { lastEventId: parts[last].id }))
    assert.deepEqual(
      again.map(({ event }) => event),
      ['end'],
    )
    const whole = await all(client.runs.joinStream(thread_id, run_id, { lastEventId: '-1' }))
    assert.equal(textIn(whole), textIn(parts))
    assert.deepEqual(lastValues(whole), lastValues(parts))
  })

  test('a line that is cut in the middle is taken up again by itself, with nothing lost or twice', async () => {
    server.gate.shut()
    const { thread_id } = await client.threads.create()
    const parts = []
    for await (const part of client.runs.stream(thread_id, 'chat', {
      input: saying('slowly'),
      streamMode: ['values', 'messages-tuple'],
    })) {
      parts.push(part)
      if (textIn(parts) !== PAUSED || part.event !== 'messages') continue
      assert.ok(server.cut() > 0)
      server.gate.open()
    }
    const values = lastValues(parts)
    assert.equal(values.messages.at(-1).content, 'you said: slowly. That is all.')
    assert.equal(parts.at(-1)?.event, 'end')
    assert.equal(new Set(parts.map(({ id }) => id)).size, parts.length)
  })

  test('runs.wait and runs.stream without a thread', async () => {
    const values = await client.runs.wait(null, 'chat', { input: saying('hi') })
    assert.equal(values.messages.at(-1).content, 'you said: hi. That is all.')
    const parts = await all(client.runs.stream(null, 'chat', { input: saying('hi') }))
    assert.equal(lastValues(parts).turns, 1)
  })
})
