import { createClient, fetchTransport, systemTiming, type Timing, type Transport } from '@rivulet/client'
import { serializeState, type ThreadState } from '@rivulet/protocol'
import { setupServer } from 'msw/node'
import { expect, onTestFinished, test } from 'vitest'
import { faults, memoryTransport, script, type FaultPlan } from '../src/index.ts'
import { mswHandlers } from '../src/msw/index.ts'
import { chaosProxy, serveScript } from '../src/node/index.ts'

/** A bit of everything: a run of somebody else, tools, a failed attempt, a question, and the page's own run. */
const chat = script()
  .run('what is the weather?')
  .reasoning('They ask ')
  .reasoning('for weather.')
  .token('I will ')
  .token('lo')
  .rewind()
  .token('Let me look 🌦')
  .tool('weather', { args: { city: 'Zürich' }, slices: 3 })
  .tool('time', { args: {}, output: '12:00' })
  .progress({ done: 1, total: 2 })
  .custom({ note: 'nearly' }, { name: 'note' })
  .result({ rain: true }, { tool: 'run1-call1' })
  .token('It rains.')
  .values({ city: 'Zürich' })
  .node('research', { ns: ['research:1'] })
  .token('below')
  .node('agent')
  .error({ code: 'PROVIDER_FAILED', message: 'slow today' })
  .interrupt({ question: 'Send it?' })
  .resume(true)
  .token('Sent.')
  .end()

/** Retries are not waited for. */
const impatient: Timing = {
  ...systemTiming,
  after(delayMs, fn) {
    if (delayMs > 20_000) return () => {}
    const timer = setImmediate(fn)
    return () => clearImmediate(timer)
  },
}

/** The state that a thread comes to over this transport. */
async function stateOver(transport: Transport): Promise<unknown> {
  const thread = createClient({ transport, timing: impatient }).thread({ graph: 'agent', threadId: 't' })
  const whole = new Promise<ThreadState>((resolve) => {
    thread.subscribe(() => {
      const { state } = thread.getSnapshot()
      if (state.runs.get('run2')?.status === 'done') resolve(state)
    })
  })
  thread.follow()
  const state = await whole
  thread.dispose()
  return { cursor: state.cursor, ...serializeState(state) }
}

const url = 'http://backend.test'

async function overMsw(plan: FaultPlan): Promise<unknown> {
  const server = setupServer(...mswHandlers(chat, { url, faults: plan }))
  server.listen({ onUnhandledRequest: 'error' })
  try {
    return await stateOver(fetchTransport({ url }))
  } finally {
    server.close()
  }
}

async function overLoopback(plan: FaultPlan): Promise<unknown> {
  const server = await serveScript(chat, { faults: plan })
  onTestFinished(() => server.close())
  return stateOver(fetchTransport({ url: server.url }))
}

test('the same script folds to the same state in memory, over msw and over a real server', async () => {
  const expected = await stateOver(memoryTransport(chat))
  expect(expected).toMatchObject({ spaces: { length: 2 }, runs: { length: 2 } })
  expect(await overMsw([])).toEqual(expected)
  expect(await overLoopback([])).toEqual(expected)
})

test.each([
  ['split into bytes', [faults.split('byte')]],
  ['cut and reset', [faults.cut({ afterEvent: 6 }), faults.cut({ afterEvent: 4 }, 'rst'), faults.cut({ atByte: 900 })]],
  ['busy at first', [faults.status(503)]],
] satisfies [string, FaultPlan][])('%s, it still does', async (_name, plan) => {
  const expected = await stateOver(memoryTransport(chat))
  expect(await stateOver(memoryTransport(chat, { faults: plan }))).toEqual(expected)
  expect(await overMsw(plan)).toEqual(expected)
  expect(await overLoopback(plan)).toEqual(expected)
})

test('a proxy on a real socket does the same to bytes', async () => {
  const expected = await stateOver(memoryTransport(chat))
  const server = await serveScript(chat)
  onTestFinished(() => server.close())
  const proxy = await chaosProxy({
    port: Number(new URL(server.url).port),
    faults: [faults.cut({ atByte: 1500 }, 'rst'), [faults.split(3), faults.cut({ atByte: 900 })], faults.split('byte')],
  })
  onTestFinished(() => proxy.close())
  expect(await stateOver(fetchTransport({ url: proxy.url }))).toEqual(expected)
  expect(proxy.connections).toBe(3)
})
