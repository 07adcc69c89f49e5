import type { PlainFrame } from '@rivulet/protocol/wires/plain'
import { expect, test } from 'vitest'
import { fakeTiming, settled } from '../../test/fake-timing.ts'
import { fakeSockets } from '../../test/fake-socket.ts'
import { createClient } from '../client.ts'
import type { ThreadStore } from '../store/thread-store.ts'
import type { Transport } from '../transports/transport.ts'
import { agUi } from './ag-ui.ts'
import { aiSdk } from './ai-sdk.ts'
import { openAiStream } from './open-ai.ts'
import { plain } from './plain.ts'

interface Call {
  url: string
  method: string
  json: unknown
}

/** A `fetch` whose answers a test feeds piece by piece. */
function backend() {
  const calls: Call[] = []
  const bodies: ReadableStreamDefaultController<Uint8Array>[] = []
  const aborts: boolean[] = []
  const fetching: typeof fetch = (url, init = {}) => {
    const json: unknown = init.body ? JSON.parse(init.body as string) : undefined
    const at = calls.push({ url: url as string, method: init.method ?? 'GET', json }) - 1
    init.signal?.addEventListener('abort', () => (aborts[at] = true))
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void bodies.push(controller) })
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  }
  const send = async (...blocks: (object | string)[]) => {
    const text = blocks
      .map((block) => `data: ${typeof block === 'string' ? block : JSON.stringify(block)}\n\n`)
      .join('')
    bodies.at(-1)!.enqueue(new TextEncoder().encode(text))
    await settled()
  }
  const close = async () => {
    bodies.at(-1)!.close()
    await settled()
  }
  const cut = async () => {
    bodies.at(-1)!.error(new TypeError('terminated'))
    await settled()
  }
  return { calls, aborts, fetch: fetching, send, close, cut }
}

function threadOver(transport: Transport): ThreadStore {
  return createClient({ transport, timing: fakeTiming() }).thread({ graph: 'chat', threadId: 't' })
}

function shown(thread: ThreadStore) {
  return thread.getSnapshot().messages.map(({ role, content, status }) => [role, content, status])
}

const token = (content: string) => ({ type: 'token', content })

test('a page over a plain endpoint: question, answer, question, answer', async () => {
  const { calls, fetch, send } = backend()
  const thread = threadOver(plain({ url: 'https://x.test/chat?v=1', fetch }))
  const run = thread.submit({ messages: 'hi there' })
  await settled()
  expect(calls).toEqual([{ url: 'https://x.test/chat?v=1&query=hi+there', method: 'GET', json: undefined }])
  await send(token('Hel'))
  expect(shown(thread)).toEqual([
    ['user', 'hi there', 'done'],
    ['assistant', 'Hel', 'streaming'],
  ])
  await send(token('lo'), '[DONE]')
  expect(await run.result).toMatchObject({ status: 'done', values: { messages: [{}, { content: 'Hello' }] } })
  const again = thread.submit({ messages: 'more' })
  await settled()
  await send(token('Sure'), '[DONE]')
  expect(await again.result).toMatchObject({ status: 'done' })
  expect(shown(thread).map(([, content]) => content)).toEqual(['hi there', 'Hello', 'more', 'Sure'])
})

test('an error keeps the text and fails the run', async () => {
  const { fetch, send } = backend()
  const thread = threadOver(plain({ url: 'https://x.test/chat', fetch }))
  const run = thread.submit({ messages: 'hi' })
  await settled()
  await send(token('Hel'), { type: 'error', message: 'model is out' }, '[DONE]')
  expect(await run.result).toMatchObject({ status: 'error', error: { message: 'model is out' } })
  expect(shown(thread)).toEqual([
    ['user', 'hi', 'done'],
    ['assistant', 'Hel', 'cut'],
  ])
})

