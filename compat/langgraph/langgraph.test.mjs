import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { createClient, langgraph } from '../../packages/client/dist/index.js'
import { startLangGraph } from './server.mjs'

/** @typedef {import('../../packages/client/dist/index.js').ThreadStore} ThreadStore */
/** @typedef {Awaited<ReturnType<typeof startLangGraph>>} Server */

/** @type {Server | undefined} */
let server
before(async () => {
  server = await startLangGraph()
})
after(() => server?.close())

/** @typedef {'classic' | 'agent-stream' | 'agent-stream over a WebSocket'} Protocol */

/** @param {Protocol} name */
function clientOver(name) {
  const protocol = name === 'classic' ? 'classic' : 'agent-stream'
  const over = name.endsWith('WebSocket') ? 'web-socket' : 'sse'
  const webSocket = /** @type {import('../../packages/client/dist/index.js').SocketOptions['webSocket']} */ (WebSocket)
  return createClient({ transport: langgraph({ apiUrl: server?.url ?? '', protocol, over, webSocket }) })
}

/** @param {ThreadStore} thread */
function said(thread) {
  return thread.getSnapshot().messages.map(({ id, role, content }) => ({ id, role, content }))
}

/**
 * Resolves once the thread shows it.
 *
 * @param {ThreadStore} thread
 * @param {() => boolean} isShown
 * @returns {Promise<void>}
 */
function until(thread, isShown) {
  return new Promise((resolve) => {
    const check = () => {
      if (!isShown()) return
      leave()
      resolve()
    }
    const leave = thread.subscribe(check)
    check()
  })
}

/** @param {ThreadStore} thread */
const lastText = (thread) => thread.getSnapshot().messages.at(-1)?.content ?? ''

for (const protocol of /** @type {const} */ (['classic', 'agent-stream', 'agent-stream over a WebSocket'])) {
  describe(`a LangGraph server over its ${protocol} protocol`, { concurrency: false }, () => {
    /**
     * The messages that the server keeps, which are those that the thread shows.
     *
     * @param {ThreadStore} thread
     */
    const assertSameAsServer = async (thread) => {
      const state = await clientOver(protocol).threads.state(thread.id ?? '')
      const kept = /** @type {{ id: string, role: string, content: string }[]} */ (state?.values['messages'] ?? [])
      assert.deepEqual(
        said(thread),
        kept.map(({ id, role, content }) => ({ id, role, content })),
      )
    }

    for (const graph of ['chat', 'agent', 'tools', 'sub', 'error']) {
      test(`${graph}: two turns fold to the state that the server keeps`, async () => {
        const thread = clientOver(protocol).thread({ graph })
        const status = graph === 'error' ? 'error' : 'done'
        for (const question of ['weather?', 'and again?']) {
          const result = await thread.submit({ messages: question }).result
          assert.equal(result.status, status)
          if (status === 'error') assert.match(result.error?.message ?? '', /kaboom/)
          await assertSameAsServer(thread)
        }
        assert.equal(thread.getSnapshot().state.ignored, 0)
      })
    }

    test('tokens arrive as they come, each in the message of its node', async () => {
      const thread = clientOver(protocol).thread({ graph: 'chat' })
      /** @type {Set<string>} */
      const texts = new Set()
      thread.subscribe(() => texts.add(lastText(thread)))
      await thread.submit({ messages: 'hi' }).result
      // Several tokens may come in one read: how many texts there are is the network's affair, not that there are some.
      const whole = lastText(thread)
      const partial = [...texts].filter((text) => text !== '' && text !== whole && whole.startsWith(text))
      assert.ok(partial.length >= 2, `only ${JSON.stringify([...texts])} was seen of ${JSON.stringify(whole)}`)
      assert.equal(thread.getSnapshot().messages.at(-1)?.meta?.node, 'model')
    })

    test('what tools write while they run arrives, and so do calls and outputs', async () => {
      const thread = clientOver(protocol).thread({ graph: 'tools' })
      await thread.submit({ messages: 'weather?' }).result
      const { state, toolCalls } = thread.getSnapshot()
      const progress = state.recent.map(({ data }) => data)
      assert.ok(progress.some((data) => /** @type {{ done?: number }} */ (data).done === 3))
      assert.deepEqual(
        toolCalls.map(({ name }) => name),
        ['get_weather', 'count_up', 'boom'],
      )
      assert.ok(toolCalls.every(({ output }) => output !== undefined))
    })

    test('a question waits for its answer', async () => {
      const thread = clientOver(protocol).thread({ graph: 'interrupt' })
      const asked = await thread.submit({ messages: 'go' }).result
      assert.equal(asked.status, 'interrupted')
      assert.deepEqual(
        asked.interrupts.map(({ value }) => value),
        [{ question: 'Approve?' }],
      )
      const answered = await thread.submit(undefined, { resume: { ok: true } }).result
      assert.equal(answered.status, 'done')
      assert.deepEqual(answered.interrupts, [])
      assert.equal(lastText(thread), 'decision: {"ok":true}')
      await assertSameAsServer(thread)
    })

    test('a second reader joins in the middle, a second run is refused, a stop keeps the text', async () => {
      const thread = clientOver(protocol).thread({ graph: 'slow' })
      const run = thread.submit({ messages: 'go' })
      await until(thread, () => lastText(thread).length > 10)
      const other = clientOver(protocol).thread({ graph: 'slow', threadId: thread.id })
      const leave = other.follow()
      // The server streams to one socket a thread: another reader waits for the end.
      const joins = !protocol.endsWith('WebSocket')
      if (joins) await until(other, () => lastText(other).length > 20)
      const refused = await clientOver(protocol)
        .thread({ graph: 'slow', threadId: thread.id })
        .submit({ messages: 'x' }).result
      assert.equal(refused.error?.code, 'RUN_CONFLICT')
      await run.stop()
      assert.equal((await run.result).status, 'cancelled')
      assert.equal(thread.getSnapshot().messages.at(-1)?.status, 'cut')
      assert.ok(lastText(thread).startsWith('w0 w1 w2 '))
      await until(other, () => !other.getSnapshot().isLoading)
      if (joins) assert.equal(lastText(other), lastText(thread))
      leave()
    })
  })
}
