import { Client } from '@langchain/langgraph-sdk'
import { DefaultChatTransport, readUIMessageStream } from 'ai'
import { createClient } from '../../packages/client/dist/index.js'
import { script, faults } from '../../packages/testing/dist/index.js'
import { serveScript } from '../../packages/testing/dist/node/index.js'
import { ENDLESS_BYTES, serveBroken } from './servers.mjs'

/** @typedef {import('./servers.mjs').Fault} Fault */
/** @typedef {(fault: Fault, show: (text: string) => void) => Promise<string>} Read reads a stream to its end */

const langGraphPiece = (/** @type {string} */ text) =>
  `event: messages\ndata: [{"id":"m","type":"AIMessageChunk","content":"${text}"},{}]\n\n`

/** @type {Read} */
async function langGraph(fault, show) {
  const server = await serveBroken(langGraphPiece, { before: '', after: '' }, fault)
  try {
    let text = ''
    const client = new Client({ apiUrl: server.url, callerOptions: { maxRetries: 0 } })
    for await (const { event, data } of client.runs.joinStream('t', 'r')) {
      if (event === 'messages') show((text += data[0].content))
    }
    return text
  } finally {
    server.close()
  }
}

const aiPiece = (/** @type {string} */ text) => `data: {"type":"text-delta","id":"1","delta":"${text}"}\n\n`
const AI_FRAME = {
  before: 'data: {"type":"start","messageId":"m"}\n\ndata: {"type":"text-start","id":"1"}\n\n',
  after: 'data: {"type":"text-end","id":"1"}\n\ndata: {"type":"finish"}\n\ndata: [DONE]\n\n',
}

/** @type {Read} */
async function aiSdk(fault, show) {
  const server = await serveBroken(aiPiece, AI_FRAME, fault)
  try {
    const transport = new DefaultChatTransport({ api: server.url })
    const stream = await transport.sendMessages({
      chatId: 'c',
      messages: [],
      trigger: 'submit-message',
      messageId: undefined,
      abortSignal: undefined,
    })
    let text = ''
    for await (const { parts } of readUIMessageStream({ stream, terminateOnError: true })) {
      text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
      show(text)
    }
    return text
  } finally {
    server.close()
  }
}

const FAULTS = {
  duplicate: faults.duplicate({ event: 7 }),
  poison: faults.poison({ afterEvent: 7, kind: 'json' }),
  silence: faults.halfOpen({ afterEvent: 7 }),
  endless: faults.oversize({ afterEvent: 7, bytes: ENDLESS_BYTES }),
}

/** @type {Read} */
async function rivulet(fault, show) {
  const server = await serveScript(script().run().token('a').token('b').token('c').end(), { faults: [FAULTS[fault]] })
  try {
    const thread = createClient({ url: server.url }).thread({ graph: 'agent', threadId: 't' })
    const text = () => thread.getSnapshot().messages.at(-1)?.content ?? ''
    thread.subscribe(() => show(text()))
    const { error } = await thread.submit({ messages: 'hi' }).result
    thread.dispose()
    if (error !== undefined) throw error
    return text()
  } finally {
    await server.close()
  }
}

/** @type {Readonly<Record<string, Read>>} */
export const clients = { Rivulet: rivulet, 'LangGraph SDK 1.15.0': langGraph, 'AI SDK 7.0.173': aiSdk }
