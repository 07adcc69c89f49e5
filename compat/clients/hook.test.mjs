import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { renderHook } from './page.mjs'
import { PAUSED } from './graphs.mjs'
import { startRivulet } from './server.mjs'

const { useChannel, useExtension, useStream } = await import('@langchain/react')

/** @type {Awaited<ReturnType<typeof startRivulet>>} */
let server
/** @type {(() => void)[]} */
let open = []
before(async () => {
  server = await startRivulet()
})
afterEach(() => {
  for (const close of open) close()
  open = []
  server.gate.open()
})
after(() => server.close())

const saying = (/** @type {string} */ content) => ({ messages: [{ type: 'human', content }] })

/** @param {{ messages: { getType: () => string; text: string }[] }} stream */
const said = ({ messages }) => messages.map((message) => `${message.getType()}: ${message.text}`)

for (const transport of ['sse', 'websocket']) {
  /**
   * A page with the hook.
   *
   * @param {string} assistantId
   * @param {Record<string, unknown>} [options]
   */
  const page = (assistantId, options = {}) => {
    const fixed = {
      apiUrl: server.url,
      assistantId,
      transport,
      callerOptions: { maxRetries: 0 },
      reconnectDelayMs: () => 10,
      ...(transport === 'websocket' && { webSocketFactory: (/** @type {string} */ url) => new WebSocket(url) }),
      ...options,
    }
    const rendered = renderHook(() => {
      const stream = useStream(fixed)
      const written = useChannel(stream, ['custom'])
      return Object.assign(Object.create(stream), { progress: useExtension(stream, 'progress'), written })
    })
    open.push(rendered.close)
    return rendered
  }

  describe(`useStream of @langchain/react over ${transport}`, { concurrency: false }, () => {
    test('submit: the thread is made, tokens come as they are said, the state follows', async () => {
      server.gate.shut()
      /** @type {string[]} */
      const [threads, runs] = [[], []]
      const view = page('chat', {
        onThreadId: (/** @type {string} */ id) => threads.push(id),
        onCreated: (/** @type {{ runId: string }} */ { runId }) => runs.push(runId),
      })
      await view.until((stream) => !stream.isThreadLoading)
      const done = view.current.submit(saying('slowly'))
      await view.until((stream) => stream.isLoading && said(stream).at(-1) === `ai: ${PAUSED}`)
      server.gate.open()
      await done
      await view.until((stream) => !stream.isLoading && stream.values.turns === 1)
      assert.deepEqual(said(view.current), ['human: slowly', 'ai: you said: slowly. That is all.'])
      assert.equal(threads.length, 1)
      assert.equal(runs.length, 1)
      assert.equal(view.current.error, undefined)
    })

    test('a second turn goes on with the same thread, and nothing is shown twice', async () => {
      const view = page('chat')
      await view.until((stream) => !stream.isThreadLoading)
      await view.current.submit(saying('one'))
      await view.until((stream) => !stream.isLoading && stream.messages.length === 2)
      await view.current.submit(saying('two'))
      await view.until((stream) => !stream.isLoading && stream.values.turns === 2)
      assert.deepEqual(said(view.current), [
        'human: one',
        'ai: you said: one. That is all.',
        'human: two',
        'ai: you said: two. That is all.',
      ])
    })

    test('tools: calls with their answers, and what they tell of how far they are', async () => {
      const view = page('agent')
      await view.until((stream) => !stream.isThreadLoading)
      await view.current.submit(saying('count'))
      await view.until((stream) => !stream.isLoading && said(stream).at(-1) === 'ai: All counted.')
      assert.deepEqual(
        view.current.toolCalls.map(({ name, args, output, status }) => [name, args, output, status]),
        [['count', { to: 3 }, { counted: 3 }, 'finished']],
      )
      assert.deepEqual(view.current.progress, { done: 3, total: 3 })
      const payloads = view.current.written.map(({ params }) => params.data.payload)
      assert.deepEqual(payloads, [
        { done: 1, total: 3 },
        { done: 2, total: 3 },
        { done: 3, total: 3 },
        { note: 'counted' },
      ])
      assert.deepEqual(
        view.current.messages[1].tool_calls.map(({ name, args }) => [name, args]),
        [['count', { to: 3 }]],
      )
    })

    test('what runs below the root is shown once it is in the state', async () => {
      const view = page('nested')
      await view.until((stream) => !stream.isThreadLoading)
      await view.current.submit(saying('hi'))
      await view.until((stream) => !stream.isLoading && stream.messages.length === 2)
      assert.equal(said(view.current).at(-1), 'ai: you said: hi. That is all.')
      assert.deepEqual(
        [...view.current.subgraphs.values()].map(({ namespace }) => namespace[0]?.split(':')[0]),
        ['child'],
      )
    })

    test('a question is shown and answered, also by a page that comes later', async () => {
      /** @type {string | undefined} */
      let threadId
      const first = page('ask', { onThreadId: (/** @type {string} */ id) => (threadId = id) })
      await first.until((stream) => !stream.isThreadLoading)
      await first.current.submit(saying('go'))
      await first.until((stream) => !stream.isLoading && stream.interrupt !== undefined)
      assert.deepEqual(first.current.interrupt?.value, { question: 'Approve?' })
      const second = page('ask', { threadId })
      await second.until((stream) => !stream.isThreadLoading && stream.interrupt !== undefined)
      // What was asked is known from the state; that it can be answered, once the thread's events have come.
      await second.until((stream) => !stream.isLoading && (stream.getThread()?.interrupts.length ?? 0) > 0)
      await second.current.respond({ ok: true })
      await second.until((stream) => !stream.isLoading && stream.messages.length === 2)
      assert.equal(said(second.current).at(-1), 'ai: decision: {"ok":true}')
      assert.deepEqual(second.current.interrupts, [])
      await first.until((stream) => said(stream).at(-1) === 'ai: decision: {"ok":true}')
    })

    test('a message can be sent anew from where it was sent first', async () => {
      const view = page('chat')
      await view.until((stream) => !stream.isThreadLoading)
      await view.current.submit(saying('one'))
      await view.until((stream) => !stream.isLoading && stream.messages.length === 2)
      const { client, threadId } = view.current
      const history = await client.threads.getHistory(threadId ?? '')
      const before = history.at(-1)?.checkpoint.checkpoint_id ?? ''
      await view.current.submit(saying('other'), { forkFrom: before })
      await view.until((stream) => !stream.isLoading && said(stream)[0] === 'human: other')
      assert.deepEqual(said(view.current), ['human: other', 'ai: you said: other. That is all.'])
    })

    test('stop ends the run on the server, and the thread can go on', async () => {
      server.gate.shut()
      const view = page('chat')
      await view.until((stream) => !stream.isThreadLoading)
      void view.current.submit(saying('slowly'))
      await view.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
      await view.current.stop()
      await view.until((stream) => !stream.isLoading)
      const { client, threadId } = view.current
      const [run] = await client.runs.list(threadId ?? '')
      await client.runs.join(threadId ?? '', run?.run_id ?? '')
      assert.equal((await client.runs.get(threadId ?? '', run?.run_id ?? '')).status, 'interrupted')
      server.gate.open()
      await view.current.submit(saying('again'))
      await view.until((stream) => !stream.isLoading && said(stream).at(-1) === 'ai: you said: again. That is all.')
      assert.equal(view.current.error, undefined)
    })

    test('a second message that stops the first run is answered, and what the first had said stays', async () => {
      server.gate.shut()
      const view = page('chat')
      await view.until((stream) => !stream.isThreadLoading)
      void view.current.submit(saying('slowly'))
      await view.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
      await view.current.submit(saying('quick'), { multitaskStrategy: 'interrupt' })
      await view.until((stream) => !stream.isLoading && said(stream).includes('ai: you said: quick. That is all.'))
      const { client, threadId } = view.current
      const { values } = await client.threads.getState(threadId ?? '')
      assert.deepEqual(
        values.messages.map(({ content }) => content),
        ['slowly', PAUSED, 'quick', 'you said: quick. That is all.'],
      )
    })

    test('an error is shown', async () => {
      const view = page('fail')
      await view.until((stream) => !stream.isThreadLoading)
      await view.current.submit(saying('x'))
      await view.until((stream) => !stream.isLoading && stream.error !== undefined)
      assert.match(String(view.current.error), /node \\?"model\\?\\?" failed|model/)
    })

    test('a line that is cut in the middle of an answer is taken up again by itself', async () => {
      server.gate.shut()
      const view = page('chat')
      await view.until((stream) => !stream.isThreadLoading)
      const done = view.current.submit(saying('slowly'))
      await view.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
      server.cut()
      server.gate.open()
      await done
      await view.until((stream) => !stream.isLoading && stream.values.turns === 1)
      assert.deepEqual(said(view.current), ['human: slowly', 'ai: you said: slowly. That is all.'])
      assert.equal(view.current.error, undefined)
    })

    test('a page that is loaded again in the middle of an answer joins the run', async () => {
      server.gate.shut()
      /** @type {string | undefined} */
      let threadId
      const first = page('chat', { onThreadId: (/** @type {string} */ id) => (threadId = id) })
      await first.until((stream) => !stream.isThreadLoading)
      void first.current.submit(saying('slowly'))
      await first.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
      first.close()
      const second = page('chat', { threadId })
      await second.until((stream) => stream.isLoading && said(stream).at(-1) === `ai: ${PAUSED}`)
      server.gate.open()
      await second.until((stream) => !stream.isLoading && stream.values.turns === 1)
      assert.deepEqual(said(second.current), ['human: slowly', 'ai: you said: slowly. That is all.'])
    })
  })
}

test('a subscription that reaches the server when the run is over still gets all of it', async () => {
  let subscriptions = 0
  const options = {
    apiUrl: server.url,
    assistantId: 'chat',
    transport: 'websocket',
    webSocketFactory(/** @type {string} */ url) {
      const socket = new WebSocket(url)
      const send = socket.send.bind(socket)
      socket.send = (/** @type {string} */ frame) => {
        const isLate = frame.includes('subscription.subscribe') && ++subscriptions > 1
        if (isLate) setTimeout(() => send(frame), 300)
        else send(frame)
      }
      return socket
    },
  }
  const view = renderHook(() => useStream(options))
  open.push(view.close)
  await view.until((stream) => !stream.isThreadLoading)
  await view.current.submit(saying('hi'))
  await view.until((stream) => !stream.isLoading && stream.values.turns === 1)
  assert.deepEqual(said(view.current), ['human: hi', 'ai: you said: hi. That is all.'])
})