test.each(['cut', 'close'] as const)(
  'a connection that is lost in an answer (%s) ends its run, and it is not asked again',
  async (how) => {
    const made = backend()
    const thread = threadOver(plain({ url: 'https://x.test/chat', fetch: made.fetch }))
    const run = thread.submit({ messages: 'hi' })
    await settled()
    await made.send(token('Hel'))
    await made[how]()
    expect(await run.result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED' } })
    expect(made.calls).toHaveLength(1)
    const again = thread.submit({ messages: 'more' })
    await settled()
    await made.send(token('Sure'), '[DONE]')
    await again.result
    expect(shown(thread).map(([, content]) => content)).toEqual(['hi', 'Hel', 'more', 'Sure'])
  },
)

test('to stop is to stop reading: the text stays where it was, and the next answer comes below', async () => {
  const { fetch, send, aborts } = backend()
  const thread = threadOver(plain({ url: 'https://x.test/chat', fetch }))
  const run = thread.submit({ messages: 'hi' })
  await settled()
  await send(token('Hel'))
  await run.stop()
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  expect(aborts).toEqual([true])
  const again = thread.submit({ messages: 'more' })
  await settled()
  await send(token('Sure'), '[DONE]')
  await again.result
  expect(shown(thread)).toEqual([
    ['user', 'hi', 'done'],
    ['assistant', 'Hel', 'cut'],
    ['user', 'more', 'done'],
    ['assistant', 'Sure', 'done'],
  ])
})

test('a refusal leaves the message marked, and sending it again is a new request', async () => {
  let isBusy = true
  const made = backend()
  const fetching: typeof fetch = (...request) =>
    isBusy ? Promise.resolve(new Response('no', { status: 403 })) : made.fetch(...request)
  const thread = threadOver(plain({ url: 'https://x.test/chat', fetch: fetching }))
  expect(await thread.submit({ messages: 'hi' }).result).toMatchObject({ error: { code: 'FORBIDDEN' } })
  expect(thread.getSnapshot().messages).toMatchObject([{ content: 'hi', delivery: 'failed' }])
  isBusy = false
  const run = thread.retry()
  await settled()
  await made.send(token('Hello'), '[DONE]')
  expect(await run?.result).toMatchObject({ status: 'done' })
  expect(shown(thread).map(([, content]) => content)).toEqual(['hi', 'Hello'])
})

test('frames of any shape are mapped, and posted bodies are the caller’s', async () => {
  const { calls, fetch, send, close } = backend()
  const transport = plain({
    url: 'https://x.test/chat',
    method: 'POST',
    fetch,
    end: 'close',
    body: ({ text, messages }) => ({ prompt: text, turns: messages.length }),
    map: (data) => ({ type: 'token', content: data }),
  })
  const thread = threadOver(transport)
  const run = thread.submit({ messages: 'hi' })
  await settled()
  expect(calls[0]).toMatchObject({ method: 'POST', json: { prompt: 'hi', turns: 1 } })
  await send('Hel', 'lo')
  await close()
  expect(await run.result).toMatchObject({ status: 'done' })
  expect(shown(thread).at(-1)).toEqual(['assistant', 'Hello', 'done'])
})

test('frames of any shape are mapped over a WebSocket, too', async () => {
  const { sockets, WebSocket } = fakeSockets()
  const map = (data: string): PlainFrame[] => (data === 'bye' ? [{ type: 'done' }] : [{ type: 'token', content: data }])
  const thread = threadOver(plain({ url: 'wss://x.test/chat', webSocket: WebSocket, map }))
  const run = thread.submit({ messages: 'hi' })
  await settled()
  sockets[0]!.open()
  sockets[0]!.serve('Hel', 'lo', 'bye')
  expect(await run.result).toMatchObject({ status: 'done' })
  expect(shown(thread).at(-1)).toEqual(['assistant', 'Hello', 'done'])
})

test('the same over a WebSocket, which is told when the run is stopped', async () => {
  const { sockets, WebSocket } = fakeSockets()
  const thread = threadOver(plain({ url: 'ws://x.test/chat', webSocket: WebSocket }))
  const run = thread.submit({ messages: 'hi' })
  await settled()
  sockets[0]!.open()
  expect(sockets[0]).toMatchObject({ url: 'ws://x.test/chat', sent: [{ query: 'hi', messages: [{ content: 'hi' }] }] })
  sockets[0]!.serve(token('Hello'), { type: 'done' })
  expect(await run.result).toMatchObject({ status: 'done' })
  const stopped = thread.submit({ messages: 'more' })
  await settled()
  sockets[1]!.open()
  sockets[1]!.serve(token('Su'))
  await settled()
  await stopped.stop()
  expect(await stopped.result).toMatchObject({ status: 'cancelled' })
  expect(sockets[1]).toMatchObject({ sent: [{}, { type: 'cancel' }], isClosed: true })
  expect(shown(thread).map(([, content]) => content)).toEqual(['hi', 'Hello', 'more', 'Su'])
})

test('the AI SDK’s routes get the conversation as its UI has it', async () => {
  const { calls, fetch, send } = backend()
  const thread = threadOver(aiSdk({ api: 'https://x.test/api/chat', fetch }))
  const run = thread.submit({ messages: 'hi' })
  await settled()
  await send(
    { type: 'start', messageId: 'm' },
    { type: 'text-start', id: '1' },
    { type: 'text-delta', id: '1', delta: 'Look: ' },
    { type: 'text-end', id: '1' },
    { type: 'tool-input-available', toolCallId: 'c', toolName: 'look', input: { a: 1 } },
    { type: 'tool-output-available', toolCallId: 'c', output: 'sun' },
    { type: 'finish' },
    '[DONE]',
  )
  await run.result
  thread.submit({ messages: 'more' })
  await settled()
  expect(calls[0]).toMatchObject({
    url: 'https://x.test/api/chat',
    json: { id: 't', trigger: 'submit-message', messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }] },
  })
  expect((calls[1]!.json as { messages: unknown[] }).messages).toMatchObject([
    { role: 'user' },
    {
      id: 'm',
      role: 'assistant',
      parts: [
        { type: 'text', text: 'Look: ' },
        { type: 'tool-look', toolCallId: 'c', state: 'output-available', input: { a: 1 }, output: 'sun' },
      ],
    },
    { role: 'user', parts: [{ type: 'text', text: 'more' }] },
  ])
})

