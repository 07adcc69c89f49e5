// @vitest-environment jsdom
import { PROTOCOL_VERSION, type RunEvent } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import type { Trouble } from '../../stack/bad-network.ts'
import { runSplits } from '../../stack/splits.ts'
import { ANSWER, chat } from './graphs.ts'
import { advance, rigs, type PageOptions } from './rig.tsx'

const rig = rigs()

/** Trouble on the first exchanges that stream, none on those after. */
const first = (...troubles: Trouble[]): Required<Pick<PageOptions, 'trouble'>> => ({
  trouble: (exchange) => troubles[exchange] ?? {},
})

/** Asks on a page with this trouble; answers the page once all is over, having held it against the log. */
async function converse(given: PageOptions, waitMs = 800) {
  const made = rig(chat())
  const page = made.page(given)
  void page.stream.submit({ messages: 'hi' })
  await advance(waitMs)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.told).toBe(await made.toldByLog())
  // Whatever was shown was the beginning of what was said.
  expect(page.shown.filter(([, text = '']) => !ANSWER.startsWith(text))).toEqual([])
  page.unmount()
  return { page, made }
}

test('[row 13] a start whose answer was lost is sent again as the same run', async () => {
  let runs = 0
  const made = rig(chat({ before: () => runs++ }))
  const page = made.page(first({ instead: 'lost' }, { instead: 'lost' }, { instead: 'refused' }))
  void page.stream.submit({ messages: 'hi' })
  await advance(3000)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(runs).toBe(1)
})

test('[row 16] a page that is quiet for minutes keeps its one connection by heartbeats', async () => {
  const made = rig(chat())
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(2000)
  const before = page.exchanges.length
  await advance(300_000)
  expect(page.exchanges.length).toBe(before)
  expect(page.exchanges.filter(({ isOpen }) => isOpen)).toHaveLength(1)
  expect(page.stream.connection).toMatchObject({ phase: 'open', stalled: false })
})

test.each(['fin', 'rst'] as const)('[row 19] a stream cut by %s at any place ends whole on the page', async (how) => {
  for (let atByte = 0; atByte < 2600; atByte += 201) {
    const { page } = await converse(first({ cut: { atByte, how } }))
    expect(page.exchanges.length).toBeGreaterThan(1)
  }
})

test('[row 20] a stream that is cut again and again gets on as long as something comes each time', async () => {
  const { page } = await converse({ trouble: () => ({ cut: { atByte: 700, how: 'rst' } }) }, 20_000)
  expect(page.exchanges.length).toBeGreaterThan(3)
})

test('[row 21] an event that comes twice changes nothing', async () => {
  for (let place = 0; place < 8; place++) {
    const { page } = await converse(first({ blocks: { place, what: 'twice' } }))
    expect(page.exchanges).toHaveLength(2)
  }
})

test('[row 22] events that overtake each other are never applied out of order', async () => {
  for (let place = 0; place < 8; place++) {
    const { page } = await converse(first({ blocks: { place, what: 'swap' } }), 20_000)
    expect(page.errors).toEqual([])
  }
})

test('[row 23] an event that is lost is noticed by the next one, or by the heartbeat', async () => {
  for (let place = 0; place < 16; place++) {
    const { page } = await converse(first({ blocks: { place, what: 'drop' } }), 20_000)
    expect(page.errors).toEqual([])
  }
})

test.each([0, 1, 600])(
  '[row 24] a connection that falls silent at byte %d is noticed and opened anew',
  async (atByte) => {
    const made = rig(chat())
    const page = made.page(first({ cut: { atByte, how: 'stall' } }))
    void page.stream.submit({ messages: 'hi' })
    await advance(37_000)
    expect(page.texts[1]).not.toBe(ANSWER)
    await advance(2000)
    expect(page.texts).toEqual(['hi', ANSWER])
  },
)

test('[row 25] bytes read the same however they are cut, whatever their line ends, marks and broken characters', async () => {
  let pieces = 0
  for (let seed = 1001; seed <= 1100; seed++) pieces += runSplits(seed, 20)
  expect(pieces).toBeGreaterThan(20_000)
  await converse({ trouble: () => ({ pieces: 1 }) })
})

