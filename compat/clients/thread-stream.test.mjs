import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { Client } from '@langchain/langgraph-sdk'
import { WebSocket } from 'ws'
import { startRivulet } from './server.mjs'

/** @type {Awaited<ReturnType<typeof startRivulet>>} */
let server
/** @type {Client} */
let client
/** @type {(() => unknown)[]} */
let open = []
before(async () => {
  server = await startRivulet()
  client = new Client({ apiUrl: server.url, callerOptions: { maxRetries: 0 } })
})
afterEach(async () => {
  server.gate.open()
  for (const close of open) await close()
  open = []
})
after(() => server.close())

const saying = (/** @type {string} */ content) => ({ messages: [{ type: 'human', content }] })

for (const transport of /** @type {const} */ (['sse', 'websocket'])) {
  /** @param {string} assistantId */
  const threadOf = (assistantId) => {
    const thread = client.threads.stream({
      assistantId,
      transport,
      reconnectDelayMs: () => 10,
      ...(transport === 'websocket' && { webSocketFactory: (/** @type {string} */ url) => new WebSocket(url) }),
    })
    open.push(() => thread.close())
    return thread
  }

  describe(`client.threads.stream of @langchain/langgraph-sdk over ${transport}`, { concurrency: false }, () => {
    test('run.start, messages, values, output', async () => {
      const thread = threadOf('chat')
      const { messages, values, output } = thread
      await thread.run.start({ input: saying('hi') })
      for await (const message of messages) {
        assert.equal(await message.text, 'you said: hi. That is all.')
        break
      }
      const states = []
      for await (const state of values) states.push(state)
      assert.equal(states.at(-1).turns, 1)
      assert.equal((await output).turns, 1)
    })

    test('toolCalls and their outputs', async () => {
      const thread = threadOf('agent')
      const { toolCalls } = thread
      await thread.run.start({ input: saying('count') })
      for await (const call of toolCalls) {
        assert.equal(call.name, 'count')
        assert.deepEqual(call.args, { to: 3 })
        assert.deepEqual(await call.output, { counted: 3 })
        break
      }
    })

    test('extensions: what nodes and tools write under a name', async () => {
      const thread = threadOf('agent')
      const { progress } = thread.extensions
      await thread.run.start({ input: saying('count') })
      assert.deepEqual(await progress, { done: 3, total: 3 })
    })

    test('interrupts and input.respond', async () => {
      const thread = threadOf('ask')
      const asked = await thread.subscribe(['input', 'lifecycle'])
      await thread.run.start({ input: saying('go') })
      for await (const event of asked) {
        if (event.method === 'lifecycle' && event.params.data.event === 'interrupted') break
      }
      assert.equal(thread.interrupted, true)
      const [{ interruptId, payload, namespace }] = thread.interrupts
      assert.deepEqual(payload, { question: 'Approve?' })
      await thread.input.respond({ interrupt_id: interruptId, namespace, response: { ok: true } })
      const [answered] = await client.runs.list(thread.threadId)
      const { decision } = await client.runs.join(thread.threadId, answered?.run_id ?? '')
      assert.deepEqual(decision, { ok: true })
    })

    test('state.get, state.listCheckpoints, state.fork, agent.getTree', async () => {
      const thread = threadOf('chat')
      const { output } = thread
      await thread.run.start({ input: saying('one') })
      await output
      const { values, checkpoint } = await thread.state.get({ namespace: [] })
      assert.equal(values.turns, 1)
      const { checkpoints } = await thread.state.listCheckpoints({})
      assert.deepEqual(
        checkpoints.map(({ step }) => step),
        [1, 0, -1],
      )
      assert.equal(checkpoints[0].id, checkpoint.id)
      const { tree } = await thread.agent.getTree()
      assert.deepEqual([tree.status, tree.children?.map(({ graph_name }) => graph_name)], ['completed', ['model']])
      const { run_id } = await thread.state.fork({ checkpoint_id: checkpoints.at(-1).id, input: saying('two') })
      const forked = await client.runs.join(thread.threadId, run_id)
      assert.deepEqual(
        forked.messages.map(({ content }) => content),
        ['two', 'you said: two. That is all.'],
      )
    })
  })
}

test('subscription.reconnect takes a lost socket’s subscriptions up where it was lost', async () => {
  const { thread_id } = await client.threads.create()
  /** A socket with its frames; resolves calls by their answers. */
  const dial = async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/threads/${thread_id}/stream/events`)
    await new Promise((resolve) => socket.once('open', resolve))
    open.push(() => socket.close())
    /** @type {any[]} */
    const received = []
    /** @type {Set<() => void>} */
    const waiting = new Set()
    socket.on('message', (data) => {
      received.push(JSON.parse(String(data)))
      for (const look of waiting) look()
    })
    const until = (/** @type {(one: any) => boolean} */ isIt) =>
      new Promise((resolve) => {
        const look = () => {
          const found = received.find(isIt)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      })
    let id = 0
    const send = (/** @type {string} */ method, /** @type {object} */ params) => {
      const own = ++id
      socket.send(JSON.stringify({ id: own, method, params }))
      return until((one) => one.id === own)
    }
    return { received, until, send }
  }
  const isOver = (/** @type {any} */ { method, params }) => method === 'lifecycle' && params.data.event === 'completed'
  server.gate.shut()
  const first = await dial()
  const { result } = await first.send('subscription.subscribe', {
    channels: ['lifecycle', 'messages'],
    namespaces: [[]],
  })
  const started = await first.send('run.start', { assistant_id: 'chat', input: saying('slowly') })
  const last = await first.until(({ params }) => params?.data?.delta?.text === 'slowly. ')
  server.cut()
  server.gate.open()
  const second = await dial()
  const answer = await second.send('subscription.reconnect', {
    run_id: started.result.run_id,
    last_event_id: last.event_id,
    subscriptions: [result.subscription_id],
  })
  assert.equal(answer.result.restored, true)
  await second.until((one) => isOver(one) && one.params.namespace.length === 0)
  const ids = [...first.received, ...second.received].flatMap(({ event_id }) => event_id ?? [])
  assert.equal(new Set(ids).size, ids.length)
  const text = [...first.received, ...second.received].map(({ params }) => params?.data?.delta?.text ?? '')
  assert.ok(text.join('').endsWith('That is all.'))
})
