import { aiSdkWire, langGraphWire, protocol } from '../production.mjs'
import { inChunks, recorded, textChunk } from './recorded.mjs'
import { atMost } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Work} Work */
/** @typedef {import('../../../packages/protocol/dist/index.js').RunEvent} RunEvent */

const KIB = 1024

/** What LangGraph's server sends with every token, beside node, step and task. */
const METADATA = {
  graph_id: 'agent',
  assistant_id: '9c2fe0c4-8b46-5d6e-a3fc-4a4c54ae4c3a',
  thread_id: '01a1ff46-b59f-72b7-818e-479e5ad8bcef',
  run_attempt: 1,
  langgraph_version: '1.7.3',
  langgraph_plan: 'developer',
  langgraph_host: 'self-hosted',
  langgraph_api_url: 'http://127.0.0.1:2024',
  langgraph_triggers: ['branch:to:agent'],
  langgraph_path: ['__pregel_pull', 'agent'],
  ls_model_type: 'chat',
  ls_provider: 'Fake',
}

/**
 * A wire of others: writes a run's events as blocks, and reads blocks back.
 *
 * @typedef {object} Wire
 * @property {(events: readonly RunEvent[]) => Promise<{ event?: string, data: string }[]>} write
 * @property {() => Promise<(event: string, data: string) => RunEvent[]>} reader
 */

/** @type {Wire} */
const langGraph = {
  async write(events) {
    const { emptyState, foldAll } = await protocol()
    const { createLangGraphEncoder } = await langGraphWire()
    const encoder = createLangGraphEncoder({ modes: ['values', 'messages-tuple'], metadata: METADATA })
    let state = emptyState()
    return events.flatMap((event, i) => {
      state = foldAll(state, [Object.assign({}, event, { seq: i + 1 })])
      return encoder.encode(event, state).map((block) => ({ event: block.event, data: JSON.stringify(block.data) }))
    })
  },
  async reader() {
    const { createLangGraphDecoder } = await langGraphWire()
    const decoder = createLangGraphDecoder({ run: 'r' })
    return (event, data) => decoder.push(event, JSON.parse(data))
  },
}

/** @type {Wire} */
const aiSdk = {
  async write(events) {
    const { createAiSdkEncoder } = await aiSdkWire()
    const encoder = createAiSdkEncoder()
    return events.flatMap((event) => encoder.encode(event).map((data) => ({ data })))
  },
  async reader() {
    const { createAiSdkDecoder } = await aiSdkWire()
    const decoder = createAiSdkDecoder({ run: 'r' })
    return (_event, data) => decoder.push(data)
  },
}

/**
 * From bytes to state, and the text that a page reads of it after each chunk.
 *
 * @param {Wire} wire
 * @param {number} tokens
 * @returns {Promise<Work>}
 */
async function rebuild(wire, tokens) {
  const { createSseDecoder, emptyState, foldAll, messagesOf } = await protocol()
  const chunks = await bytesOf(wire, tokens)
  return async () => {
    const read = await wire.reader()
    let state = emptyState()
    let seq = 0
    let length = 0
    /** @type {import('../../../packages/protocol/dist/index.js').StampedEvent[]} */
    let events = []
    const decoder = createSseDecoder({
      onEvent({ event, data }) {
        for (const one of read(event, data)) events.push(Object.assign(one, { seq: ++seq }))
      },
    })
    for (const chunk of chunks) {
      decoder.push(chunk)
      state = foldAll(state, events)
      events = []
      length = messagesOf(state).at(-1)?.content.length ?? 0
    }
    if (state.gap !== undefined || length === 0) throw new Error('the state is not complete')
    return tokens
  }
}

/**
 * The same bytes in the same pieces.
 *
 * @param {Wire} wire
 * @param {number} tokens
 * @returns {Promise<Uint8Array[]>}
 */
async function bytesOf(wire, tokens) {
  const { encodeSse } = await protocol()
  const text = new TextEncoder()
  const written = await wire.write(await recorded(textChunk, tokens))
  return inChunks(
    written.map((block) => text.encode(encodeSse(block))),
    16 * KIB,
  )
}

/** @param {readonly Uint8Array[]} chunks */
function bodyOf(chunks) {
  let next = 0
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++]
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
  })
}

/**
 * LangGraph's SDK: its client's stream, put together as its hook does; the text is read as often as we read ours.
 *
 * @param {number} tokens
 * @returns {Promise<Work>}
 */
async function byLangGraphSdk(tokens) {
  const { Client } = await import('@langchain/langgraph-sdk')
  const { MessageTupleManager } = await import('@langchain/langgraph-sdk/ui')
  const chunks = await bytesOf(langGraph, tokens)
  const every = Math.ceil(tokens / chunks.length)
  const headers = { 'content-type': 'text/event-stream' }
  return async () => {
    const answer = async () => new Response(bodyOf(chunks), { headers })
    const client = new Client({ apiUrl: 'http://peer.invalid', apiKey: null, callerOptions: { fetch: answer } })
    const messages = new MessageTupleManager()
    let count = 0
    let length = 0
    let last = ''
    for await (const { event, data } of client.runs.stream('t', 'a', { input: {}, streamMode: 'messages-tuple' })) {
      if (event !== 'messages') continue
      const [message, metadata] = /** @type {[any, any]} */ (/** @type {unknown} */ (data))
      last = messages.add(message, metadata) ?? last
      if (++count % every === 0) length = messages.get(last)?.chunk?.content.length ?? 0
    }
    if (length === 0) throw new Error('there is no text')
    return Math.min(count, tokens)
  }
}

/**
 * The AI SDK: its parser and its reader of messages, which answers a message for each change.
 *
 * @param {number} tokens
 * @returns {Promise<Work>}
 */
async function byAiSdk(tokens) {
  const { parseJsonEventStream, readUIMessageStream, uiMessageChunkSchema } = await import('ai')
  const chunks = await bytesOf(aiSdk, tokens)
  return async () => {
    const parsed = parseJsonEventStream({ stream: bodyOf(chunks), schema: uiMessageChunkSchema })
    const stream = parsed.pipeThrough(
      new TransformStream({
        transform(part, controller) {
          if (!part.success) throw part.error
          controller.enqueue(part.value)
        },
      }),
    )
    let length = 0
    for await (const { parts } of readUIMessageStream({ stream })) {
      const part = parts.at(-1)
      if (part?.type === 'text') length = part.text.length
    }
    if (length === 0) throw new Error('there is no text')
    return tokens
  }
}

/**
 * @param {string} name
 * @param {Wire} wire
 * @param {(tokens: number) => Promise<Work>} peer
 * @returns {Row}
 */
function foreignRow(name, wire, peer) {
  return {
    name: `foreign/${name}`,
    unit: 'µs CPU a token, bytes to page',
    size: 100_000,
    smokeSize: 40,
    kind: 'cpu',
    subjects: { ours: (tokens) => rebuild(wire, tokens), peer },
    targets: [atMost('12 µs', () => 12)],
  }
}

/** @type {Row[]} */
export const rows = [foreignRow('langgraph', langGraph, byLangGraphSdk), foreignRow('ai-sdk', aiSdk, byAiSdk)]
