import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stateOf } from '../../test/logs.ts'
import { randomRuns } from '../../test/random-log.ts'
import type { RivuletEvent, RunEvent } from '../events/event.ts'
import { foldAll } from '../fold/fold.ts'
import { messageOf, messagesOf } from '../fold/read.ts'
import { emptyState, type ThreadState } from '../fold/state.ts'
import type { Frame } from '../frame.ts'
import { streamModes } from '../modes.ts'
import type { EventLog } from './event-log.ts'
import { memoryLog } from './memory-log.ts'
import { type LogReader, type ReadQuery, readLog } from './reader.ts'

const never = new AbortController().signal
const runStart = (run: string): RunEvent => ({ type: 'run.start', run, protocol: 1 })
const runEnd = (run: string): RunEvent => ({ type: 'run.end', run, status: 'done' })
const custom = (data: unknown, run = 'r'): RunEvent => ({ type: 'custom', run, data })
const start = (id: string, more: object = {}): RunEvent => ({
  type: 'message.start',
  run: 'r',
  id,
  role: 'assistant',
  ...more,
})
const delta = (id: string, at: number, text: string): RunEvent => ({
  type: 'message.delta',
  run: 'r',
  id,
  part: 0,
  at,
  text,
})

const eventsIn = (frame: Frame): readonly RivuletEvent[] => (frame.type === 'events' ? frame.events : [])

/** What a frame holds: type and place of each event, and what it follows when that is not the one before. */
const shape = (frame: Frame): string =>
  eventsIn(frame)
    .map((event) => {
      const name = event.type === 'sync' ? event.phase : event.type
      return `${name} ${event.seq}${event.prev === undefined ? '' : ` after ${event.prev}`}`
    })
    .join(', ')

