import * as fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { stateOf, stampAll } from '../../test/logs.ts'
import { randomRuns } from '../../test/random-log.ts'
import { RivuletError } from '../errors.ts'
import type { RunEvent } from '../events/event.ts'
import { foldAll } from '../fold/fold.ts'
import { emptyState } from '../fold/state.ts'
import type { RunOptions, StreamableGraph } from '../graph.ts'
import type { EventLog } from './event-log.ts'
import { memoryLog } from './memory-log.ts'
import { recordRun } from './record-run.ts'

const start: RunEvent = { type: 'run.start', run: 'r', protocol: 1 }
const end: RunEvent = { type: 'run.end', run: 'r', status: 'done' }
const custom = (data: unknown): RunEvent => ({ type: 'custom', run: 'r', data })

type Write = (input: unknown, options: RunOptions) => AsyncGenerator<RunEvent>
const graphOf = (events: Write): StreamableGraph => ({ events: (input, options = {}) => events(input, options) })
const graphWith = (...events: readonly RunEvent[]): StreamableGraph =>
  graphOf(async function* () {
    yield* events
  })

async function typesIn(log: EventLog): Promise<string[]> {
  const { events } = await log.read(0, 10_000)
  return events.map((event) => event.type)
}

/** A log that remembers the groups it was given. */
function watchedLog(): { log: EventLog; groups: string[][] } {
  const log = memoryLog()
  const groups: string[][] = []
  return {
    groups,
    log: {
      ...log,
      append(events, options) {
        groups.push(events.map(({ type }) => type))
        return log.append(events, options)
      },
    },
  }
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) await Promise.resolve()
}

/** An append that waits to be let through. */
interface Held {
  count: number
  release: () => void
}

/** Appends that wait to be let through, in the order they came. */
class HeldAppends {
  readonly #held: Held[] = []
  #waiting: ((held: Held) => void) | undefined

  hold(count: number): Promise<void> {
    return new Promise((release) => {
      const held = { count, release }
      if (this.#waiting === undefined) this.#held.push(held)
      else this.#waiting(held)
      this.#waiting = undefined
    })
  }

  async next(): Promise<Held> {
    return this.#held.shift() ?? new Promise((resolve) => (this.#waiting = resolve))
  }

  async releaseAll(): Promise<never> {
    for (;;) (await this.next()).release()
  }
}

function gatedLog(): { log: EventLog; inner: EventLog; appends: HeldAppends } {
  const inner = memoryLog()
  const appends = new HeldAppends()
  const log: EventLog = {
    ...inner,
    async append(events, options) {
      await appends.hold(events.length)
      return inner.append(events, options)
    },
  }
  return { log, inner, appends }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a run that ends by itself', () => {
  test('is in the log from start to end, and its end is the answer', async () => {
    const log = memoryLog()
    expect(await recordRun(log, graphWith(start, custom(1), end), {}, { runId: 'r' })).toEqual(end)
    expect(await typesIn(log)).toEqual(['run.start', 'custom', 'run.end'])
  })

  test('is asked with its id, its signal and whether the log has the history', async () => {
    const asked: { input: unknown; options: RunOptions }[] = []
    const graph = graphOf(async function* (input, options) {
      asked.push({ input, options })
      yield { ...start, run: options.runId! }
      yield { ...end, run: options.runId! }
    })
    const log = memoryLog()
    const first = await recordRun(log, graph, { q: 1 }, { threadId: 't', tags: ['x'] })
    await recordRun(log, graph, null, { runId: 'two' })
    expect(asked[0]).toMatchObject({ input: { q: 1 }, options: { threadId: 't', tags: ['x'], historyInLog: false } })
    expect(asked[0]?.options.runId).toBe(first.run)
    expect(asked[0]?.options.signal?.aborted).toBe(false)
    expect(asked[1]).toMatchObject({ input: null, options: { runId: 'two', historyInLog: true } })
  })

  test('is written in groups: all that one turn brings at once', async () => {
    const { log, groups } = watchedLog()
    await recordRun(log, graphWith(start, custom(1), custom(2), end), {}, { runId: 'r' })
    expect(groups).toEqual([['run.start', 'custom', 'custom', 'run.end']])
  })

  test('is written while an append is under way', async () => {
    const { log, appends } = gatedLog()
    let proceed = (): void => undefined
    const proceeding = new Promise<void>((resolve) => (proceed = resolve))
    const recorded = recordRun(
      log,
      graphOf(async function* () {
        yield start
        await proceeding
        yield* [custom(1), custom(2), custom(3), end]
      }),
      {},
      { runId: 'r' },
    )
    const first = await appends.next()
    proceed()
    await settle()
    first.release()
    const second = await appends.next()
    second.release()
    await recorded
    expect([first.count, second.count]).toEqual([1, 4])
  })

  test('waits while the log is far behind', async () => {
    const { log, appends, inner } = gatedLog()
    let emitted = 0
    const recorded = recordRun(
      log,
      graphOf(async function* () {
        yield start
        for (; emitted < 5000; emitted++) yield custom(emitted)
        yield end
      }),
      {},
      { runId: 'r' },
    )
    const first = await appends.next()
    await settle()
    expect(emitted).toBeGreaterThan(1000)
    expect(emitted).toBeLessThan(3000)
    first.release()
    void appends.releaseAll()
    await recorded
    expect(inner.head()).toBe(5002)
  })

  test('whatever it emits is in the log in that order', async () => {
    await fc.assert(
      fc.asyncProperty(randomRuns, async (runs) => {
        const log = memoryLog({ id: 'log' })
        for (const [run, events] of groupByRun(runs)) await recordRun(log, graphWith(...events), {}, { runId: run })
        const whole = foldAll(emptyState(), stampAll(runs))
        expect(stateOf(await log.snapshot())).toEqual(stateOf({ ...whole, log: 'log' }))
      }),
      { numRuns: 30 },
    )
  })
})

