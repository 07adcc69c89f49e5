import {
  emptyState,
  foldAll,
  messagesOf,
  readLog,
  serializeState,
  type EventLog,
  type RunEvent,
  type StampedEvent,
  type ThreadState,
} from '@rivulet/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

const start = (run: string): RunEvent => ({ type: 'run.start', run, protocol: 1 })
const end = (run: string): RunEvent => ({ type: 'run.end', run, status: 'done' })

/** A run that streams one message in so many pieces. */
function messageRun(run: string, pieces: number): RunEvent[] {
  const id = `${run}-m`
  const deltas = Array.from({ length: pieces }, (_, i): RunEvent => ({
    type: 'message.delta',
    run,
    id,
    part: 0,
    at: i * 2,
    text: `${i % 10} `,
  }))
  return [
    start(run),
    { type: 'message.start', run, id, role: 'assistant' },
    ...deltas,
    { type: 'message.end', run, id, lengths: [pieces * 2] },
    { type: 'values', run, step: 1, lists: { messages: { append: [id] } } },
    end(run),
  ]
}

async function foldOf(log: EventLog, from?: ThreadState): Promise<ThreadState> {
  let state = from ?? emptyState()
  const after = from?.cursor
  const reading = readLog(log, { after, follow: false }, new AbortController().signal)
  for await (const frame of reading) if (frame.type === 'events') state = foldAll(state, frame.events)
  return state
}

const shown = (state: ThreadState): object => ({ gap: state.gap, cursor: state.cursor, ...serializeState(state) })

/** What any log does, whatever it is made of. `makeLog` answers an empty one. */
export function logContract(makeLog: () => Promise<EventLog>): void {
  test('number what is appended from 1 on, and answer with it', async () => {
    const log = await makeLog()
    expect(log.head()).toBe(0)
    expect(await log.append([start('a'), { type: 'custom', run: 'a', data: { text: 'ü𝕏\n\r\u0000' } }])).toBe(2)
    expect(await log.append([end('a')])).toBe(3)
    expect(await log.append([])).toBe(3)
    const { events, head } = await log.read(0, 10)
    expect(head).toBe(3)
    expect(events).toEqual([
      { ...start('a'), seq: 1 },
      { type: 'custom', run: 'a', data: { text: 'ü𝕏\n\r\u0000' }, seq: 2 },
      { ...end('a'), seq: 3 },
    ])
    expect((await log.read(1, 1)).events.map(({ seq }) => seq)).toEqual([2])
    expect((await log.read(3, 1)).events).toEqual([])
  })

  test('append all of a group or nothing', async () => {
    const log = await makeLog()
    const bad: RunEvent = { type: 'custom', run: 'a', data: 1n }
    await expect(log.append([start('a'), bad])).rejects.toMatchObject({ code: 'UNSERIALIZABLE' })
    expect(log.head()).toBe(0)
    expect(await log.append([start('a')])).toBe(1)
  })

  test('refuse a worker that a newer one has taken over from', async () => {
    const log = await makeLog()
    await log.append([start('a')], { fence: 2 })
    await expect(log.append([end('a')], { fence: 1 })).rejects.toMatchObject({ code: 'RUN_CONFLICT' })
    expect(await log.append([end('a')], { fence: 2 })).toBe(2)
    expect(await log.append([start('b')], { fence: 3 })).toBe(3)
  })

  test('take from eight writers at once, and lose, repeat and mix up nothing', async () => {
    const log = await makeLog()
    const each = 250
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < each; i++) await log.append([{ type: 'custom', run: `w${writer}`, data: i }])
      }),
    )
    const events: StampedEvent[] = []
    while (events.length < 8 * each) events.push(...(await log.read(events.length, 1000)).events)
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 8 * each }, (_, i) => i + 1))
    for (let writer = 0; writer < 8; writer++) {
      const own = events.filter(({ run }) => run === `w${writer}`)
      expect(own.map((event) => event.type === 'custom' && event.data)).toEqual(
        Array.from({ length: each }, (_, i) => i),
      )
    }
  })

  test('wake who waits, and let go who leaves', async () => {
    const log = await makeLog()
    const leave = new AbortController()
    const waiting = log.waitFor(0, new AbortController().signal)
    const leaving = log.waitFor(0, leave.signal)
    leave.abort(new Error('left'))
    await expect(leaving).rejects.toThrow('left')
    await expect(log.waitFor(0, leave.signal)).rejects.toThrow('left')
    await log.append([start('a')])
    await waiting
    await log.waitFor(0, new AbortController().signal)
  })

  test('show the same from any cursor, while a run goes on and after its end', async () => {
    const log = await makeLog()
    const events = [...messageRun('a', 700), ...messageRun('b', 40)]
    const states: ThreadState[] = []
    for (let from = 0; from < events.length; from += 90) {
      await log.append(events.slice(from, from + 90))
      states.push(await foldOf(log, states.at(-1)))
    }
    const whole = await foldOf(log)
    expect(messagesOf(whole).map(({ content }) => content.length)).toEqual([1400, 80])
    for (const state of states) expect(shown(await foldOf(log, state))).toEqual(shown(whole))
    expect(shown(await log.snapshot())).toEqual(shown(whole))
  })

  test('keep what they are told in any groups', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
        const log = await makeLog()
        const all = [...messageRun('a', 60), ...messageRun('b', 60)]
        const groups: RunEvent[][] = []
        for (let i = 0, from = 0; from < all.length; from += sizes[i++ % sizes.length]!) {
          groups.push(all.slice(from, from + sizes[i % sizes.length]!))
        }
        await Promise.all(groups.map((group) => log.append(group)))
        expect(log.head()).toBe(all.length)
        expect(messagesOf(await log.snapshot()).map(({ content }) => content.length)).toEqual([120, 120])
      }),
      { numRuns: 20 },
    )
  })
}