test('[row 26] half an event at the end of a body is not seen', async () => {
  const made = rig(chat())
  const told: unknown[] = []
  const page = made.page({
    ...first({ cut: { atByte: 1100, how: 'fin' } }),
    options: { onEvent: (event) => told.push(event) },
  })
  void page.stream.submit({ messages: 'hi' })
  await advance(4000)
  const { events } = await (await made.store.openLog('', 'thread')).read(0, 1000)
  const known = new Set(events.map(({ seq }) => seq))
  expect(told.length).toBeGreaterThan(5)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.told).toBe(await made.toldByLog())
  expect(known.size).toBeGreaterThan(0)
})

test('[row 27] what a proxy holds back comes late and right, and proxies are asked not to', async () => {
  const { made } = await converse({ trouble: () => ({ heldBytes: 16 * 1024 }) })
  const response = await made.app.fetch(new Request('http://server.test/v1/threads/thread/events'))
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  expect(response.headers.get('cache-control')).toBe('no-store, no-transform')
  await response.body?.cancel()
})

test.each<[string, Trouble['instead']]>([
  ['a page for people', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' }],
  ['another type', { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }],
  ['the way to a sign-in', { status: 302, headers: { location: 'https://elsewhere.test/login' } }],
])('[row 28] %s instead of a stream is a typed error, at once', async (_name, instead) => {
  const made = rig(chat())
  const page = made.page({ trouble: () => ({ instead: instead! }), headers: () => ({ authorization: 'secret' }) })
  void page.stream.submit({ messages: 'hi' })
  await advance(60_000)
  expect(page.stream.error).toMatchObject({ code: 'PROTOCOL_MISMATCH' })
  expect(page.exchanges.length).toBeLessThan(5)
  expect(page.exchanges.every(({ path }) => path.startsWith('/v1/threads/thread'))).toBe(true)
})

test('[row 29] an event of ten megabytes arrives', async () => {
  const made = rig(chat({ before: (ctx) => ctx.writer('x'.repeat(10_000_000), 'big') }))
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(2000)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.stream.handle.getSnapshot().progress('big')?.data).toHaveLength(10_000_000)
})

test('[row 29] a line without an end is a typed error, and not collected', async () => {
  let sent = 0
  const piece = new Uint8Array(65_536).fill('x'.charCodeAt(0))
  const body = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: ')),
      pull(controller) {
        sent += piece.length
        controller.enqueue(piece)
      },
    })
  const headers = { 'content-type': 'text/event-stream' }
  const page = rig(chat()).page({
    maxEventBytes: 1024 * 1024,
    trouble: () => ({ instead: { status: 200, headers, body: body() } }),
  })
  await advance(5000)
  expect(page.stream.error).toMatchObject({ code: 'LIMIT_EXCEEDED' })
  expect(sent).toBeLessThan(3 * 1024 * 1024)
})

test('[row 30] an event that makes no sense is skipped and counted, and never met again and again', async () => {
  for (let place = 0; place < 12; place++) {
    const made = rig(chat())
    const page = made.page(first({ blocks: { place, what: 'garble' } }))
    void page.stream.submit({ messages: 'hi' })
    await advance(20_000)
    expect(page.stream.isLoading).toBe(false)
    expect(page.exchanges.length).toBeLessThan(6)
    const isCounted = page.stream.handle.getSnapshot().state.ignored > 0
    expect(isCounted || page.told === (await made.toldByLog())).toBe(true)
    page.unmount()
  }
})

test('[row 31] events of a later version are counted and skipped, and all others are shown', async () => {
  async function* events(_input: unknown, { runId: run = 'r' }: { runId?: string } = {}): AsyncGenerator<RunEvent> {
    yield { type: 'run.start', run, protocol: PROTOCOL_VERSION + 7 }
    // As a later version would have them.
    yield { type: 'hologram', run, depth: 3 } as unknown as RunEvent
    yield { type: 'message', run, message: { id: 'm', role: 'assistant', content: 'hello' }, depth: 3 } as RunEvent
    yield { type: 'run.end', run, status: 'done' }
  }
  const page = rig({ events }).page()
  void page.stream.submit({ messages: 'hi' })
  await advance(1000)
  expect(page.texts).toContain('hello')
  expect(page.stream.handle.getSnapshot().state.ignored).toBe(1)
  expect(page.stream.status).toBe('idle')
})
