import { emptyState, foldAll, serializeState, type Frame, type RivuletEvent, type RunEvent } from '@rivulet/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createClient } from '../../src/client.ts'
import type { Timing } from '../../src/connection/timing.ts'
import type { Transport } from '../../src/transports/transport.ts'
import { settled } from '../fake-timing.ts'
import { chatRun, eventsFrame, LOG, stamped, sync } from '../pump.ts'

/** Time in which every wait is over as soon as everything else has come to rest. */
const impatient: Timing = {
  now: () => 0,
  epochMs: () => 0,
  random: () => 0,
  onWake: () => () => {},
  after(_delayMs, fn) {
    const timer = setImmediate(fn)
    return () => clearImmediate(timer)
  },
}

/** What one connection does to what is sent over it. */
interface Fault {
  /** Events that are sent once more, from before the cursor. */
  repeats: number
  /** How many events each frame holds, in turn. */
  sizes: readonly number[]
  /** Place of an event that gets lost; beyond the end for none. */
  loses: number
  /** How many events it lasts. */
  lasts: number
  /** Begins with a snapshot although a cursor was given. */
  forgets: boolean
}

const faults: fc.Arbitrary<Fault> = fc.record({
  repeats: fc.nat(4),
  sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
  loses: fc.nat(30),
  lasts: fc.integer({ min: 1, max: 30 }),
  forgets: fc.boolean(),
})

/** A backend whose log grows as it is read, over connections that fail in these ways, then over good ones. */
function failing(log: readonly RivuletEvent[], plan: readonly Fault[]): Transport {
  let opened = 0
  let head = log.length >> 1
  return {
    async *open(_request, { after }) {
      const fault = plan[opened++]
      for (const frame of framesFrom(log, head, after === undefined ? undefined : Number(after.split('.')[1]), fault)) {
        if (frame.type === 'events') head = Math.max(head, frame.events.at(-1)!.seq)
        yield frame
      }
    },
  }
}

function* framesFrom(
  log: readonly RivuletEvent[],
  head: number,
  after: number | undefined,
  fault: Fault | undefined,
): Generator<Frame> {
  let from = Math.max(0, (after ?? 0) - (fault?.repeats ?? 0))
  if (after === undefined || fault?.forgets) {
    const state = foldAll(emptyState(), log.slice(0, head))
    yield eventsFrame({ type: 'sync', phase: 'snapshot', log: LOG, state: serializeState(state), seq: head })
    from = head
  } else yield eventsFrame(sync('replay', from))
  let rest = log.slice(from)
  if (fault !== undefined) rest = rest.filter((_event, i) => i !== fault.loses).slice(0, fault.lasts)
  for (let i = 0; rest.length > 0; i++) {
    const size = fault?.sizes[i % fault.sizes.length] ?? 3
    yield eventsFrame(...rest.slice(0, size))
    rest = rest.slice(size)
  }
}

/** Two turns, the second one with a failed attempt that is withdrawn, and a tool. */
const events: RunEvent[] = [
  ...chatRun('r1', { id: 'u1', content: 'hi' }, ['Hel', 'lo ', 'there']),
  { type: 'run.start', run: 'r2', protocol: 1 },
  { type: 'message', run: 'r2', step: 0, message: { id: 'u2', role: 'user', content: 'more' } },
  { type: 'values', run: 'r2', step: 0, lists: { messages: { append: ['u2'] } } },
  { type: 'task.start', run: 'r2', node: 'agent', step: 1, task: 'k' },
  { type: 'message.start', run: 'r2', node: 'agent', step: 1, task: 'k', id: 'x', role: 'assistant' },
  { type: 'message.delta', run: 'r2', task: 'k', id: 'x', part: 0, at: 0, text: 'ghost' },
  { type: 'rewind', run: 'r2', node: 'agent', task: 'k', attempt: 1 },
  { type: 'message.start', run: 'r2', node: 'agent', step: 1, task: 'k', attempt: 2, id: 'y', role: 'assistant' },
  { type: 'message.delta', run: 'r2', task: 'k', id: 'y', part: 0, at: 0, text: 'real' },
  {
    type: 'message.delta',
    run: 'r2',
    task: 'k',
    id: 'y',
    part: 1,
    at: 0,
    text: '{}',
    kind: 'tool',
    callId: 'c',
    name: 'f',
  },
  { type: 'message.end', run: 'r2', task: 'k', id: 'y', lengths: [4, 2] },
  { type: 'tool.start', run: 'r2', task: 'k', id: 'c', name: 'f' },
  { type: 'custom', run: 'r2', task: 'k', toolCallId: 'c', name: 'progress', data: 1 },
  { type: 'tool.end', run: 'r2', task: 'k', id: 'c', name: 'f', output: 1 },
  { type: 'values', run: 'r2', step: 1, set: { topic: 'cats' }, lists: { messages: { append: ['y'] } } },
  { type: 'run.end', run: 'r2', status: 'done' },
]
const log = stamped(events)

