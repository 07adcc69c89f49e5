import { createClient, type ThreadStore } from '@rivulet/client'
import { describe, expect, test } from 'vitest'
import { faults, memoryFetch, memoryTransport, pump, script, type FaultPlan, type Pump } from '../src/index.ts'
import { naiveClient } from './naive-client.ts'

const TEXT = 'Héllo, 世界 🌍!'
const chat = script().run('hi').token('Hé').token('llo, ').token('世界').token(' 🌍!').end()
/** run.start, message, values, task.start, message.start, four tokens, message.end, task.end, values, run.end. */
const SECOND_TOKEN = 7

/** Plays the chat to a naive client, half of it and then all, with time enough for anything that may still come. */
async function naively(plan: FaultPlan) {
  const p = pump({ t: chat })
  const client = naiveClient(memoryFetch(p, { faults: plan }), p.timing)
  const page = client.read('t')
  for (let i = 0; i < SECOND_TOKEN; i++) await p.next()
  const half = page.text
  await p.drain()
  await p.advance(60_000)
  return { ...page, half }
}

/** Plays the chat to the project's own client, with time enough for its retries. */
async function properly(plan: FaultPlan): Promise<{ thread: ThreadStore; p: Pump }> {
  const p = pump({ t: chat })
  const transport = memoryTransport(p, { faults: plan, maxEventBytes: 100_000 })
  const thread = createClient({ transport, timing: p.timing }).thread({ graph: 'agent', threadId: 't' })
  thread.follow()
  await p.drain()
  await p.advance(60_000)
  return { thread, p }
}

function textOf(thread: ThreadStore): string | undefined {
  return thread.getSnapshot().messages[1]?.content
}

test('without faults the naive client is right, so that its failures are the faults’ doing', async () => {
  expect(await naively([])).toEqual({ text: TEXT, half: 'Héllo, ', status: 'done', longest: 0 })
})

/** Faults after which the whole state must still be reached. */
const survivable: [string, FaultPlan][] = [
  ['a body that ends early', [faults.cut({ afterEvent: SECOND_TOKEN })]],
  ['a body that ends before its first event', [faults.cut({ afterEvent: 0 })]],
  ['a body that ends inside an event', [faults.cut({ atByte: 700 })]],
  ['a reset connection', [faults.cut({ afterEvent: SECOND_TOKEN }, 'rst')]],
  ['a reset inside a character', [faults.cut({ atByte: 777 }, 'rst')]],
  ['a connection that goes silent', [faults.cut({ afterEvent: SECOND_TOKEN }, 'stall')]],
  ['a half-open connection', [faults.halfOpen({ afterEvent: SECOND_TOKEN })]],
  ['one byte at a time', [faults.split('byte')]],
  ['line ends cut in the middle', [faults.split('crlf')]],
  ['pieces of random lengths', [faults.split(7)]],
  ['an event that comes twice', [faults.duplicate({ event: SECOND_TOKEN })]],
  ['an event that is lost', [faults.drop({ event: SECOND_TOKEN })]],
  ['a delay of each piece', [faults.delay(3_000)]],
  ['a server that is busy', [faults.status(503, { retryAfter: 2 })]],
  ['an event of the wrong shape', [faults.poison({ afterEvent: SECOND_TOKEN })]],
]

/** Faults that nobody can go on after: what is wrong must be told. */
const fatal: [string, FaultPlan, string][] = [
  ['a page for people', [faults.html()], 'PROTOCOL_MISMATCH'],
  ['a server that refuses', [faults.status(403)], 'FORBIDDEN'],
  ['data that is no JSON', [faults.poison({ afterEvent: SECOND_TOKEN, kind: 'json' })], 'PROTOCOL_MISMATCH'],
]
const oversize = faults.oversize({ afterEvent: SECOND_TOKEN, bytes: 200_000 })

describe('a naive client fails over', () => {
  test.each([...survivable, ...fatal.map(([name, plan]) => [name, plan] as const)])('%s', async (_name, plan) => {
    const { text, status } = await naively(plan)
    expect({ text, status }).not.toEqual({ text: TEXT, status: 'done' })
  })

  test('a proxy that holds everything back: nothing is seen while it streams', async () => {
    expect(await naively([faults.buffer()])).toMatchObject({ half: '', text: TEXT })
  })

  test('a line without end: it collects all of it', async () => {
    expect((await naively([oversize])).longest).toBeGreaterThan(190_000)
  })

  test('answers that overtake each other: the last one to come is not the last one asked for', async () => {
    const shown = async (plan: FaultPlan) => {
      const p = pump({ a: script().run('x').token('from a').end(), b: script().run('x').token('from b').end() })
      const client = naiveClient(memoryFetch(p, { faults: plan }), p.timing)
      client.read('a')
      client.read('b')
      await p.drain({ thread: 'a' })
      await p.drain({ thread: 'b' })
      return client.shown.text
    }
    expect(await shown([])).toBe('from b')
    expect(await shown([faults.reorder()])).toBe('from a')
  })
})

describe('the project’s own client', () => {
  test.each(survivable)('shows all of it after %s', async (_name, plan) => {
    const { thread, p } = await properly(plan)
    expect(textOf(thread)).toBe(TEXT)
    expect(thread.getSnapshot().status).toBe('idle')
    expect(thread.getSnapshot().error).toBeUndefined()
    expect(p.connections.filter(({ isOpen }) => isOpen)).toHaveLength(1)
    thread.dispose()
  })

  test.each([...fatal, ['a line without end', [oversize], 'LIMIT_EXCEEDED'] as const])(
    'says what is wrong after %s',
    async (_name, plan, code) => {
      const { thread } = await properly(plan)
      expect(thread.getSnapshot().error?.code).toBe(code)
      thread.dispose()
    },
  )

  test('shows what a proxy held back once it comes', async () => {
    const { thread } = await properly([faults.buffer(300)])
    expect(textOf(thread)).toBe(TEXT)
    thread.dispose()
  })
})
