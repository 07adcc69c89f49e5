import { aiSdk, createClient, plain, type Transport } from '@rivulet/client'
import { foldAll, emptyState, messagesOf, type RivuletEvent } from '@rivulet/protocol'
import { createAiSdkEncoder } from '@rivulet/protocol/wires/ai-sdk'
import { createLangGraphEncoder } from '@rivulet/protocol/wires/langgraph'
import { createPlainEncoder } from '@rivulet/protocol/wires/plain'
import { expect, test } from 'vitest'
import { faults, foreignFetch, pump, script, type Pump } from '../src/index.ts'

const chat = script().run().token('Hel').token('lo 🌍').end().run().token('More.').end()

/** What a page shows over this transport, in the middle of the first answer and after the second. */
async function shownOver(p: Pump, transport: Transport): Promise<unknown[]> {
  const thread = createClient({ transport, timing: p.timing }).thread({ graph: 'g', threadId: 'foreign' })
  const contents = () => thread.getSnapshot().messages.map(({ content }) => content)
  thread.submit({ messages: 'hi' })
  await p.until('message.delta')
  const half = contents()
  await p.drain()
  thread.submit({ messages: 'and?' })
  await p.drain()
  const shown = [half, contents(), thread.getSnapshot().status]
  thread.dispose()
  return shown
}

const expected = [['hi', 'Hel'], ['hi', 'Hello 🌍', 'and?', 'More.'], 'idle']

test('a script streams to who reads plain tokens', async () => {
  const p = pump(chat)
  const fetch = foreignFetch(p, createPlainEncoder)
  expect(await shownOver(p, plain({ url: 'http://plain.test', fetch }))).toEqual(expected)
})

test('a script streams to who reads the AI SDK’s stream', async () => {
  const p = pump(chat)
  const fetch = foreignFetch(p, createAiSdkEncoder)
  expect(await shownOver(p, aiSdk({ api: '/api/chat', fetch }))).toEqual(expected)
})

test('a script streams to who reads LangGraph’s classic stream', async () => {
  const p = pump(chat)
  const answer = await foreignFetch(p, createLangGraphEncoder)('http://langgraph.test/runs/stream')
  const body = answer.text()
  await p.drain()
  const text = await body
  expect(text).toContain('event: metadata')
  expect(text).toContain('event: messages')
  expect(text).toContain('"Hel"')
  expect(text).toContain('event: values')
})

test('a foreign stream that breaks in the middle is told, as it cannot be resumed', async () => {
  const p = pump(chat)
  const cut = faults.cut({ afterEvent: 4 }, 'rst')
  const transport = plain({ url: 'http://plain.test', fetch: foreignFetch(p, createPlainEncoder, { faults: [cut] }) })
  const thread = createClient({ transport, timing: p.timing }).thread({ graph: 'g', threadId: 'foreign' })
  const run = thread.submit({ messages: 'hi' })
  await p.drain()
  await p.advance(60_000)
  expect((await run.result).error?.code).toBe('DISCONNECTED')
  expect(thread.getSnapshot().messages[1]).toMatchObject({ content: 'Hel', status: 'cut' })
  thread.dispose()
})

test('without a wire the script is the event model itself', async () => {
  const p = pump(chat)
  const events: RivuletEvent[] = []
  const reading = (async () => {
    for await (const event of p.graph.events({ messages: 'hi' }, { runId: 'r' }))
      events.push({ ...event, seq: events.length + 1 })
  })()
  await p.drain()
  await reading
  expect(messagesOf(foldAll(emptyState(), events)).map(({ content }) => content)).toEqual(['hi', 'Hello 🌍'])
})