/** Everything a state says, as text that can be compared. */
function told(state: Parameters<typeof serializeState>[0]): string {
  return JSON.stringify({ cursor: state.cursor, ...serializeState(state) })
}

/** What a page may show: the state after each event of the log. */
const prefixes = new Set(log.map((_event, i) => told(foldAll(emptyState(), log.slice(0, i + 1)))))

test('whatever happens to the connection, only prefixes of the log are ever shown, and in the end all of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(faults, { maxLength: 6 }), async (plan) => {
      const transport = failing(log, plan)
      const client = createClient({ transport, timing: impatient, retry: { maxAttempts: 1000 } })
      const thread = client.thread({ graph: 'agent', threadId: 't' })
      const wrong: string[] = []
      const whole = new Promise<void>((resolve) => {
        thread.subscribe(() => {
          const { state } = thread.getSnapshot()
          if (state.cursor > 0 && !prefixes.has(told(state))) wrong.push(told(state))
          if (state.cursor === log.length) resolve()
        })
      })
      thread.follow()
      await whole
      thread.dispose()
      expect(wrong).toEqual([])
      expect(thread.getSnapshot().messages.map(({ content }) => content)).toEqual(['hi', 'Hello there', 'more', 'real'])
    }),
    { numRuns: 150 },
  )
})

test('every event is told once and in order, unless a snapshot stands in for it', async () => {
  const forgetful = faults.map((fault) => ({ ...fault, forgets: false }))
  await fc.assert(
    fc.asyncProperty(fc.array(forgetful, { maxLength: 6 }), async (plan) => {
      const seen: RivuletEvent[] = []
      const client = createClient({ transport: failing(log, plan), timing: impatient, retry: { maxAttempts: 1000 } })
      const thread = client.thread({ graph: 'agent', threadId: 't', onEvent: (event) => seen.push(event) })
      thread.follow()
      await new Promise<void>((resolve) =>
        thread.subscribe(() => thread.getSnapshot().state.cursor === log.length && resolve()),
      )
      thread.dispose()
      const places = seen.map(({ type, seq }, i) => ({ type, seq, step: seq - (seen[i - 1]?.seq ?? 0) }))
      expect(places.filter(({ type, step }) => (type === 'sync' ? step < 0 : step !== 1))).toEqual([])
    }),
    { numRuns: 100 },
  )
})

test('a thread that is closed at any moment ends at once: nothing is left open, nobody is left waiting', async () => {
  for (let turns = 0; turns < 20; turns++) {
    const signals: AbortSignal[] = []
    const good = failing(log, [{ repeats: 0, sizes: [1], loses: 99, lasts: 3, forgets: false }])
    const transport: Transport = {
      open(request, options) {
        signals.push(options.signal)
        return slowly(good.open(request, options), options.signal)
      },
      cancel: () => Promise.resolve(),
    }
    const client = createClient({ transport, timing: impatient })
    const thread = client.thread({ graph: 'agent', threadId: 't' })
    const unfollow = thread.follow()
    const run = thread.submit({ messages: 'hi' })
    const looped = (async () => {
      for await (const _event of run) await settled()
    })()
    for (let turn = 0; turn < turns; turn++) await settled()
    const stopped = turns % 2 === 0 ? thread.stop() : undefined
    thread.dispose()
    unfollow()
    await Promise.all([run.result, looped, stopped])
    await settled()
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
    const opened = signals.length
    for (let turn = 0; turn < 5; turn++) await settled()
    expect(signals).toHaveLength(opened)
  }
})

/** One frame at a turn, until the signal aborts. */
async function* slowly(frames: AsyncIterable<Frame>, signal: AbortSignal): AsyncGenerator<Frame> {
  for await (const frame of frames) {
    yield frame
    await settled()
    signal.throwIfAborted()
  }
}
