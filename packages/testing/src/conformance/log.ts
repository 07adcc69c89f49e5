import {
  emptyState,
  foldAll,
  messagesOf,
  readLog,
  type EventLog,
  type RunEvent,
  type StampedEvent,
  type ThreadState,
} from '@rivulet/protocol'
import * as fc from 'fast-check'
import { compileRun } from '../script/compile.ts'
import { script } from '../script/script.ts'
import { codeOf, type Harness } from './harness.ts'
import { told } from './reading.ts'

/** Makes an empty log. */
export type MakeLog = () => EventLog | Promise<EventLog>

const start = (run: string): RunEvent => ({ type: 'run.start', run, protocol: 1 })
const end = (run: string): RunEvent => ({ type: 'run.end', run, status: 'done' })
const custom = (run: string, data: unknown): RunEvent => ({ type: 'custom', run, data })

/** A run whose answer comes in so many pieces. */
function talk(run: string, pieces: number): RunEvent[] {
  let written = script().run()
  for (let i = 0; i < pieces; i++) written = written.token(`${i % 10} `)
  return written.end().runs.flatMap((scripted) => compileRun(scripted, { run, input: undefined }))
}

async function foldOf(log: EventLog, from: ThreadState = emptyState()): Promise<ThreadState> {
  let state = from
  const after = from.log === '' ? undefined : from.cursor
  for await (const frame of readLog(log, { after, follow: false }, new AbortController().signal)) {
    if (frame.type === 'events') state = foldAll(state, frame.events)
  }
  return state
}

