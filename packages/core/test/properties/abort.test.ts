import { nextTurn, type RunEvent, type RunStatus } from '@rivulet/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import {
  fromAsyncIterable,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  task,
  tool,
  toolNode,
} from '../../src/index.ts'
import { ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

// Hundreds of runs a test: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 })

failOnSurprises()
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** As a node should wait: its own timer goes when its signal fires. */
const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () =>
  state({ log: log(), messages: messages(), word: z.string().refine(async () => Promise.resolve(true)) })

/** Has everything that waits: models, tools, sends, graphs below, retries, timeouts, routers, schemas, a store. */
function graph() {
  const model = fromAsyncIterable(async function* () {
    for (const word of ['Hel', 'lo']) yield await Promise.resolve(word)
    yield { toolCallChunks: [{ index: 0, id: `c${Math.random()}`, name: 'look', args: '{}' }] }
  })
  const look = tool(
    async function* (_args, ctx) {
      yield await Promise.resolve('looking')
      ctx.writer('found')
      return 'here'
    },
    { name: 'look', description: 'looks', timeoutMs: 1000 },
  )
  const double = task('double', async (n: number) => Promise.resolve(n * 2))
  const child = new StateGraph(schema())
    .addNode('inner', async (_s, ctx) => {
      await Promise.resolve()
      ctx.writer(await double.within(ctx, 2))
      return { log: ['inner'] }
    })
    .addNode('innermost', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx }) }))
    .addEdge(START, 'inner')
    .addEdge('inner', 'innermost')
    .compile()
  return new StateGraph(schema())
    .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx }) }), {
      timeout: { runMs: 1000, idleMs: 500 },
    })
    .addNode('tools', toolNode([look]))
    .addNode('work', async (_sent, ctx) => {
      await Promise.resolve()
      ctx.progress(1)
      return { log: ['work'] }
    })
    .addNode(
      'shaky',
      async function* (_s, ctx) {
        yield { log: ['shaky'] }
        await pause(10, ctx.signal)
        if (ctx.attempt < 3) throw new Error('again')
        yield { log: ['steady'] }
      },
      { retry: { delayMs: 20, jitter: false }, onError: () => ({}) },
    )
    .addNode('child', child)
    .addEdge(START, 'talk')
    .addConditionalEdges('talk', async () =>
      Promise.resolve(['tools', new Send('work', 1), new Send('work', 2)] as const),
    )
    .addEdge('tools', 'shaky')
    .addEdge('work', 'child')
    .compile({ checkpointer: new MemoryCheckpointer() })
}

const input = { messages: [{ id: 'q', role: 'user', content: 'hi' }], word: 'w' } as const

function statusOfOneCleanEnd(events: readonly RunEvent[]): RunStatus {
  const [end, ...more] = ofType(events, 'run.end')
  expect(more).toEqual([])
  expect(events.at(-1)).toBe(end)
  const starts = ofType(events, 'task.start').map(({ task: id }) => id)
  const ends = ofType(events, 'task.end').map(({ task: id }) => id)
  expect([...ends].sort()).toEqual([...starts].sort())
  const tools = ofType(events, 'tool.start').map(({ id }) => id)
  expect(ofType(events, 'tool.end').map(({ id }) => id)).toEqual(tools)
  expect(vi.getTimerCount()).toBe(0)
  return end!.status
}

/** Runs the graph, telling of each turn of the microtask queue before it and of each event. Timers fire when all wait. */
async function sweep(
  signal: AbortSignal,
  onTurn: (turn: number) => unknown,
  onEvent: (count: number) => unknown,
  durability: 'sync' | 'async',
): Promise<{ events: RunEvent[]; turns: number }> {
  const run = { events: [] as RunEvent[], turns: 0, over: false }
  const reading = (async () => {
    for await (const event of graph().events(input, { signal, threadId: 't', durability })) {
      run.events.push(event)
      onEvent(run.events.length)
    }
    run.over = true
  })()
  let turned = false
  for (let idle = 0; !run.over; run.turns++) {
    onTurn(run.turns)
    const before = run.events.length
    await Promise.resolve()
    idle = run.events.length === before ? idle + 1 : 0
    if (idle <= 50) continue
    // Nothing has come for long: what runs waits for a turn of the event loop, or else for a timer.
    if (turned && vi.getTimerCount() > 0) vi.advanceTimersToNextTimer()
    else await nextTurn()
    turned = !turned
    idle = 0
  }
  await reading
  return run
}

/** What is expected: a stop is in time until some point late in the run, and from there on too late. */
function inTimeUntilTheEnd(statuses: readonly RunStatus[]): RunStatus[] {
  const tooLate = Math.max(statuses.indexOf('done'), Math.floor(0.8 * statuses.length))
  return statuses.map((_, i) => (i < tooLate ? 'cancelled' : 'done'))
}

const quietly = () => {}

describe.each(['async', 'sync'] as const)('a run, %s, that is stopped', (durability) => {
  test('at any turn of the microtask queue ends once, with nothing left behind', async () => {
    const whole = await sweep(new AbortController().signal, quietly, quietly, durability)
    expect(whole.turns).toBeGreaterThan(300)
    const statuses: RunStatus[] = []
    for (let at = 0; at < whole.turns; at++) {
      const stop = new AbortController()
      const { events } = await sweep(stop.signal, (turn) => turn === at && stop.abort(), quietly, durability)
      statuses.push(statusOfOneCleanEnd(events))
    }
    expect(statuses).toEqual(inTimeUntilTheEnd(statuses))
  })

  test('on any event ends once, with nothing left behind', async () => {
    const whole = await sweep(new AbortController().signal, quietly, quietly, durability)
    const statuses: RunStatus[] = []
    for (let at = 1; at <= whole.events.length; at++) {
      const stop = new AbortController()
      const { events } = await sweep(stop.signal, quietly, (count) => count === at && stop.abort(), durability)
      statuses.push(statusOfOneCleanEnd(events))
    }
    expect(statuses).toEqual(inTimeUntilTheEnd(statuses))
  })
})
