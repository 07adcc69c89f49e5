import { oldMessages, pace, tokens } from './conversation.mjs'

/** @typedef {import('./server.mjs').Exchange} Exchange */

/**
 * The AI SDK's UI message stream, version 1.
 *
 * @param {Exchange} exchange
 */
export async function aiSdk({ stream }) {
  const { send, end } = stream({ 'x-vercel-ai-ui-message-stream': 'v1' })
  const say = (/** @type {object} */ part) => send(`data: ${JSON.stringify(part)}\n\n`)
  say({ type: 'start', messageId: 'answer' })
  say({ type: 'start-step' })
  say({ type: 'text-start', id: '0' })
  await pace((delta) => say({ type: 'text-delta', id: '0', delta }))
  say({ type: 'text-end', id: '0' })
  say({ type: 'finish-step' })
  say({ type: 'finish' })
  send('data: [DONE]\n\n')
  end()
}

/**
 * AG-UI events, as TanStack AI's servers send them.
 *
 * @param {Exchange} exchange
 */
export async function tanstack({ stream }) {
  const { send, end } = stream()
  const say = (/** @type {object} */ event) => send(`data: ${JSON.stringify({ timestamp: Date.now(), ...event })}\n\n`)
  const run = { threadId: 't', runId: 'r' }
  say({ type: 'RUN_STARTED', ...run })
  say({ type: 'TEXT_MESSAGE_START', messageId: 'answer', role: 'assistant' })
  await pace((delta) => say({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'answer', delta }))
  say({ type: 'TEXT_MESSAGE_END', messageId: 'answer' })
  say({ type: 'RUN_FINISHED', ...run, finishReason: 'stop' })
  send('data: [DONE]\n\n')
  end()
}

const dict = (/** @type {string} */ id, /** @type {string} */ type, /** @type {string} */ content) => ({
  id,
  type,
  content,
  additional_kwargs: {},
  response_metadata: {},
  ...(type === 'ai' && { tool_calls: [], invalid_tool_calls: [] }),
})
const old = oldMessages.map(({ id, role, text }) => dict(id, role === 'user' ? 'human' : 'ai', text))
const question = dict('question', 'human', 'go')
const answer = dict('answer', 'ai', tokens.join(''))
const checkpoint = { thread_id: 't', checkpoint_id: 'c', checkpoint_ns: '' }
const threadState = {
  values: { messages: old },
  next: [],
  tasks: [],
  checkpoint,
  parent_checkpoint: null,
  metadata: {},
  created_at: '2026-11-01T00:00:00Z',
}
/** What LangGraph's servers say of every token, as recorded from one. */
const metadata = {
  tags: [],
  ls_integration: 'langchain_chat_model',
  created_by: 'system',
  graph_id: 'agent',
  assistant_id: '00000000-0000-4000-8000-000000000000',
  run_attempt: 1,
  langgraph_version: '1.7.3',
  langgraph_plan: 'developer',
  langgraph_host: 'self-hosted',
  thread_id: 't',
  run_id: 'r',
  langgraph_step: 1,
  langgraph_node: 'model',
  langgraph_triggers: ['branch:to:model'],
  langgraph_path: ['__pregel_pull', 'model'],
  langgraph_checkpoint_ns: 'model:00000000-0000-4000-8000-000000000001',
  checkpoint_ns: 'model:00000000-0000-4000-8000-000000000001',
  ls_model_type: 'chat',
  ls_provider: 'Fake',
}

/** @type {Set<{ channels: readonly string[]; send: (text: string) => void }>} streams of the event protocol */
const readers = new Set()
/** @type {{ seq: number; method: string; text: string }[]} what was sent so far of the run under way */
let buffer = []

/**
 * A LangGraph server: its classic runs API, and its event protocol.
 *
 * @param {Exchange} exchange
 */
export async function langgraph(exchange) {
  const { path, body, json, stream, closed } = exchange
  if (path.endsWith('/history')) return json([threadState])
  if (path.endsWith('/state')) return json(threadState)
  if (path.endsWith('/runs/stream')) return await classicRun(exchange)
  if (path.endsWith('/stream/events')) {
    const { send } = stream()
    const reader = { channels: body.channels, send }
    readers.add(reader)
    for (const { seq, method, text } of buffer) {
      if (seq > (body.since ?? 0) && reader.channels.includes(method)) send(text)
    }
    closed(() => readers.delete(reader))
    return undefined
  }
  if (!path.endsWith('/commands')) return json({ thread_id: 't', metadata: {}, status: 'idle', values: null })
  const meta = { thread_id: 't', applied_through_seq: 0 }
  json({ type: 'success', id: body.id, result: { run_id: 'r' }, meta })
  return body.method === 'run.start' ? await protocolRun() : undefined
}

/** @param {Exchange} exchange */
async function classicRun({ stream }) {
  const { send, end } = stream({ 'content-location': '/threads/t/runs/r' })
  let id = 0
  const say = (/** @type {string} */ event, /** @type {unknown} */ data) =>
    send(`event: ${event}\ndata: ${JSON.stringify(data)}\nid: ${id++}\n\n`)
  say('metadata', { run_id: 'r', attempt: 1 })
  say('values', { messages: [...old, question] })
  await pace((content) => say('messages', [{ ...dict('answer', 'ai', content), tool_call_chunks: [] }, metadata]))
  say('values', { messages: [...old, question, answer] })
  end()
}

async function protocolRun() {
  let seq = 0
  buffer = []
  const say = (/** @type {string} */ method, /** @type {unknown} */ data, /** @type {string[]} */ namespace = []) => {
    seq++
    const params = { namespace, timestamp: Date.now(), data }
    const event = { type: 'event', event_id: String(seq), seq, method, params }
    const text = `event: ${method}\ndata: ${JSON.stringify(event)}\nid: ${seq}\n\n`
    buffer.push({ seq, method, text })
    for (const { channels, send } of readers) if (channels.includes(method)) send(text)
  }
  const below = ['model:00000000-0000-4000-8000-000000000001']
  const run_id = 'm'
  say('lifecycle', { event: 'running', graph_name: 'agent' })
  say('values', { messages: [...old, question] })
  say('lifecycle', { event: 'started', graph_name: 'agent' }, below)
  say('messages', { event: 'message-start', id: 'answer', run_id }, below)
  say('messages', { event: 'content-block-start', index: 0, content: { type: 'text', text: '' }, run_id }, below)
  await pace((text) =>
    say('messages', { event: 'content-block-delta', index: 0, delta: { type: 'text-delta', text }, run_id }, below),
  )
  const content = { type: 'text', text: tokens.join('') }
  say('messages', { event: 'content-block-finish', index: 0, content, run_id }, below)
  say('messages', { event: 'message-finish', reason: 'stop', run_id }, below)
  say('lifecycle', { event: 'completed', graph_name: 'agent' }, below)
  say('values', { messages: [...old, question, answer] })
  say('lifecycle', { event: 'completed', graph_name: 'agent' })
}
