import { emptyState, encodeFrame, serializeState, wireState, type RunEvent } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { createClient, type ClientOptions } from '../../src/client.ts'
import type { ThreadStore } from '../../src/store/thread-store.ts'
import { fakeTiming, settled, type FakeTiming } from '../fake-timing.ts'
import { chatRun, eventsFrame, LOG, stamped, sync } from '../pump.ts'

/** What is seen of a connection from outside: by the server, and in the thread's snapshot. */

/** One request that the client sent; the test answers it, and then its body. */
interface Asked {
  readonly path: string
  readonly body: Record<string, unknown> | undefined
  readonly headers: Headers
  readonly signal: AbortSignal
  /** Answers with an event stream that begins with these frames. */
  stream(...text: string[]): void
  /** More of that stream. */
  send(...text: string[]): void
  /** Its end. */
  end(): void
  answer(response: Response): void
}

interface Bench {
  readonly asked: readonly Asked[]
  readonly timing: FakeTiming
  readonly thread: ThreadStore
  readonly client: ReturnType<typeof createClient>
}

const text = new TextEncoder()

function bench(options: Partial<Extract<ClientOptions, { url: string }>> = {}): Bench {
  const asked: Asked[] = []
  const timing = fakeTiming()
  const answering: typeof fetch = (address, { body, headers, signal } = {}) =>
    new Promise((resolve, reject) => {
      const { pathname, search } = new URL(address as string)
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined
      const send = (...parts: string[]) => {
        for (const part of parts) controller?.enqueue(text.encode(part))
      }
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
      asked.push({
        path: pathname + search,
        body: typeof body === 'string' ? (JSON.parse(body) as Record<string, unknown>) : undefined,
        headers: new Headers(headers),
        signal: signal!,
        stream(...parts) {
          const stream = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) })
          resolve(new Response(stream, { headers: { 'content-type': 'text/event-stream' } }))
          send(...parts)
        },
        send,
        end: () => controller?.close(),
        answer: resolve,
      })
    })
  const client = createClient({ url: 'http://example.test', fetch: answering, timing, ...options })
  return { asked, timing, client, thread: client.thread({ graph: 'g', threadId: 't' }) }
}

/** The text of these events of the log, as a body has them. */
function written(events: readonly RunEvent[], from = 1): string[] {
  const wire = wireState()
  return [sync('replay', from - 1), ...stamped(events, from)].map((event) => encodeFrame(eventsFrame(event), wire))
}

const run = chatRun('r', { id: 'u', content: 'hi' }, ['Hel', 'lo'])
const HALF = 5

/** A thread whose run is half told. */
async function halfTold(options?: Parameters<typeof bench>[0]) {
  const made = bench(options)
  const handle = made.thread.submit({ messages: { id: 'u', role: 'user', content: 'hi' } }, { run: 'r' })
  await settled()
  made.asked[0]!.stream(...written(run.slice(0, HALF)))
  await settled()
  return { ...made, handle, last: () => made.asked.at(-1)! }
}

const phase = ({ thread }: Pick<Bench, 'thread'>) => thread.getSnapshot().connection.phase

test('what a connection is doing is data: idle, connecting, open, waiting, and idle again', async () => {
  const made = bench()
  expect(phase(made)).toBe('idle')
  const handle = made.thread.submit({ messages: 'hi' }, { run: 'r' })
  await settled()
  expect(phase(made)).toBe('connecting')
  made.asked[0]!.stream(...written(run.slice(0, HALF)))
  await settled()
  expect(phase(made)).toBe('open')
  made.asked[0]!.end()
  await settled()
  expect(made.thread.getSnapshot().connection).toMatchObject({
    phase: 'waiting',
    attempt: 1,
    error: { code: 'DISCONNECTED' },
  })
  expect(made.thread.getSnapshot().connection.nextRetryAt).toBeLessThanOrEqual(made.timing.epochMs() + 250)
  await made.timing.advance(250)
  made.asked[1]!.stream(...written(run.slice(HALF), HALF + 1))
  expect((await handle.result).status).toBe('done')
  await settled()
  expect(phase(made)).toBe('idle')
})

test('a lost connection is opened again within 250 ms, behind what was read; then the waits double', async () => {
  const { asked, timing, last } = await halfTold()
  last().end()
  await settled()
  for (const longestMs of [250, 500, 1000, 2000]) {
    const before = asked.length
    await timing.advance(longestMs / 2 - 1)
    expect(asked).toHaveLength(before)
    await timing.advance(longestMs / 2 + 1)
    expect(asked).toHaveLength(before + 1)
    expect(new URL(last().path, 'http://x').searchParams.get('after')).toBe(`${LOG}.${HALF}`)
    last().answer(new Response('', { status: 503 }))
    await settled()
  }
})

test('chance spreads the waits, between half of the longest and all of it', async () => {
  for (const [chance, delayMs] of [
    [0, 125],
    [0.5, 188],
    [1, 250],
  ] as const) {
    const { timing, last } = await halfTold()
    timing.chance = chance
    last().end()
    await settled()
    expect(Math.round(Math.min(...timing.delays))).toBe(delayMs)
  }
})

test('a server that asks for time gets it, in seconds or until a date', async () => {
  for (const value of ['7', new Date(Date.now() + 7_000).toUTCString()]) {
    const { asked, timing, last } = await halfTold()
    last().end()
    await settled()
    await timing.advance(250)
    last().answer(new Response('', { status: 503, headers: { 'retry-after': value } }))
    await settled()
    const before = asked.length
    // A date has no fractions of a second.
    await timing.advance(5_000)
    expect(asked).toHaveLength(before)
    await timing.advance(3_000)
    expect(asked).toHaveLength(before + 1)
  }
})

