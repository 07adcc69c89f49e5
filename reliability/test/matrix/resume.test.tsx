// @vitest-environment jsdom
import { createApp, memoryStore } from '@rivulet/server'
import { systemTiming } from '@rivulet/client'
import { expect, test, vi } from 'vitest'
import type { Trouble } from '../../stack/bad-network.ts'
import { ANSWER, chat } from './graphs.ts'
import { act } from '@testing-library/react'
import { advance, THREAD, rigs, type Page, type PageOptions } from './rig.tsx'

const rig = rigs()

const answer = (status: number, headers: Record<string, string> = {}): Trouble => ({ instead: { status, headers } })
/** Cuts the stream of the run in its middle, then answers these in turn. */
const thenAnswers =
  (...troubles: Trouble[]) =>
  (exchange: number): Trouble =>
    exchange < 2 ? { cut: { atByte: 900, how: 'rst' } } : (troubles[exchange - 2] ?? {})

/** A page whose run was cut in the middle of its answer; the server says what the troubles say. */
async function cutPage(given: PageOptions) {
  const made = rig(chat())
  const page = made.page(given)
  await advance(0)
  void page.stream.submit({ messages: 'hi' })
  await advance(300)
  return { made, page }
}

const half = (page: Page) => page.texts[1] !== undefined && page.texts[1] !== ANSWER && ANSWER.startsWith(page.texts[1])

test('[row 32] credentials that ran out are asked for once more, and the stream goes on', async () => {
  const asked: boolean[] = []
  const headers = ({ rejected }: { rejected: boolean }) => {
    asked.push(rejected)
    return { authorization: 'x' }
  }
  const { made, page } = await cutPage({ trouble: thenAnswers(answer(401)), headers })
  await advance(4000)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(asked.filter((rejected) => rejected)).toHaveLength(1)
  expect(page.told).toBe(await made.toldByLog())
})

test.each([
  [401, 'AUTH_REQUIRED'],
  [403, 'FORBIDDEN'],
])('[row 32] a reader that is answered %d for good is told %s and keeps its text', async (status, code) => {
  const always = Array.from({ length: 20 }, () => answer(status))
  const { page } = await cutPage({ trouble: thenAnswers(...always), headers: () => ({ authorization: 'x' }) })
  await advance(20_000)
  expect(page.stream.error).toMatchObject({ code })
  expect(half(page)).toBe(true)
  expect(page.exchanges.length).toBeLessThan(8)
})

test('[row 33] a cursor that is gone leads to a snapshot and what follows', async () => {
  const { made, page } = await cutPage({ trouble: thenAnswers(answer(410)) })
  await advance(4000)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.told).toBe(await made.toldByLog())
})

test('[row 33] a log that was trimmed while nobody read it leads to a snapshot and what follows', async () => {
  const store = memoryStore({ log: { maxEvents: 5 } })
  const made = rig(chat(), { store })
  const page = made.page({ trouble: (exchange) => (exchange < 2 ? { cut: { atByte: 700, how: 'rst' } } : {}) })
  void page.stream.submit({ messages: 'hi' })
  await advance(6000)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.told).toBe(await made.toldByLog())
})

test('[row 34] a run that is refused names the one under way, which the page goes on to show', async () => {
  const made = rig(chat({ delayMs: 40 }))
  const one = made.page()
  const run = one.stream.submit({ messages: 'first' })
  await advance(100)
  const other = made.page()
  await advance(60)
  const refused = other.stream.submit({ messages: 'second' })
  await advance(100)
  expect((await refused.result).error).toMatchObject({ code: 'RUN_CONFLICT', run: run.id })
  await advance(3000)
  expect(other.texts).toEqual(['first', ANSWER, 'second'])
})

test.each([
  ['seconds', () => '7'],
  ['a date', () => new Date(Date.now() + 7000).toUTCString()],
])('[row 35] a server that asks for time in %s gets it', async (_name, value) => {
  const busy = (): Trouble => answer(503, { 'retry-after': value() })
  const { page } = await cutPage({ trouble: (exchange) => (exchange === 2 ? busy() : thenAnswers()(exchange)) })
  await advance(300)
  const before = page.exchanges.length
  await advance(4000)
  expect(page.exchanges.length).toBe(before)
  await advance(5000)
  expect(page.texts).toEqual(['hi', ANSWER])
})