function groupByRun(events: readonly RunEvent[]): Map<string, RunEvent[]> {
  const byRun = new Map<string, RunEvent[]>()
  for (const event of events) byRun.set(event.run, [...(byRun.get(event.run) ?? []), event])
  return byRun
}

describe('a graph that does not end its run', () => {
  test('by throwing: the run ends with the error, and no stack', async () => {
    const log = memoryLog()
    const ended = await recordRun(
      log,
      graphOf(async function* () {
        yield start
        throw new TypeError('boom')
      }),
      {},
      { runId: 'r' },
    )
    expect(ended).toEqual({
      type: 'run.end',
      run: 'r',
      status: 'error',
      error: { code: 'INTERNAL', message: 'boom', run: 'r' },
    })
    expect((await log.read(1, 1)).events).toEqual([{ ...ended, seq: 2 }])
  })

  test('by throwing what readers must not see: the caller says what they may', async () => {
    const seen: unknown[] = []
    const secret = new Error('password is 1234')
    const ended = await recordRun(
      memoryLog(),
      graphOf(async function* () {
        yield start
        throw secret
      }),
      {},
      {
        runId: 'r',
        describe(error) {
          seen.push(error)
          return { code: 'INTERNAL', message: 'it failed' }
        },
      },
    )
    expect(seen).toEqual([secret])
    expect(ended.error).toEqual({ code: 'INTERNAL', message: 'it failed', run: 'r' })
  })

  test('by throwing before its first event: the log still has a start and an end', async () => {
    const log = memoryLog()
    const graph: StreamableGraph = {
      events() {
        throw new RivuletError('INVALID_INPUT', 'no such field')
      },
    }
    expect(await recordRun(log, graph, {}, { runId: 'r' })).toMatchObject({ error: { code: 'INVALID_INPUT' } })
    expect(await typesIn(log)).toEqual(['run.start', 'run.end'])
  })

  test('by stopping: the run ends with an error', async () => {
    const log = memoryLog()
    expect(await recordRun(log, graphWith(start, custom(1)), {}, { runId: 'r' })).toMatchObject({
      status: 'error',
      error: { code: 'INTERNAL', message: 'the graph stopped without ending its run' },
    })
    expect(await typesIn(log)).toEqual(['run.start', 'custom', 'run.end'])
  })

  test('by going on after its end: nothing of that is seen, and it is told to stop', async () => {
    const log = memoryLog()
    let left = false
    await recordRun(
      log,
      graphOf(async function* () {
        try {
          yield* [start, end, custom('late')]
        } finally {
          left = true
        }
      }),
      {},
      { runId: 'r' },
    )
    expect(await typesIn(log)).toEqual(['run.start', 'run.end'])
    expect(left).toBe(true)
  })

  test('by failing when it is told to stop: nobody is bothered', async () => {
    const source = {
      next: () => Promise.resolve({ value: end, done: false as const }),
      return: () => Promise.reject(new Error('cannot stop')),
    }
    const graph: StreamableGraph = { events: () => ({ [Symbol.asyncIterator]: () => source }) }
    await expect(recordRun(memoryLog(), graph, {}, { runId: 'r' })).resolves.toEqual(end)
  })
})

