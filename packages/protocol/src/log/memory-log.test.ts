import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stampAll, stateOf } from '../../test/logs.ts'
import { randomRuns } from '../../test/random-log.ts'
import type { RunEvent } from '../events/event.ts'
import { foldAll } from '../fold/fold.ts'
import { messageOf } from '../fold/read.ts'
import { emptyState } from '../fold/state.ts'
import { memoryLog } from './memory-log.ts'

const custom = (data: unknown): RunEvent => ({ type: 'custom', run: 'r', data })
const customs = (count: number): RunEvent[] => Array.from({ length: count }, (_, i) => custom(i))
const never = new AbortController().signal

describe('events', () => {
  test('are numbered from 1 in the order of their appends', async () => {
    const log = memoryLog()
    expect(log.head()).toBe(0)
    expect(await log.append([custom('a'), custom('b')])).toBe(2)
    expect(await log.append([custom('c')])).toBe(3)
    const { events, head } = await log.read(0, 10)
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(head).toBe(3)
  })

  test('are read above a cursor, up to a limit', async () => {
    const log = memoryLog()
    await log.append(customs(5))
    const { events, head } = await log.read(1, 2)
    expect(events.map(({ seq }) => seq)).toEqual([2, 3])
    expect(head).toBe(5)
    expect((await log.read(5, 10)).events).toEqual([])
  })

  test('a group that holds one that is not JSON is not appended', async () => {
    const log = memoryLog()
    await expect(log.append([custom('a'), custom(1n)])).rejects.toMatchObject({ code: 'UNSERIALIZABLE' })
    expect(log.head()).toBe(0)
  })

  test('a group that holds one larger than the log is not appended', async () => {
    const log = memoryLog({ maxBytes: 1000 })
    await expect(log.append([custom('a'), custom('x'.repeat(1000))])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(log.head()).toBe(0)
  })

  test('of a worker that was replaced are refused', async () => {
    const log = memoryLog()
    await log.append([custom('a')], { fence: 2 })
    await log.append([custom('b')])
    await expect(log.append([custom('c')], { fence: 1 })).rejects.toMatchObject({ code: 'RUN_CONFLICT' })
    await log.append([custom('d')], { fence: 2 })
    expect(log.head()).toBe(3)
  })
})

test('every log has an id of its own', () => {
  expect(memoryLog().id).toMatch(/^[0-9a-z]{8}$/)
  expect(memoryLog().id).not.toBe(memoryLog().id)
  expect(memoryLog({ id: 'mine' }).id).toBe('mine')
})

describe('waiting', () => {
  test('ends at once when there is something already', async () => {
    const log = memoryLog()
    await log.append([custom('a')])
    await expect(log.waitFor(0, never)).resolves.toBeUndefined()
  })

  test('ends with the append that goes beyond the cursor, for everyone who waits', async () => {
    const log = memoryLog()
    const woken: string[] = []
    const waits = [
      log.waitFor(0, never).then(() => woken.push('first')),
      log.waitFor(1, never).then(() => woken.push('second')),
    ]
    await log.append([custom('a')])
    await waits[0]
    expect(woken).toEqual(['first'])
    await log.append([custom('b')])
    await waits[1]
    expect(woken).toEqual(['first', 'second'])
  })

  test('ends with the reason of its signal, before or while it waits', async () => {
    const log = memoryLog()
    await expect(log.waitFor(0, AbortSignal.abort('early'))).rejects.toBe('early')
    const stop = new AbortController()
    const wait = log.waitFor(0, stop.signal)
    stop.abort('late')
    await expect(wait).rejects.toBe('late')
    await expect(log.append([custom('a')])).resolves.toBe(1)
  })
})

describe('a log over its caps', () => {
  test('drops the oldest events and says so to whoever needs them', async () => {
    const log = memoryLog({ maxEvents: 10 })
    await log.append(customs(11))
    const { events } = await log.read(4, 100)
    expect(events.map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9, 10, 11])
    await expect(log.read(0, 100)).rejects.toMatchObject({ code: 'CURSOR_GONE' })
  })

  test('counts bytes as well as events', async () => {
    const log = memoryLog({ maxBytes: 2000 })
    for (let i = 0; i < 100; i++) await log.append([custom('x'.repeat(100))])
    await expect(log.read(80, 100)).rejects.toMatchObject({ code: 'CURSOR_GONE' })
    const { events } = await log.read(90, 100)
    expect(JSON.stringify(events).length).toBeLessThan(2000)
  })

  test('keeps the newest event, however large', async () => {
    const log = memoryLog({ maxBytes: 1000 })
    await log.append([custom('a'), custom('x'.repeat(900))])
    expect((await log.read(1, 10)).events).toHaveLength(1)
  })

  test('still knows what all its events add up to', async () => {
    const log = memoryLog({ maxEvents: 5 })
    await log.append([{ type: 'message.start', run: 'r', id: 'm', role: 'assistant' }])
    for (let at = 0; at < 1000; at++) {
      await log.append([{ type: 'message.delta', run: 'r', id: 'm', part: 0, at, text: 'x' }])
    }
    expect(messageOf(await log.snapshot(), 'm')?.content).toBe('x'.repeat(1000))
  })
})

describe('the snapshot', () => {
  test('is the fold of every event, in whatever groups they came', async () => {
    await fc.assert(
      fc.asyncProperty(randomRuns, fc.array(fc.integer({ min: 1, max: 7 })), async (runs, sizes) => {
        const log = memoryLog({ id: 'log' })
        for (let i = 0, turn = 0; i < runs.length; turn++) {
          const size = sizes[turn % Math.max(sizes.length, 1)] ?? 1
          await log.append(runs.slice(i, (i += size)))
          if (turn % 3 === 0) await log.snapshot()
        }
        const whole = foldAll(emptyState(), stampAll(runs))
        expect(stateOf(await log.snapshot())).toEqual(stateOf({ ...whole, log: 'log' }))
      }),
    )
  })

  test('steps over an event that does not fit, as nothing is missing in a log', async () => {
    const log = memoryLog()
    await log.append([{ type: 'message.delta', run: 'r', id: 'nobody', part: 0, at: 0, text: 'x' }, custom('after')])
    expect(await log.snapshot()).toMatchObject({ gap: undefined, ignored: 1, cursor: 2 })
  })
})

test('a run that ended is kept without the pieces of its messages', async () => {
  const log = memoryLog()
  await log.append([{ type: 'run.start', run: 'r', protocol: 1 }])
  await log.append([{ type: 'message.start', run: 'r', id: 'm', role: 'assistant' }])
  for (let at = 0; at < 600; at++) {
    await log.append([{ type: 'message.delta', run: 'r', id: 'm', part: 0, at, text: 'x' }])
  }
  await log.append([{ type: 'message.end', run: 'r', id: 'm', lengths: [600] }])
  await log.append([{ type: 'run.end', run: 'r', status: 'done' }])
  const { events } = await log.read(0, 100)
  expect(events.map(({ type, seq }) => `${seq} ${type}`)).toEqual([
    '1 run.start',
    '2 message.start',
    '602 message.delta',
    '603 message.end',
    '604 run.end',
  ])
  expect(stateOf(foldAll(emptyState(), events))).toEqual(stateOf({ ...(await log.snapshot()), log: '' }))
})