/** Frames one at a time, as a reader asks for them. */
function pull(reader: LogReader): () => Promise<Frame | undefined> {
  const iterator = reader[Symbol.asyncIterator]()
  return async () => {
    const next = await iterator.next()
    return next.done ? undefined : next.value
  }
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** Everything there is for a reader of a log that nobody writes to any more: it ends with a `run.end`. */
async function readAll(log: EventLog, query: ReadQuery): Promise<Frame[]> {
  const stop = new AbortController()
  const frames: Frame[] = []
  for await (const frame of readLog(log, query, stop.signal)) {
    frames.push(frame)
    const last = eventsIn(frame).at(-1)
    if (last?.seq === log.head() && !(last.type === 'sync' && last.phase === 'replay')) stop.abort()
  }
  return frames
}

const foldFrames = (state: ThreadState, frames: readonly Frame[]): ThreadState =>
  frames.reduce((now, frame) => foldAll(now, eventsIn(frame)), state)

async function logOf(events: readonly RunEvent[]): Promise<EventLog> {
  const log = memoryLog({ id: 'log' })
  await log.append(events)
  return log
}

/** A log that can only be waited for and read by promises. */
function unwatched(log: EventLog): EventLog {
  const copy = { ...log }
  delete copy.watch
  delete copy.held
  return copy
}

describe('where a reader begins', () => {
  const events = [runStart('r'), custom(1), custom(2), runEnd('r')]

  test('without a cursor: at the snapshot', async () => {
    expect((await readAll(await logOf(events), {})).map(shape)).toEqual(['snapshot 4'])
  })

  test('with a cursor: after it, and the reader is told when it has what it missed', async () => {
    const next = pull(readLog(await logOf(events), { after: 'log.2' }, never))
    expect(shape((await next())!)).toBe('replay 2')
    expect(shape((await next())!)).toBe('custom 3, run.end 4')
    expect(shape((await next())!)).toBe('live 4')
  })

  test('with a cursor at the head: nothing was missed', async () => {
    const next = pull(readLog(await logOf(events), { after: 4 }, never))
    expect([shape((await next())!), shape((await next())!)]).toEqual(['replay 4', 'live 4'])
  })

  test('before the first event', async () => {
    const log = memoryLog({ id: 'log' })
    const next = pull(readLog(log, { after: 0 }, never))
    expect([shape((await next())!), shape((await next())!)]).toEqual(['replay 0', 'live 0'])
    const frame = next()
    await log.append([runStart('r')])
    expect(shape((await frame)!)).toBe('run.start 1')
  })

  test.each(['other.2', 'log.5'])('with the cursor %s of no event here: at the snapshot', async (after) => {
    expect((await readAll(await logOf(events), { after })).map(shape)).toEqual(['snapshot 4'])
  })

  test('with a cursor of events that are no longer kept: at the snapshot', async () => {
    const log = memoryLog({ id: 'log', maxEvents: 8 })
    for (let i = 0; i < 20; i++) await log.append([custom(i)])
    await log.append([runEnd('r')])
    expect((await readAll(log, { after: 'log.3' })).map(shape)).toEqual(['snapshot 21'])
  })

  test('far behind, with little left of it: at the snapshot', async () => {
    const log = memoryLog({ id: 'log' })
    await log.append([runStart('r'), start('m')])
    for (let at = 0; at < 2000; at++) await log.append([delta('m', at, 'x')])
    await log.append([custom('tail')])
    const next = pull(readLog(log, { after: 'log.2' }, never))
    expect(shape((await next())!)).toBe('snapshot 2003')
  })

  test.each(['', 'log', 'log.', 'log.-1', 'log.1.5', 'log 1', 'x'.repeat(300), 'log.1\nid: 2', -1, 0.5, NaN])(
    'with %j, which is no cursor: a typed error',
    async (after) => {
      const log = await logOf(events)
      await expect(pull(readLog(log, { after }, never))()).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    },
  )
})

describe('a reader that follows', () => {
  test('gets one frame for all that came since it asked last', async () => {
    const log = await logOf([runStart('r')])
    const next = pull(readLog(log, { after: 1 }, never))
    await next()
    await next()
    const waiting = next()
    await log.append([custom(1)])
    expect(shape((await waiting)!)).toBe('custom 2')
    for (let i = 0; i < 3; i++) await log.append([custom(i)])
    expect(shape((await next())!)).toBe('custom 3, custom 4, custom 5')
  })

  test('gets the deltas of one part as one', async () => {
    const log = await logOf([runStart('r'), start('m')])
    const next = pull(readLog(log, { after: 2 }, never))
    await next()
    await next()
    await log.append([delta('m', 0, 'a'), delta('m', 1, 'b')])
    await log.append([delta('m', 2, 'c')])
    const frame = (await next())!
    expect(shape(frame)).toBe('message.delta 5 after 2')
    expect(eventsIn(frame)[0]).toMatchObject({ text: 'abc', at: 0 })
  })

  test('does not get more in one frame than it can hold', async () => {
    const log = await logOf([runStart('r')])
    const next = pull(readLog(log, { after: 1 }, never))
    await next()
    await next()
    await log.append(Array.from({ length: 5 }, () => custom('x'.repeat(100_000))))
    const shapes = [shape((await next())!), shape((await next())!), shape((await next())!)]
    expect(shapes).toEqual(['custom 2, custom 3', 'custom 4, custom 5', 'custom 6'])
  })

  test('goes on from the snapshot when what it needs next was trimmed meanwhile', async () => {
    const log = memoryLog({ id: 'log', maxEvents: 8 })
    await log.append([runStart('r')])
    const next = pull(readLog(log, { after: 1 }, never))
    await next()
    await next()
    for (let i = 0; i < 20; i++) await log.append([custom(i)])
    expect(shape((await next())!)).toBe('snapshot 21')
    await log.append([custom('more')])
    expect(shape((await next())!)).toBe('custom 22')
  })

  test('says that nothing is queued for it only while it has everything', async () => {
    const log = await logOf([runStart('r')])
    const reader = readLog(log, { after: 1 }, never)
    const next = pull(reader)
    expect(reader.idleAt()).toBeUndefined()
    await next()
    await next()
    const waiting = next()
    await settle()
    expect(reader.idleAt()).toBe(1)
    const appended = log.append([custom(1)])
    expect(reader.idleAt()).toBeUndefined()
    await Promise.all([appended, waiting])
    expect(reader.idleAt()).toBeUndefined()
  })

  test('has everything, too, when what came was filtered out', async () => {
    const log = await logOf([runStart('r')])
    const reader = readLog(log, { after: 1, modes: ['values'] }, never)
    const next = pull(reader)
    await next()
    const waiting = next()
    await log.append([{ type: 'task.start', run: 'r', task: 't', node: 'n' }])
    await settle()
    expect(reader.idleAt()).toBe(2)
    await log.append([runEnd('r')])
    expect(shape((await waiting)!)).toBe('run.end 3 after 1')
  })
})

describe('reading until a run ends', () => {
  const twoRuns = [runStart('a'), custom(1, 'a'), runEnd('a'), runStart('b'), custom(2, 'b'), runEnd('b')]

  test('stops after its end, also when more follows', async () => {
    const frames: string[] = []
    for await (const frame of readLog(await logOf(twoRuns), { after: 0, until: 'a' }, never)) frames.push(shape(frame))
    expect(frames).toEqual(['replay 0', 'run.start 1, custom 2, run.end 3', 'live 3'])
  })

  test('stops at the head when the run was over before the cursor', async () => {
    const frames: string[] = []
    for await (const frame of readLog(await logOf(twoRuns), { after: 3, until: 'a' }, never)) frames.push(shape(frame))
    expect(frames).toEqual(['replay 3', 'run.start 4, custom 5, run.end 6', 'live 6'])
  })

  test('stops after the snapshot when the run was over', async () => {
    const frames: string[] = []
    for await (const frame of readLog(await logOf(twoRuns), { until: 'b' }, never)) frames.push(shape(frame))
    expect(frames).toEqual(['snapshot 6'])
  })

  test('waits for a run that has not begun', async () => {
    const log = memoryLog({ id: 'log' })
    const next = pull(readLog(log, { after: 0, until: 'a' }, never))
    await next()
    await next()
    const waiting = next()
    await log.append(twoRuns)
    expect(shape((await waiting)!)).toBe('run.start 1, custom 2, run.end 3')
    expect(await next()).toBeUndefined()
  })
})

describe('reading what there is', () => {
  const read = async (log: EventLog, query: ReadQuery): Promise<string[]> => {
    const frames: string[] = []
    for await (const frame of readLog(log, { ...query, follow: false }, never)) frames.push(shape(frame))
    return frames
  }

  test('ends where the log ended when it began', async () => {
    const log = await logOf([runStart('r'), custom(1)])
    expect(await read(log, {})).toEqual(['snapshot 2'])
    expect(await read(log, { after: 1 })).toEqual(['replay 1', 'custom 2', 'live 2'])
    expect(await read(log, { after: 2 })).toEqual(['replay 2', 'live 2'])
    expect(await read(log, { after: 1, modes: ['values'], until: 'nobody' })).toEqual(['snapshot 2'])
    expect(await read(memoryLog({ id: 'log' }), { after: 0 })).toEqual(['replay 0', 'live 0'])
  })

  test('ends with the run it was to wait for, if that comes first', async () => {
    const log = await logOf([runStart('r'), runEnd('r'), runStart('s')])
    expect(await read(log, { after: 0, until: 'r' })).toEqual(['replay 0', 'run.start 1, run.end 2', 'live 2'])
  })
})

describe('a reader that is stopped', () => {
  test('before it begins gets no more than where it stands', async () => {
    const frames: string[] = []
    const log = await logOf([runStart('r')])
    for await (const frame of readLog(log, {}, AbortSignal.abort())) frames.push(shape(frame))
    expect(frames).toEqual(['snapshot 1'])
  })

  test('while it waits ends without an error', async () => {
    const stop = new AbortController()
    const next = pull(readLog(await logOf([runStart('r')]), {}, stop.signal))
    await next()
    const waiting = next()
    stop.abort(new Error('the page was closed'))
    expect(await waiting).toBeUndefined()
  })

  test('after any number of frames ends without an error', async () => {
    const log = await logOf([runStart('r'), custom(1), runEnd('r')])
    for (let frames = 0; frames < 4; frames++) {
      const stop = new AbortController()
      const next = pull(readLog(log, { after: 1 }, stop.signal))
      for (let i = 0; i < frames; i++) await next()
      stop.abort()
      const rest = [await next(), await next(), await next()]
      expect(rest.at(-1)).toBeUndefined()
    }
  })

  test('by a log that fails gets the error', async () => {
    const broken: EventLog = {
      ...unwatched(await logOf([])),
      waitFor: () => Promise.reject(new Error('disk is gone')),
    }
    const next = pull(readLog(broken, {}, never))
    await next()
    await expect(next()).rejects.toThrow('disk is gone')
  })
})

describe('a reader that is called', () => {
  test('has what was appended before the append has resolved, and then waits again', async () => {
    const log = await logOf([])
    const stop = new AbortController()
    const reader = readLog(log, { after: 0 }, stop.signal)
    const frames: (string | undefined)[] = []
    const ask = () =>
      reader.next(
        (frame) => frames.push(frame && shape(frame)),
        (error) => frames.push(String(error)),
      )
    for (let i = 0; i < 3; i++) {
      ask()
      await settle()
    }
    expect(frames).toEqual(['replay 0', 'live 0'])
    void log.append([custom(1)])
    expect(frames.at(-1)).toBe('custom 1')
    void log.append([custom(2)])
    void log.append([custom(3)])
    expect(frames).toHaveLength(3)
    ask()
    expect(frames.at(-1)).toBe('custom 2, custom 3')
    ask()
    stop.abort()
    expect(frames.slice(4)).toEqual([undefined])
    ask()
    void log.append([custom(4)])
    expect(frames.slice(4)).toEqual([undefined, undefined])
  })
})

describe('whatever the thread was', () => {
  test('a reader from any cursor ends with the state of the whole log', async () => {
    await fc.assert(
      fc.asyncProperty(randomRuns, async (runs) => {
        const log = await logOf(runs)
        const whole = stateOf(await log.snapshot())
        const plain = memoryLog({ id: 'log' })
        for (const [cursor, event] of [...runs, undefined].entries()) {
          const partial = await plain.snapshot()
          expect(stateOf(foldFrames(partial, await readAll(log, { after: cursor })))).toEqual(whole)
          if (event !== undefined) await plain.append([event])
        }
      }),
      { numRuns: 25 },
    )
  })

  test('readers that come and go while it is written all end with its state', async () => {
    await fc.assert(
      fc.asyncProperty(randomRuns, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), async (runs, choices) => {
        const choose = (): number => choices.next().value ?? 0
        const made = memoryLog({ id: 'log', maxEvents: 20 + choose() })
        const log = choose() < 5 ? made : unwatched(made)
        const states = [emptyState(), emptyState(), emptyState()]
        let readers: { next: () => Promise<Frame | undefined>; stop: AbortController }[] = []
        const connect = () => {
          for (const { stop } of readers) stop.abort()
          readers = states.map((state) => {
            const stop = new AbortController()
            const after = state.log === '' ? undefined : `${state.log}.${state.cursor}`
            return { next: pull(readLog(log, { after }, stop.signal)), stop }
          })
        }
        connect()
        for (let i = 0; i < runs.length;) {
          await log.append(runs.slice(i, (i += 1 + choose())))
          const which = choose() % 3
          const behind = states[which]!.cursor < log.head()
          if (choose() === 0) connect()
          else if (behind) states[which] = foldFrames(states[which]!, [(await readers[which]!.next())!])
        }
        connect()
        for (const state of states) {
          const rest = await readAll(log, { after: state.log === '' ? undefined : state.cursor })
          expect(stateOf(foldFrames(state, rest))).toEqual(stateOf(await log.snapshot()))
        }
      }),
      { numRuns: 100 },
    )
  })

  const query: fc.Arbitrary<ReadQuery> = fc.record({
    modes: fc.option(fc.subarray([...streamModes]), { nil: undefined }),
    namespaces: fc.option(fc.subarray([[], ['sub:1'], ['other:1']]), { nil: undefined }),
    nodes: fc.option(fc.subarray(['agent', 'writer', 'critic']), { nil: undefined }),
    tags: fc.option(fc.constant(['final']), { nil: undefined }),
  })

  test('a reader that filters never sees a gap, also when it comes back', async () => {
    await fc.assert(
      fc.asyncProperty(randomRuns, query, fc.nat(), async (runs, filter, split) => {
        const cut = split % runs.length
        for (const after of [undefined, 0]) {
          const log = await logOf([...runs.slice(0, cut), runEnd('pause')])
          const before = foldFrames(emptyState(), await readAll(log, { ...filter, after }))
          await log.append(runs.slice(cut))
          const state = foldFrames(before, await readAll(log, { ...filter, after: before.cursor }))
          expect([before.gap, state.gap]).toEqual([undefined, undefined])
          expect(state.cursor).toBe(log.head())
        }
      }),
    )
  })

  test('a reader of values without streaming has messages in the order of their starts, however they end', async () => {
    const log = memoryLog({ id: 'log' })
    const next = pull(readLog(log, { modes: ['values'] }, never))
    let state = foldFrames(emptyState(), [(await next())!])
    const end = (id: string): RunEvent => ({ type: 'message.end', run: 'r', id, lengths: [] })
    const events = [runStart('r'), start('m0'), start('m1'), end('m1'), end('m0'), runEnd('r')]
    for (const event of events) await log.append([event])
    while (state.cursor < log.head()) state = foldFrames(state, [(await next())!])
    expect(messagesOf(state).map(({ id }) => id)).toEqual(['m0', 'm1'])
  })

  test('a reader of values without streaming has every message whole, cut ones too', async () => {
    await fc.assert(
      fc.asyncProperty(randomRuns, fc.nat(), async (runs, split) => {
        const log = memoryLog({ id: 'log' })
        const cut = split % runs.length
        await log.append(runs.slice(0, cut))
        const next = pull(readLog(log, { modes: ['values'] }, never))
        let state = foldFrames(emptyState(), [(await next())!])
        for (const event of runs.slice(cut)) await log.append([event])
        while (state.cursor < log.head()) state = foldFrames(state, [(await next())!])
        const text = (of: ThreadState) => messagesOf(of).map(({ id, content, status }) => ({ id, content, status }))
        expect(text(state)).toEqual(text(await log.snapshot()))
      }),
    )
  })
})