test('[row 36] a server that came back with another log is read from its snapshot', async () => {
  const { made, page } = await cutPage({ trouble: thenAnswers() })
  const store = memoryStore()
  const graph = chat({ turns: 'another life' })
  const app = createApp({ graphs: { chat: graph }, store })
  const body = JSON.stringify({ graph: 'chat', input: { messages: ['elsewhere'] } })
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  await app.fetch(new Request(`http://server.test/v1/threads/${THREAD}/runs`, request))
  made.replace(app)
  await made.app.close({ graceMs: 0 })
  await advance(20_000)
  expect(page.texts.slice(0, 2)).toEqual(['elsewhere', 'another life'])
  const log = await store.openLog('', THREAD)
  expect(page.stream.handle.getSnapshot().state.log).toBe(log.id)
})

test('[row 37] a page that slept for ten minutes opens one connection and is drawn at once', async () => {
  let asleepMs = 0
  const timing = { now: () => systemTiming.now() + asleepMs }
  const { page } = await cutPage({
    trouble: (exchange) => (exchange < 2 ? { cut: { atByte: 900, how: 'stall' } } : {}),
    timing,
  })
  await advance(2000)
  expect(half(page)).toBe(true)
  const [exchanges, renders] = [page.exchanges.length, page.renders]
  asleepMs = 600_000
  await act(async () => void window.dispatchEvent(new Event('online')))
  await advance(1000)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.exchanges.length - exchanges).toBeLessThanOrEqual(2)
  // Each counts twice in StrictMode.
  expect(page.renders - renders).toBeLessThanOrEqual(16)
})

test('[row 38] a network that comes and goes never has two connections, and is used as soon as it is there', async () => {
  let isThere = false
  const trouble = (exchange: number): Trouble =>
    isThere ? {} : exchange < 2 ? { cut: { atByte: 900, how: 'rst' } } : { instead: 'refused' }
  const timing = { isOnline: () => isThere }
  const { page } = await cutPage({ trouble, timing })
  for (let flap = 0; flap < 20; flap++) {
    await act(async () => void window.dispatchEvent(new Event('online')))
    await advance(0)
    expect(page.exchanges.filter(({ isOpen }) => isOpen).length).toBeLessThanOrEqual(1)
  }
  expect(half(page)).toBe(true)
  isThere = true
  await act(async () => void window.dispatchEvent(new Event('online')))
  await advance(100)
  expect(page.texts).toEqual(['hi', ANSWER])
})

test.each([86_400_000, -86_400_000])('[row 39] a clock that is set by %d ms changes nothing', async (ms) => {
  const made = rig(chat())
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(200)
  const exchanges = page.exchanges.length
  vi.setSystemTime(Date.now() + ms)
  await advance(3000)
  expect(page.texts).toEqual(['hi', ANSWER])
  await advance(60_000)
  expect(page.exchanges.length - exchanges).toBeLessThanOrEqual(1)
  expect(page.stream.connection.phase).toBe('open')
})

test('[row 40] a page that is left at any moment leaves no connection, no failure and one end', async () => {
  for (let steps = 0; steps < 16; steps++) {
    const made = rig(chat())
    const page = made.page()
    const run = page.stream.submit({ messages: 'hi' })
    for (let step = 0; step < steps; step++) await vi.advanceTimersByTimeAsync(9)
    if (steps % 2 === 0) void page.stream.stop()
    page.unmount()
    await advance(5000)
    expect(page.exchanges.filter(({ isOpen }) => isOpen)).toEqual([])
    expect(made.app.openStreams).toBe(0)
    const log = await made.store.openLog('', THREAD).catch(() => undefined)
    const ends = (await log?.read(0, 1000))?.events.filter(({ type }) => type === 'run.end') ?? []
    expect(ends.length).toBeLessThanOrEqual(1)
    expect((await run.result).status).toMatch(/^(done|cancelled|error)$/)
  }
})