/** What a backend of the AI SDK says: an answer in these pieces. */
function told(...pieces: string[]): object[] {
  const start = [
    { type: 'start', messageId: 'm' },
    { type: 'text-start', id: '1' },
  ]
  return [...start, ...pieces.map((delta) => ({ type: 'text-delta', id: '1', delta }))]
}

const END = [{ type: 'text-end', id: '1' }, { type: 'finish' }, '[DONE]']

test('an answer that is told again is read off screen and takes the place of what was shown, once', async () => {
  const { calls, fetch, send, cut } = backend()
  const timing = fakeTiming()
  const transport = aiSdk({ api: 'https://x.test/api/chat', resume: true, fetch })
  const thread = createClient({ transport, timing }).thread({ graph: 'chat', threadId: 't' })
  const seen: string[] = []
  thread.subscribe(() => {
    const text = thread.getSnapshot().messages.at(-1)?.content ?? ''
    if (seen.at(-1) !== text) seen.push(text)
  })
  const run = thread.submit({ messages: 'hi' })
  await settled()
  await send(...told('Hel', 'lo '))
  await cut()
  await timing.advance(250)
  expect(calls[1]).toMatchObject({ url: 'https://x.test/api/chat/t/stream', method: 'GET' })
  await send(...told('Hello'))
  expect(thread.getSnapshot().messages.at(-1)?.content).toBe('Hello ')
  await cut()
  await timing.advance(500)
  await send(...told('Hello', ' wor'))
  await send({ type: 'text-delta', id: '1', delta: 'ld' }, ...END)
  expect(await run.result).toMatchObject({ status: 'done' })
  expect(shown(thread)).toEqual([
    ['user', 'hi', 'done'],
    ['assistant', 'Hello world', 'done'],
  ])
  expect(seen.every((text, i) => text.startsWith(seen[i - 1] ?? '') || seen[i - 1] === 'hi')).toBe(true)
})