describe('filters', () => {
  const sub = ['research:1']
  const events: RunEvent[] = [
    runStart('r'),
    start('a', { node: 'agent', meta: { tags: ['final'] } }),
    delta('a', 0, 'x'),
    start('b', { node: 'writer', ns: sub }),
    { ...delta('b', 0, 'y'), ns: sub },
    { type: 'tool.start', run: 'r', id: 'c', name: 'search', node: 'agent' },
    { type: 'values', run: 'r', set: { n: 1 } },
    { type: 'values', run: 'r', ns: sub, set: { n: 2 } },
    { ...custom('p'), node: 'writer', ns: sub },
    { type: 'message.end', run: 'r', id: 'a', lengths: [1] },
    { type: 'error', run: 'r', error: { code: 'UNSERIALIZABLE', message: 'x' } },
    runEnd('r'),
  ]
  const passed = async (filter: ReadQuery): Promise<string[]> =>
    (await readAll(await logOf(events), { after: 0, ...filter }))
      .flatMap(eventsIn)
      .flatMap((event) => (event.type === 'sync' ? [] : [`${event.type} ${event.seq}`]))

  test('by mode', async () => {
    expect(await passed({ modes: ['tools'] })).toEqual(['run.start 1', 'tool.start 6', 'error 11', 'run.end 12'])
    expect(await passed({ modes: [] })).toEqual(['run.start 1', 'error 11', 'run.end 12'])
    expect(await passed({ modes: ['messages'] })).toEqual([
      'run.start 1',
      'message.start 2',
      'message.delta 3',
      'message.start 4',
      'message.delta 5',
      'message.end 10',
      'error 11',
      'run.end 12',
    ])
  })

  test('by namespace and what lies below', async () => {
    expect(await passed({ namespaces: [sub] })).toEqual([
      'run.start 1',
      'message.start 4',
      'message.delta 5',
      'values 8',
      'custom 9',
      'error 11',
      'run.end 12',
    ])
    expect(await passed({ namespaces: [[]] })).toHaveLength(12)
  })

  test('by node: deltas and ends come with their start', async () => {
    expect(await passed({ nodes: ['agent'], modes: ['messages', 'custom', 'tools'] })).toEqual([
      'run.start 1',
      'message.start 2',
      'message.delta 3',
      'tool.start 6',
      'message.end 10',
      'error 11',
      'run.end 12',
    ])
  })

  test('by tag', async () => {
    expect(await passed({ tags: ['final'], modes: ['messages'] })).toEqual([
      'run.start 1',
      'message.start 2',
      'message.delta 3',
      'message.end 10',
      'error 11',
      'run.end 12',
    ])
  })

  test('know where a message comes from whose start the reader has seen before', async () => {
    const log = await logOf(events.slice(0, 5))
    const next = pull(readLog(log, { after: 5, nodes: ['agent'] }, never))
    await next()
    await next()
    await log.append([{ ...delta('b', 1, 'no'), ns: sub }, delta('a', 1, 'yes'), runEnd('r')])
    expect(shape((await next())!)).toBe('message.delta 7 after 5, run.end 8')
  })

  test('hold for the snapshot as well', async () => {
    const log = await logOf(events)
    const state = foldFrames(emptyState(), await readAll(log, { nodes: ['agent'], modes: ['messages'] }))
    expect(messageOf(state, 'a')?.content).toBe('x')
    expect(messageOf(state, 'b')).toBeUndefined()
    expect(state.spaces.get('')?.values).toEqual({})
    expect(state.custom.size).toBe(0)
    expect(state.runs.get('r')?.status).toBe('done')
  })

  test('let a type of a newer version pass', async () => {
    const unknown = { type: 'sculpture', run: 'r', ns: [] } as unknown as RunEvent
    const log = await logOf([runStart('r'), unknown, runEnd('r')])
    const frames = await readAll(log, { after: 0, modes: ['values', 'messages'] })
    expect(frames.map(shape)).toContain('run.start 1, sculpture 2, run.end 3')
  })
})

test('a log that says there is more and has nothing ends its reader with an error, instead of being asked for ever', async () => {
  const whole = memoryLog()
  await whole.append([runStart('r'), runEnd('r')])
  const log = { ...plainLog(whole), read: async () => ({ events: [], head: 2 }) }
  const next = pull(readLog(log, { after: 0 }, never))
  await next()
  await expect(next()).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'the log ends at 2 and has nothing behind 0',
  })
})

/** A log by its functions, of which some may be replaced. */
function plainLog(log: EventLog): EventLog {
  return {
    id: log.id,
    head: () => log.head(),
    append: (...args) => log.append(...args),
    read: (...args) => log.read(...args),
    snapshot: () => log.snapshot(),
    waitFor: (...args) => log.waitFor(...args),
  }
}