/** What every log of a thread must do, as tests. */
export function logConformance(makeLog: MakeLog, { test, expect }: Harness): void {
  test('numbers what is appended from 1 on, and answers with it', async () => {
    const log = await makeLog()
    expect(log.head()).toBe(0)
    const odd = custom('a', { text: 'ü𝕏\n\r\u0000', '': null })
    expect(await log.append([start('a'), odd])).toBe(2)
    expect(await log.append([])).toBe(2)
    expect(await log.append([end('a')])).toBe(3)
    const { events, head } = await log.read(0, 10)
    expect(head).toBe(3)
    expect(events).toEqual([
      { ...start('a'), seq: 1 },
      { ...odd, seq: 2 },
      { ...end('a'), seq: 3 },
    ])
    expect((await log.read(1, 1)).events.map(({ seq }) => seq)).toEqual([2])
    expect((await log.read(3, 1)).events).toEqual([])
  })

  test('has an id that a cursor can hold, and that no other log has', async () => {
    const ids = [(await makeLog()).id, (await makeLog()).id]
    expect(ids.every((id) => /^[A-Za-z0-9_-]{1,200}$/.test(id))).toBe(true)
    expect(ids[0] === ids[1]).toBe(false)
  })

  test('appends all of a group or nothing', async () => {
    const log = await makeLog()
    expect(await codeOf(() => log.append([start('a'), custom('a', 1n)]))).toBe('UNSERIALIZABLE')
    expect(log.head()).toBe(0)
    expect(await log.append([start('a')])).toBe(1)
  })

  test('refuses a worker that a newer one has taken over from', async () => {
    const log = await makeLog()
    await log.append([start('a')], { fence: 2 })
    expect(await codeOf(() => log.append([end('a')], { fence: 1 }))).toBe('RUN_CONFLICT')
    expect(log.head()).toBe(1)
    expect(await log.append([end('a')], { fence: 2 })).toBe(2)
    expect(await log.append([start('b')], { fence: 3 })).toBe(3)
  })

  test('takes from eight writers at once, and loses, repeats and mixes up nothing', async () => {
    const log = await makeLog()
    const EACH = 125
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < EACH; i++) await log.append([custom(`w${writer}`, i)])
    })
    await Promise.all(writers)
    const events: StampedEvent[] = []
    while (events.length < 8 * EACH) {
      const batch = await log.read(events.length, 300)
      expect(batch.events.length > 0).toBe(true)
      events.push(...batch.events)
    }
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, i) => i + 1))
    const inOrder = Array.from({ length: EACH }, (_, i) => i)
    for (let writer = 0; writer < 8; writer++) {
      const own = events.filter(({ run }) => run === `w${writer}`)
      expect(own.map((event) => event.type === 'custom' && event.data)).toEqual(inOrder)
    }
  })

  test('wakes who waits, and lets go who leaves', async () => {
    const log = await makeLog()
    const leave = new AbortController()
    const stay = new AbortController().signal
    const left: unknown[] = []
    const waiting = log.waitFor(0, stay)
    const leaving = log.waitFor(0, leave.signal).catch((error: unknown) => left.push(error))
    leave.abort('gone')
    await leaving
    await log.waitFor(0, leave.signal).catch((error: unknown) => left.push(error))
    expect(left).toEqual(['gone', 'gone'])
    await log.append([start('a')])
    await waiting
    await log.waitFor(0, stay)
  })

  test('that holds events answers at once as it would later, or says that it cannot', async () => {
    const log = await makeLog()
    await log.append([start('a'), custom('a', 1), end('a')])
    for (const after of [0, 1, 3]) {
      const held = log.held?.(after, 2)
      if (held !== undefined) expect(held).toEqual(await log.read(after, 2))
    }
  })

  test('that can be watched tells before it answers who appends, whatever its listeners do', async () => {
    const log = await makeLog()
    if (log.watch === undefined) return
    const heads: number[] = []
    const leave = log.watch(() => heads.push(log.head()))
    log.watch(() => {
      throw new Error('a listener of its own mind')
    })
    await log.append([start('a'), custom('a', 1)])
    expect(heads).toEqual([2])
    expect(await codeOf(() => log.append([custom('a', 1n)]))).toBe('UNSERIALIZABLE')
    leave()
    await log.append([end('a')])
    expect(heads).toEqual([2])
  })

  test('shows the same from any cursor, while a run goes on and after its end', async () => {
    const log = await makeLog()
    const events = [...talk('a', 500), ...talk('b', 40)]
    const states: ThreadState[] = []
    for (let from = 0; from < events.length; from += 90) {
      await log.append(events.slice(from, from + 90))
      states.push(await foldOf(log, states.at(-1)))
    }
    const whole = await foldOf(log)
    expect(messagesOf(whole).map(({ content }) => content.length)).toEqual([1000, 80])
    for (const state of states) expect(told(await foldOf(log, state))).toEqual(told(whole))
    expect(told(await log.snapshot())).toEqual(told(whole))
  })

  test('does as a list does, whatever is done in whatever order', async () => {
    const command = fc.oneof(
      fc.record({
        do: fc.constant('append' as const),
        count: fc.nat(4),
        fence: fc.option(fc.nat(3), { nil: undefined }),
      }),
      fc.record({ do: fc.constant('read' as const), after: fc.nat(30), limit: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ do: fc.constant('snapshot' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
        const log = await makeLog()
        const model: RunEvent[] = []
        let highest = 0
        for (const one of commands) {
          if (one.do === 'append') {
            const events = Array.from({ length: one.count }, (_, i) => custom('a', model.length + i))
            const { fence } = one
            const isStale = fence !== undefined && fence < highest
            const code = await codeOf(() => log.append(events, fence === undefined ? {} : { fence }))
            expect(code).toBe(isStale ? 'RUN_CONFLICT' : undefined)
            if (isStale) continue
            highest = Math.max(highest, fence ?? 0)
            model.push(...events)
          } else if (one.do === 'read') {
            const after = Math.min(one.after, model.length)
            const expected = model.slice(after, after + one.limit).map((event, i) => ({ ...event, seq: after + i + 1 }))
            expect(await log.read(after, one.limit)).toEqual({ events: expected, head: model.length })
          } else {
            const { cursor, ignored } = await log.snapshot()
            expect({ cursor, ignored }).toEqual({ cursor: model.length, ignored: 0 })
          }
          expect(log.head()).toBe(model.length)
        }
      }),
      { numRuns: 30 },
    )
  })
}
