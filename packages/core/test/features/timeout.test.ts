import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  fromAsyncIterable,
  messages,
  reduced,
  START,
  state,
  StateGraph,
  type NodeContext,
  type NodeOptions,
} from '../../src/index.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => {})
const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

function graphOf(run: (ctx: NodeContext) => unknown, options: NodeOptions) {
  return new StateGraph(schema())
    .addNode('slow', ((_s: unknown, ctx: NodeContext) => run(ctx)) as () => undefined, options)
    .addEdge(START, 'slow')
    .compile()
}

/** When a run ended, in ms from its start, and with which error code if any. */
async function outcome(graph: ReturnType<typeof graphOf>): Promise<[number, unknown]> {
  const start = Date.now()
  const ended = graph.invoke({}).then(
    () => [Date.now() - start, 'done'] as [number, unknown],
    (error: unknown) => [Date.now() - start, (error as { code: unknown }).code] as [number, unknown],
  )
  await vi.advanceTimersByTimeAsync(10_000)
  return ended
}

describe('a timeout for the whole attempt', () => {
  test('ends a node that ignores its signal, and says which and how long', async () => {
    const graph = graphOf(never, { timeout: 50 })
    expect(await outcome(graph)).toEqual([50, 'NODE_TIMEOUT'])
    const ended = rejection(graph.invoke({}))
    await vi.advanceTimersByTimeAsync(50)
    expect(await ended).toMatchObject({ node: 'slow', message: expect.stringMatching(/"slow" ran longer than 50 ms/) })
  })

  test('fires the signal of the node', async () => {
    let reason: unknown
    const graph = graphOf(
      (ctx) =>
        new Promise<void>((resolve) => {
          ctx.signal.addEventListener('abort', () => {
            reason = ctx.signal.reason
            resolve()
          })
        }),
      { timeout: { runMs: 50 } },
    )
    expect(await outcome(graph)).toEqual([50, 'NODE_TIMEOUT'])
    expect(reason).toMatchObject({ code: 'NODE_TIMEOUT' })
  })

  test('does not care for signs of life', async () => {
    const graph = graphOf(
      async (ctx) => {
        for (;;) {
          ctx.progress(1)
          await pause(10)
        }
      },
      { timeout: { runMs: 95, idleMs: 20 } },
    )
    expect(await outcome(graph)).toEqual([95, 'NODE_TIMEOUT'])
  })

  test('leaves a node alone that is done in time, and no timer behind', async () => {
    expect(await outcome(graphOf(() => pause(40), { timeout: { runMs: 50, idleMs: 50 } }))).toEqual([40, 'done'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('covers the routers of the node', async () => {
    const graph = new StateGraph(schema())
      .addNode('slow', () => ({}), { timeout: 50 })
      .addEdge(START, 'slow')
      .addConditionalEdges('slow', never)
      .compile()
    expect(await outcome(graph as never)).toEqual([50, 'NODE_TIMEOUT'])
  })

  test('ends the graph that the node is', async () => {
    const seen: unknown[] = []
    const child = new StateGraph(schema())
      .addNode('inner', (_s, ctx) => {
        ctx.signal.addEventListener('abort', () => seen.push((ctx.signal.reason as { code: string }).code))
        return never()
      })
      .addEdge(START, 'inner')
      .compile()
    const parent = new StateGraph(schema()).addNode('child', child, { timeout: 50 }).addEdge(START, 'child').compile()
    expect(await outcome(parent as never)).toEqual([50, 'NODE_TIMEOUT'])
    expect(seen).toEqual(['NODE_TIMEOUT'])
  })

  test('is for each attempt: the next one has its own time', async () => {
    const graph = graphOf((ctx) => (ctx.attempt < 3 ? never() : pause(40)), {
      timeout: 50,
      retry: { delayMs: 10, backoff: 1, jitter: false },
    })
    expect(await outcome(graph)).toEqual([50 + 10 + 50 + 10 + 40, 'done'])
  })

  test('what the node does after its time was up counts for nothing', async () => {
    const after: unknown[] = []
    const graph = graphOf(
      async (ctx) => {
        await pause(100)
        try {
          ctx.writer('late')
        } catch (error) {
          after.push((error as { code: string }).code)
        }
        return { log: ['late'] }
      },
      { timeout: 50, retry: { attempts: 1 } },
    )
    const running = all(graph.events({}))
    await vi.advanceTimersByTimeAsync(1000)
    const events = await running
    expect(after).toEqual(['NODE_TIMEOUT'])
    expect(ofType(events, 'custom')).toEqual([])
    expect(events.at(-1)?.type).toBe('run.end')
  })
})

describe('an idle timeout', () => {
  test('ends a node that gives no sign of life', async () => {
    const graph = graphOf(never, { timeout: { idleMs: 50 } })
    expect(await outcome(graph)).toEqual([50, 'NODE_TIMEOUT'])
  })

  test('is refreshed by progress and by writes', async () => {
    const graph = graphOf(
      async (ctx) => {
        await pause(40)
        ctx.progress(1)
        await pause(40)
        ctx.writer('w')
        await pause(40)
        ctx.pushMessage('m')
        await never()
      },
      { timeout: { idleMs: 50 } },
    )
    expect(await outcome(graph)).toEqual([170, 'NODE_TIMEOUT'])
  })

  test('is refreshed by tokens, streamed to somebody or not', async () => {
    const model = fromAsyncIterable(async function* () {
      for (let i = 0; i < 5; i++) {
        await pause(40)
        yield 'token'
      }
    })
    const graph = graphOf(async (ctx) => ({ messages: await model.invoke('hi', { ctx }) }), { timeout: { idleMs: 50 } })
    expect(await outcome(graph)).toEqual([200, 'done'])
  })

  test('is refreshed by the yields of a generator', async () => {
    const graph = graphOf(
      async function* () {
        for (let i = 0; i < 5; i++) {
          await pause(40)
          yield { log: ['x'] }
        }
      },
      { timeout: { idleMs: 50 } },
    )
    expect(await outcome(graph)).toEqual([200, 'done'])
  })

  test('is refreshed by what a graph below the node does', async () => {
    const child = new StateGraph(schema())
      .addNode('inner', async (_s, ctx) => {
        for (let i = 0; i < 4; i++) {
          await pause(40)
          ctx.progress(i)
        }
      })
      .addEdge(START, 'inner')
      .compile()
    const parent = new StateGraph(schema())
      .addNode('child', child, { timeout: { idleMs: 50 } })
      .addEdge(START, 'child')
      .compile()
    expect(await outcome(parent as never)).toEqual([160, 'done'])
  })

  test('takes no timer per sign of life', async () => {
    const made = vi.spyOn(globalThis, 'setTimeout')
    const graph = graphOf(
      (ctx) => {
        for (let i = 0; i < 1000; i++) ctx.progress(i)
      },
      { timeout: { idleMs: 50 } },
    )
    await graph.invoke({})
    expect(made.mock.calls.length).toBeLessThan(5)
    expect(vi.getTimerCount()).toBe(0)
    made.mockRestore()
  })
})

test.each([Infinity, 2 ** 31])('%d ms is no limit', async (ms) => {
  for (const timeout of [ms, { runMs: ms }, { idleMs: ms }]) {
    expect(await outcome(graphOf(() => pause(500), { timeout }))).toEqual([500, 'done'])
  }
})

test.each([0, -1, NaN])('%d ms is INVALID_GRAPH, naming the node', (ms) => {
  for (const timeout of [ms, { runMs: ms }, { idleMs: ms }]) {
    expect(() => graphOf(never, { timeout })).toThrow(`timeout of node "slow" must be more than 0 ms, not ${ms}`)
  }
})