test('the network’s return and a page that is looked at again end a wait at once', async () => {
  const { asked, timing, last } = await halfTold()
  last().end()
  await settled()
  timing.wake()
  await settled()
  expect(asked).toHaveLength(2)
})

test('without a network it is offline, and however long that lasts no attempt is counted', async () => {
  const made = await halfTold({ retry: { maxAttempts: 1 } })
  made.timing.online = false
  made.last().end()
  await settled()
  expect(made.thread.getSnapshot().connection).toMatchObject({ phase: 'offline', attempt: 0 })
  for (let i = 0; i < 5; i++) {
    await made.timing.advance(10_000)
    made.last().answer(new Response('', { status: 502 }))
    await settled()
    expect(phase(made)).toBe('offline')
  }
  made.timing.online = true
  made.timing.wake()
  await settled()
  made.last().stream(...written(run.slice(HALF), HALF + 1))
  expect((await made.handle.result).status).toBe('done')
})

test('a connection that is silent for two and a half heartbeats is stalled, and another one is opened', async () => {
  const made = await halfTold({ heartbeatMs: 10_000 })
  await made.timing.advance(24_000)
  made.last().send(`: at ${LOG}.${HALF}\n\n`)
  await settled()
  await made.timing.advance(24_999)
  expect(made.last().signal.aborted).toBe(false)
  await made.timing.advance(1)
  expect(made.asked[0]!.signal.aborted).toBe(true)
  expect(made.thread.getSnapshot().connection).toMatchObject({ phase: 'waiting', stalled: true })
  await made.timing.advance(250)
  made.last().stream(...written(run.slice(HALF), HALF + 1))
  expect((await made.handle.result).status).toBe('done')
})

test('headers that were refused are asked for once more, then it is an error that says so, and the text stays', async () => {
  const reasons: boolean[] = []
  const headers = ({ rejected }: { rejected: boolean }) => {
    reasons.push(rejected)
    return { authorization: rejected ? 'new' : 'old' }
  }
  const made = await halfTold({ headers })
  made.last().end()
  await settled()
  await made.timing.advance(250)
  made.last().answer(new Response('', { status: 401 }))
  await settled()
  expect(made.last().headers.get('authorization')).toBe('new')
  made.last().answer(new Response('', { status: 401 }))
  expect((await made.handle.result).error).toMatchObject({ code: 'AUTH_REQUIRED', retryable: false })
  expect(reasons).toEqual([false, false, true])
  expect(made.thread.getSnapshot().messages.map(({ id }) => id)).toContain('u')
})

test('a cursor that is gone is given up for a snapshot and what follows', async () => {
  const made = await halfTold()
  made.last().end()
  await settled()
  await made.timing.advance(250)
  made.last().answer(Response.json({ error: { code: 'CURSOR_GONE', message: 'trimmed' } }, { status: 410 }))
  await settled()
  expect(made.last().path).not.toContain('after=')
  const empty = serializeState(emptyState())
  const wire = wireState()
  const events = [{ type: 'sync', phase: 'snapshot', log: 'new', state: empty, seq: 0 } as const, ...stamped(run)]
  made.last().stream(...events.map((event) => encodeFrame({ type: 'events', log: 'new', events: [event] }, wire)))
  expect((await made.handle.result).status).toBe('done')
  expect(made.thread.getSnapshot().messages.map(({ content }) => content)).toEqual(['hi', 'Hello'])
})

test('a thread that is busy is a conflict that names the run under way', async () => {
  const { thread, asked } = bench()
  const handle = thread.submit({ messages: 'hi' })
  await settled()
  asked[0]!.answer(Response.json({ error: { code: 'RUN_CONFLICT', message: 'busy', run: 'other' } }, { status: 409 }))
  expect((await handle.result).error).toMatchObject({ code: 'RUN_CONFLICT', run: 'other', retryable: false })
})

test('it gives up after as many attempts as it may make, or when its time is used up, and says why', async () => {
  for (const retry of [{ maxAttempts: 3 }, { maxAttempts: Infinity, budgetMs: 5_000 }]) {
    const made = await halfTold({ retry })
    made.last().end()
    await settled()
    for (let i = 0; i < 10; i++) {
      await made.timing.advance(10_000)
      made.last().answer(new Response('', { status: 503 }))
      await settled()
    }
    expect((await made.handle.result).error).toMatchObject({ code: 'DISCONNECTED', retryable: true })
    expect(made.asked.length).toBeLessThanOrEqual(5)
    expect(made.thread.getSnapshot().error?.code).toBe('DISCONNECTED')
  }
})

test('where no stream gets through, the last resort is one call without a stream for the very same run', async () => {
  const made = bench()
  const handle = made.thread.submit({ messages: 'hi' }, { run: 'r' })
  await settled()
  made.asked[0]!.answer(new Response('<html>', { status: 200, headers: { 'content-type': 'text/html' } }))
  await settled()
  const calls = made.asked.filter(({ path }) => path.endsWith('/runs?wait=1'))
  expect(calls.map(({ body }) => body?.['run'])).toEqual(['r'])
  calls[0]!.answer(Response.json({}))
  await settled()
  made.asked.at(-1)!.stream(...written(run))
  expect((await handle.result).status).toBe('done')
})