test('the conversation before an answer that is told again stays as it was', async () => {
  const { fetch, send, cut } = backend()
  const timing = fakeTiming()
  const transport = aiSdk({ api: 'https://x.test/api/chat', resume: true, fetch })
  const thread = createClient({ transport, timing }).thread({ graph: 'chat', threadId: 't' })
  const before = thread.submit({ messages: 'one' })
  await settled()
  await send(
    { type: 'start', messageId: 'm0' },
    { type: 'text-start', id: '1' },
    { type: 'text-delta', id: '1', delta: 'first' },
    ...END,
  )
  await before.result
  const kept = thread.getSnapshot().messages.slice(0, 2)
  const run = thread.submit({ messages: 'two' })
  await settled()
  await send(...told('sec'))
  await cut()
  await timing.advance(250)
  await send(...told('second'), ...END)
  await run.result
  expect(shown(thread).map(([, content]) => content)).toEqual(['one', 'first', 'two', 'second'])
  expect(thread.getSnapshot().messages.slice(0, 2)).toEqual(kept)
})

test('an answer that is not there to be told again was cut', async () => {
  let asked = 0
  const made = backend()
  const fetching: typeof fetch = (...request) =>
    asked++ === 0 ? made.fetch(...request) : Promise.resolve(new Response(null, { status: 204 }))
  const timing = fakeTiming()
  const transport = aiSdk({ api: 'https://x.test/api/chat', resume: true, fetch: fetching })
  const thread = createClient({ transport, timing }).thread({ graph: 'chat', threadId: 't' })
  const run = thread.submit({ messages: 'hi' })
  await settled()
  await made.send(...told('Hel'))
  await made.cut()
  await timing.advance(250)
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED' } })
  expect(shown(thread).at(-1)).toEqual(['assistant', 'Hel', 'cut'])
})

test('OpenAI’s streams and AG-UI’s agents are asked in their own words', async () => {
  const openAi = backend()
  const chat = threadOver(openAiStream({ url: 'https://x.test/v1/chat/completions', model: 'm', fetch: openAi.fetch }))
  const asked = chat.submit({ messages: 'hi' })
  await settled()
  expect(openAi.calls[0]?.json).toEqual({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
  await openAi.send({ id: 'x', choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: 'stop' }] }, '[DONE]')
  expect(await asked.result).toMatchObject({ status: 'done' })
  expect(shown(chat).at(-1)).toEqual(['assistant', 'Hello', 'done'])

  const responses = backend()
  const other = threadOver(
    openAiStream({ url: 'https://x.test/v1/responses', protocol: 'responses', fetch: responses.fetch }),
  )
  other.submit({ messages: 'hi' })
  await settled()
  expect(responses.calls[0]?.json).toEqual({ stream: true, input: [{ role: 'user', content: 'hi' }] })

  const agent = backend()
  const thread = threadOver(agUi({ url: 'https://x.test/agent', fetch: agent.fetch }))
  const run = thread.submit({ messages: 'hi' })
  await settled()
  expect(agent.calls[0]?.json).toMatchObject({
    threadId: 't',
    runId: run.id,
    messages: [{ role: 'user', content: 'hi' }],
    tools: [],
  })
  await agent.send({ type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', delta: 'Hello' }, { type: 'RUN_FINISHED' })
  expect(await run.result).toMatchObject({ status: 'done' })
  expect(shown(thread).at(-1)).toEqual(['assistant', 'Hello', 'done'])
})
