import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { renderHook } from './page.mjs'
import { PAUSED } from './graphs.mjs'
import { startRivulet } from './server.mjs'

const { useStream } = await import('@langchain/langgraph-sdk/react')

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

/**
 * A page with the hook.
 *
 * @param {string} assistantId
 * @param {Record<string, unknown>} [options]
 */
function page(assistantId, options = {}) {
  const defaultHeaders = {}
  const callerOptions = { maxRetries: 0 }
  const rendered = renderHook(() => {
    const stream = useStream({ apiUrl: server.url, assistantId, defaultHeaders, callerOptions, ...options })
    // What a page reads is what the hook asks the server to stream.
    void [stream.messages, stream.values, stream.toolProgress]
    return stream
  })
  open.push(rendered.close)
  return rendered
}

const saying = (/** @type {string} */ content) => ({ messages: [{ type: 'human', content }] })

/** @param {{ messages: { type: string; content: unknown }[] }} stream */
const said = ({ messages }) => messages.map(({ type, content }) => `${type}: ${String(content)}`)

describe('useStream of @langchain/langgraph-sdk/react', { concurrency: false }, () => {
  test('submit: the thread is made, tokens come as they are said, the state follows', async () => {
    server.gate.shut()
    /** @type {string[]} */
    const threads = []
    const view = page('chat', { onThreadId: (/** @type {string} */ id) => threads.push(id) })
    await view.until((stream) => !stream.isThreadLoading)
    const done = view.current.submit(saying('slowly'))
    await view.until((stream) => stream.isLoading && said(stream).at(-1) === `ai: ${PAUSED}`)
    server.gate.open()
    await done
    await view.until((stream) => !stream.isLoading)
    assert.deepEqual(said(view.current), ['human: slowly', 'ai: you said: slowly. That is all.'])
    assert.equal(view.current.values.turns, 1)
    assert.equal(threads.length, 1)
    assert.equal(view.current.error, undefined)
  })

  test('a second turn goes on with the same thread, and nothing is shown twice', async () => {
    const view = page('chat')
    await view.until((stream) => !stream.isThreadLoading)
    await view.current.submit(saying('one'))
    await view.until((stream) => !stream.isLoading)
    await view.current.submit(saying('two'))
    await view.until((stream) => !stream.isLoading && stream.messages.length === 4)
    assert.deepEqual(said(view.current), [
      'human: one',
      'ai: you said: one. That is all.',
      'human: two',
      'ai: you said: two. That is all.',
    ])
    assert.equal(view.current.getMessagesMetadata(view.current.messages[3])?.streamMetadata?.langgraph_node, 'model')
  })

  test('tools: calls with their answers, their progress, and what they write', async () => {
    /** @type {unknown[]} */
    const written = []
    const view = page('agent', { onCustomEvent: (/** @type {unknown} */ data) => written.push(data) })
    await view.until((stream) => !stream.isThreadLoading)
    await view.current.submit(saying('count'))
    await view.until((stream) => !stream.isLoading)
    assert.deepEqual(
      view.current.toolCalls.map(({ call, state }) => [call.name, call.args, state]),
      [['count', { to: 3 }, 'completed']],
    )
    assert.deepEqual(
      view.current.toolProgress.map(({ name, state, data }) => [name, state, data]),
      [['count', 'completed', { done: 3, total: 3 }]],
    )
    assert.deepEqual(written, [{ note: 'counted' }])
    assert.equal(said(view.current).at(-1), 'ai: All counted.')
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
    assert.deepEqual(second.current.interrupt?.value, { question: 'Approve?' })
    await second.current.submit(undefined, { command: { resume: { ok: true } } })
    await second.until((stream) => !stream.isLoading && stream.messages.length === 2)
    assert.equal(said(second.current).at(-1), 'ai: decision: {"ok":true}')
    assert.equal(second.current.interrupt, undefined)
  })

  test('history: branches of an edited message can be looked at in turn', async () => {
    const view = page('chat', { fetchStateHistory: true })
    await view.until((stream) => !stream.isThreadLoading)
    await view.current.submit(saying('one'))
    await view.until((stream) => !stream.isLoading && stream.history.length > 0)
    const [question] = view.current.messages
    const parent = view.current.getMessagesMetadata(question)?.firstSeenState?.parent_checkpoint
    assert.ok(parent)
    await view.current.submit(saying('other'), { checkpoint: parent })
    await view.until((stream) => !stream.isLoading && said(stream)[0] === 'human: other')
    const meta = view.current.getMessagesMetadata(view.current.messages[0])
    assert.equal(meta?.branchOptions?.length, 2)
    view.current.setBranch(meta?.branchOptions?.find((one) => one !== meta.branch) ?? '')
    await view.until((stream) => said(stream)[0] === 'human: one')
    assert.deepEqual(said(view.current), ['human: one', 'ai: you said: one. That is all.'])
  })

  test('stop ends the run on the server, and the thread can go on', async () => {
    server.gate.shut()
    /** @type {string | undefined} */
    let threadId
    const view = page('chat', { onThreadId: (/** @type {string} */ id) => (threadId = id) })
    await view.until((stream) => !stream.isThreadLoading)
    void view.current.submit(saying('slowly'))
    await view.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
    await view.current.stop()
    await view.until((stream) => !stream.isLoading)
    const { client } = view.current
    const [run] = await client.runs.list(threadId ?? '')
    await client.runs.join(threadId ?? '', run?.run_id ?? '')
    assert.equal((await client.runs.get(threadId ?? '', run?.run_id ?? '')).status, 'interrupted')
    assert.equal((await client.threads.getState(threadId ?? '')).values.messages.at(-1)?.content, PAUSED)
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
    await view.until((stream) => !stream.isLoading && said(stream).at(-1) === 'ai: you said: quick. That is all.')
    const answered = ['human: quick', 'ai: you said: quick. That is all.']
    assert.deepEqual(said(view.current), ['human: slowly', `ai: ${PAUSED}`, ...answered])
  })

  test('an error is shown', async () => {
    const view = page('fail')
    await view.until((stream) => !stream.isThreadLoading)
    await view.current.submit(saying('x'))
    await view.until((stream) => !stream.isLoading && stream.error !== undefined)
    assert.match(String(view.current.error), /node "model" failed/)
  })

  test('a line that is cut in the middle of an answer is taken up again by itself', async () => {
    server.gate.shut()
    const view = page('chat', { reconnectOnMount: true })
    await view.until((stream) => !stream.isThreadLoading)
    const done = view.current.submit(saying('slowly'))
    await view.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
    server.cut()
    server.gate.open()
    await done
    await view.until((stream) => !stream.isLoading)
    assert.deepEqual(said(view.current), ['human: slowly', 'ai: you said: slowly. That is all.'])
  })

  test('a page that is loaded again in the middle of an answer joins the run', async () => {
    server.gate.shut()
    /** @type {string | undefined} */
    let threadId
    const onThreadId = (/** @type {string} */ id) => (threadId = id)
    const first = page('chat', { reconnectOnMount: true, onThreadId })
    await first.until((stream) => !stream.isThreadLoading)
    void first.current.submit(saying('slowly'))
    await first.until((stream) => said(stream).at(-1) === `ai: ${PAUSED}`)
    first.close()
    const second = page('chat', { reconnectOnMount: true, threadId })
    await second.until((stream) => stream.isLoading && said(stream).at(-1) === `ai: ${PAUSED}`)
    server.gate.open()
    await second.until((stream) => !stream.isLoading && said(stream).length === 2)
    assert.deepEqual(said(second.current), ['human: slowly', 'ai: you said: slowly. That is all.'])
  })
})
