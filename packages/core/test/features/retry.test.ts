import { RivuletError } from '@rivulet/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  fromAsyncIterable,
  MemoryCheckpointer,
  messages,
  reduced,
  START,
  state,
  StateGraph,
  type NodeContext,
  type NodeOptions,
  type RetryPolicy,
} from '../../src/index.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

function graphOf(run: (attempt: number, ctx: NodeContext) => unknown, options: NodeOptions) {
  return new StateGraph(schema())
    .addNode('node', ((_s: unknown, ctx: NodeContext) => run(ctx.attempt, ctx)) as () => undefined, options)
    .addEdge(START, 'node')
    .compile({ checkpointer: new MemoryCheckpointer() })
}

/** Fails until the given attempt. */
const until = (good: number) => (attempt: number) => {
  if (attempt < good) throw new Error(`attempt ${attempt}`)
  return { log: [`ok at ${attempt}`] }
}

/** Milliseconds between the attempts that a policy makes. */
async function waits(retry: RetryPolicy): Promise<number[]> {
  const times: number[] = []
  const graph = graphOf(
    () => {
      times.push(Date.now())
      throw new Error('again')
    },
    { retry },
  )
  const ended = rejection(graph.invoke({}))
  await vi.runAllTimersAsync()
  await ended
  return times.slice(1).map((time, i) => time - times[i]!)
}

describe('waits between attempts', () => {
  test('double from half a second, for three attempts', async () => {
    expect(await waits({ jitter: false })).toEqual([500, 1000])
  })

  test('grow by the backoff up to the longest, as often as allowed', async () => {
    expect(await waits({ attempts: 6, delayMs: 10, backoff: 3, maxDelayMs: 100, jitter: false })).toEqual([
      10, 30, 90, 100, 100,
    ])
  })

  test('are longer by a random share of at most one second', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    expect(await waits({ attempts: 2, delayMs: 4000 })).toEqual([4500])
    random.mockRestore()
  })
})

describe('an attempt that failed', () => {
  test('is followed by another, and only the good one counts', async () => {
    const running = graphOf(until(3), { retry: true }).invoke({})
    await vi.runAllTimersAsync()
    expect((await running).log).toEqual(['ok at 3'])
  })

  test('is withdrawn by a rewind before the next; each event says its attempt; the task has one start and one end', async () => {
    const graph = graphOf(
      (attempt, ctx) => {
        ctx.writer(`w${attempt}`)
        return until(2)(attempt)
      },
      { retry: { jitter: false } },
    )
    const running = all(graph.events({}))
    await vi.runAllTimersAsync()
    const events = (await running).filter(({ node }) => node === 'node')
    expect(events.map(({ type, attempt = 1 }) => [type, attempt])).toEqual([
      ['task.start', 1],
      ['custom', 1],
      ['rewind', 1],
      ['custom', 2],
      ['task.end', 1],
    ])
    expect(ofType(events, 'rewind')[0]).toMatchObject({ task: ofType(events, 'task.start')[0]?.task, attempt: 1 })
  })

  test('loses the run its error, untouched, when it was the last', async () => {
    const running = rejection(graphOf(until(9), { retry: { attempts: 2 } }).invoke({}))
    await vi.runAllTimersAsync()
    expect(await running).toEqual(new Error('attempt 2'))
  })

  test('is not withdrawn when it was the last: what it told stays', async () => {
    const running = all(graphOf(until(9), { retry: { attempts: 2 } }).events({}))
    await vi.runAllTimersAsync()
    expect(ofType(await running, 'rewind')).toHaveLength(1)
  })
})