describe('a run that is cancelled', () => {
  /** Emits its start, then waits for its signal; `onStop` says what it does then. */
  const waiting = (onStop: () => RunEvent[]): StreamableGraph =>
    graphOf(async function* (_input, { signal }) {
      yield start
      await new Promise<void>((resolve) => {
        signal!.addEventListener('abort', () => resolve(), { once: true })
      })
      yield* onStop()
    })

  test('ends as the graph says', async () => {
    const log = memoryLog()
    const stop = new AbortController()
    const ended: RunEvent = { type: 'run.end', run: 'r', status: 'cancelled', checkpoint: 'c1' }
    const recorded = recordRun(
      log,
      waiting(() => [custom('saved'), ended]),
      {},
      { runId: 'r', signal: stop.signal },
    )
    await log.waitFor(0, new AbortController().signal)
    stop.abort()
    expect(await recorded).toEqual(ended)
    expect(await typesIn(log)).toEqual(['run.start', 'custom', 'run.end'])
  })

  test('ends cancelled when the graph throws because of it', async () => {
    const stop = new AbortController()
    const graph = waiting(() => {
      throw new Error('aborted')
    })
    const log = memoryLog()
    const recorded = recordRun(log, graph, {}, { runId: 'r', signal: stop.signal })
    await log.waitFor(0, new AbortController().signal)
    stop.abort()
    expect(await recorded).toEqual({ type: 'run.end', run: 'r', status: 'cancelled' })
  })

  test('ends cancelled when the graph does not end in time, and what comes later is dropped', async () => {
    vi.useFakeTimers()
    const log = memoryLog()
    const stop = new AbortController()
    let wake = (): void => undefined
    const deaf = graphOf(async function* () {
      yield start
      await new Promise<void>((resolve) => (wake = resolve))
      yield custom('late')
    })
    const recorded = recordRun(log, deaf, {}, { runId: 'r', signal: stop.signal, graceMs: 300 })
    await log.waitFor(0, new AbortController().signal)
    stop.abort()
    await vi.advanceTimersByTimeAsync(299)
    expect(await typesIn(log)).toEqual(['run.start'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await recorded).toEqual({ type: 'run.end', run: 'r', status: 'cancelled' })
    wake()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await typesIn(log)).toEqual(['run.start', 'run.end'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('before it begins ends too', async () => {
    vi.useFakeTimers()
    const log = memoryLog()
    const silent: StreamableGraph = {
      events: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }),
    }
    const recorded = recordRun(log, silent, {}, { runId: 'r', signal: AbortSignal.abort() })
    await vi.advanceTimersByTimeAsync(5000)
    expect(await recorded).toMatchObject({ status: 'cancelled' })
    expect(await typesIn(log)).toEqual(['run.start', 'run.end'])
  })

  test('at any event has one start and one end', async () => {
    const events = [start, custom(1), custom(2), end]
    for (let at = 0; at <= events.length; at++) {
      const log = memoryLog()
      const stop = new AbortController()
      const graph = graphOf(async function* (_input, { signal }) {
        for (const [i, event] of events.entries()) {
          if (i === at) stop.abort()
          signal!.throwIfAborted()
          yield event
        }
        if (at === events.length) stop.abort()
      })
      await recordRun(log, graph, {}, { runId: 'r', signal: stop.signal })
      const types = await typesIn(log)
      expect(types.filter((type) => type.startsWith('run.'))).toEqual(['run.start', 'run.end'])
      expect(types.at(-1)).toBe('run.end')
    }
  })
})

describe('a log that refuses', () => {
  test('an event that is not JSON gets an error event, and the run goes on', async () => {
    const log = memoryLog()
    const graph = graphWith(start, custom(1), { ...custom(2n), node: 'n' }, custom(3), end)
    expect(await recordRun(log, graph, {}, { runId: 'r' })).toEqual(end)
    expect(await typesIn(log)).toEqual(['run.start', 'custom', 'error', 'custom', 'run.end'])
    expect((await log.read(2, 1)).events[0]).toMatchObject({ node: 'n', run: 'r', error: { code: 'UNSERIALIZABLE' } })
  })

  test('an event that is too large stops the run, which ends with the reason', async () => {
    const log = memoryLog({ maxBytes: 1000 })
    let stopped = false
    const graph = graphOf(async function* (_input, { signal }) {
      yield start
      yield custom('x'.repeat(2000))
      await new Promise<void>((resolve) => {
        signal!.addEventListener('abort', () => resolve(), { once: true })
      })
      stopped = true
      yield end
    })
    const ended = await recordRun(log, graph, {}, { runId: 'r' })
    expect(stopped).toBe(true)
    expect(ended).toMatchObject({ status: 'error', error: { code: 'LIMIT_EXCEEDED' } })
    expect((await log.read(0, 10)).events.at(-1)).toMatchObject({ type: 'run.end', status: 'error' })
  })

  test('everything: the answer still says why', async () => {
    const broken: EventLog = { ...memoryLog(), append: () => Promise.reject(new Error('disk is gone')) }
    expect(await recordRun(broken, graphWith(start, end), {}, { runId: 'r' })).toMatchObject({
      status: 'error',
      error: { code: 'INTERNAL', message: 'disk is gone' },
    })
  })

  test('a worker that was replaced', async () => {
    const log = memoryLog()
    await log.append([custom('newer')], { fence: 2 })
    const ended = await recordRun(log, graphWith(start, end), {}, { runId: 'r', fence: 1 })
    expect(ended).toMatchObject({ status: 'error', error: { code: 'RUN_CONFLICT' } })
    expect(await typesIn(log)).toEqual(['custom'])
  })
})