describe('ids of messages', () => {
  const ids: (string | undefined)[] = []
  const talking = (provided: string | undefined) =>
    graphOf(
      async (attempt, ctx) => {
        const model = fromAsyncIterable(async function* () {
          yield { content: 'par', ...(provided !== undefined && { id: provided }) }
          if (attempt < 3) throw new Error('cut')
          yield { content: 'tial' }
        })
        return { messages: await model.invoke('hi', { ctx }) }
      },
      { retry: { jitter: false } },
    )

  test.each([
    ['made here', undefined],
    ['given by the provider, the same each time,', 'provider-1'],
  ])('%s are never used again after a rewind', async (_what, provided) => {
    ids.length = 0
    const running = all(talking(provided).events({ messages: [] }))
    await vi.runAllTimersAsync()
    const events = await running
    const starts = ofType(events, 'message.start')
    expect(starts.map(({ attempt = 1 }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(starts.map(({ id }) => id)).size).toBe(3)
    expect(ofType(events, 'values').at(-1)?.lists).toEqual({ messages: { ids: [starts[2]?.id] } })
  })

  test('a provider id that names a withdrawn message is no alias of another', async () => {
    const running = all(talking('provider-1').events({ messages: [] }))
    await vi.runAllTimersAsync()
    expect(ofType(await running, 'message.end').map(({ providerId }) => providerId)).toEqual([undefined])
  })

  test('a message pushed by a failed attempt is told again by the next', async () => {
    const graph = graphOf(
      (attempt, ctx) => {
        ctx.pushMessage({ id: 'note', role: 'assistant', content: 'working' })
        return until(2)(attempt)
      },
      { retry: { jitter: false } },
    )
    const running = all(graph.events({ messages: [] }))
    await vi.runAllTimersAsync()
    const told = (await running).flatMap((event) =>
      event.type === 'message' || event.type === 'rewind' ? [event.type] : [],
    )
    expect(told).toEqual(['message', 'rewind', 'message'])
  })
})

describe('what is retried', () => {
  const attemptsFor = async (thrown: unknown, policy: RetryPolicy = {}) => {
    let attempts = 0
    const graph = graphOf(
      () => {
        attempts++
        throw thrown
      },
      { retry: { jitter: false, ...policy } },
    )
    const ended = rejection(graph.invoke({}))
    await vi.runAllTimersAsync()
    expect(await ended).toBe(thrown)
    return attempts
  }

  test.each<[string, unknown, number]>([
    ['an error', new Error('x'), 3],
    ['a string', 'x', 3],
    ['undefined', undefined, 3],
    ['a cancellation', new DOMException('stop', 'AbortError'), 1],
    ['a bad request', Object.assign(new Error('bad'), { status: 400 }), 1],
    ['a conflict', Object.assign(new Error('conflict'), { status: 409 }), 1],
    ['too many requests', Object.assign(new Error('slow down'), { status: 429 }), 3],
    ['a server error', Object.assign(new Error('down'), { status: 503 }), 3],
    ['an error of ours that is not retryable', new RivuletError('PROVIDER_FAILED', 'no'), 1],
    ['an error of ours that is retryable', new RivuletError('PROVIDER_FAILED', 'again', { retryable: true }), 3],
  ])('by default: %s', async (_what, thrown, attempts) => {
    expect(await attemptsFor(thrown)).toBe(attempts)
  })

  test('is what the predicate says; it is asked with what was thrown', async () => {
    const thrown = new Error('x')
    const seen: unknown[] = []
    const retryOn = (error: unknown) => {
      seen.push(error)
      return seen.length < 2
    }
    expect(await attemptsFor(thrown, { retryOn, attempts: 9 })).toBe(2)
    expect(seen).toEqual([thrown, thrown])
  })

  test('a predicate that throws means no: the run fails with what the node threw, and is told of both', async () => {
    const thrown = new Error('x')
    const retryOn = () => {
      throw new Error('bad predicate')
    }
    expect(await attemptsFor(thrown, { retryOn })).toBe(1)
    const events = await all(
      graphOf(
        () => {
          throw thrown
        },
        { retry: { retryOn } },
      ).events({}),
    )
    expect(ofType(events, 'error')[0]?.error).toMatchObject({
      node: 'node',
      message: expect.stringMatching(/bad predicate/),
    })
  })

  test('is never a question to a person', async () => {
    const graph = graphOf((_attempt, ctx) => ctx.interrupt('?'), { retry: { retryOn: () => true } })
    const running = graph.invoke({}, { threadId: 't' })
    await vi.runAllTimersAsync()
    expect(await running).toHaveProperty('__interrupt__')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('while it waits for the next attempt', () => {
  test('a run that is cancelled ends at once and leaves no timer', async () => {
    const stop = new AbortController()
    let runs = 0
    const graph = graphOf(
      () => {
        runs++
        throw new Error('again')
      },
      { retry: { delayMs: 60_000, jitter: false } },
    )
    const ended = rejection(graph.invoke({}, { signal: stop.signal }))
    await vi.advanceTimersByTimeAsync(10)
    expect(runs).toBe(1)
    stop.abort()
    expect(await ended).toMatchObject({ code: 'CANCELLED' })
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(runs).toBe(1)
  })

  test('a sibling that fails ends the run; nothing of the other runs again and no timer is left', async () => {
    let runs = 0
    const graph = new StateGraph(schema())
      .addNode(
        'waits',
        () => {
          runs++
          throw new Error('again')
        },
        { retry: { delayMs: 60_000, jitter: false }, onError: () => void runs++ },
      )
      .addNode('fails', async () => {
        await new Promise((resolve) => setTimeout(resolve, 100))
        throw new Error('for good')
      })
      .addEdge(START, 'waits')
      .addEdge(START, 'fails')
      .compile()
    const running = allAndError(graph.events({}))
    await vi.advanceTimersByTimeAsync(100)
    const { items } = await running
    expect(items.at(-1)).toMatchObject({ type: 'run.end', status: 'error', error: { node: 'fails' } })
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(runs).toBe(1)
  })
})
