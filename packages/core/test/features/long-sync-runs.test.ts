import { nextTurn } from '@rivulet/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { END, fromAsyncIterable, Send, START, StateGraph, state, task, value, type Graph } from '../../src/index.ts'
import { rejection } from '../reading.ts'

const counter = () => state({ n: value<number>({ initial: () => 0 }) })

/** Nodes that never wait, for as long as nobody stops them. */
const endless: [string, () => Graph][] = [
  [
    'a loop of nodes',
    () =>
      new StateGraph(counter())
        .addNode('tick', ({ n }) => ({ n: n + 1 }))
        .addEdge(START, 'tick')
        .addConditionalEdges('tick', () => 'tick')
        .compile(),
  ],
  [
    'a generator',
    () =>
      new StateGraph(counter())
        .addNode('tick', async function* () {
          for (let n = 0; ; n++) yield { n }
        })
        .addEdge(START, 'tick')
        .addEdge('tick', END)
        .compile(),
  ],
  [
    'a model',
    () => {
      const model = fromAsyncIterable(async function* () {
        for (;;) yield 'word '
      })
      return new StateGraph(counter())
        .addNode('talk', async (_s, ctx) => void (await model.invoke('hi', { ctx })))
        .addEdge(START, 'talk')
        .compile()
    },
  ],
  [
    'tasks that a workflow calls',
    () => {
      const tick = task('tick', (n: number) => n + 1)
      const schema = counter()
      return new StateGraph(schema)
        .addNode('loop', async (_s, ctx) => {
          for (let n = 0; ;) n = await tick.within(ctx, n)
        })
        .addEdge(START, 'loop')
        .compile()
    },
  ],
  [
    'a graph below',
    () => {
      const child = new StateGraph(counter())
        .addNode('tick', ({ n }) => ({ n: n + 1 }))
        .addEdge(START, 'tick')
        .addConditionalEdges('tick', () => 'tick')
        .compile()
      return new StateGraph(counter()).addNode('child', child).addEdge(START, 'child').compile()
    },
  ],
]

afterEach(() => vi.restoreAllMocks())

/** Aborts from a timer, which fires only if the run lets it. */
function abortSoon(): AbortSignal {
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 5)
  return stop.signal
}

describe('a run that never waits for anything', () => {
  test.each(endless)('of %s leaves room for the timer that stops it', async (_what, make) => {
    const ended = rejection(make().invoke({}, { signal: abortSoon(), recursionLimit: Infinity }))
    expect(await ended).toMatchObject({ code: 'CANCELLED' })
  })

  test('lets the event loop turn before ten steps of a millisecond are over', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    let longest = 0
    let turnedAt = 0
    const watch = (): void => {
      longest = Math.max(longest, now - turnedAt)
      turnedAt = now
      if (now < 200) void nextTurn().then(watch)
    }
    watch()
    const graph = new StateGraph(counter())
      .addNode('tick', ({ n }) => {
        now++
        return { n: n + 1 }
      })
      .addEdge(START, 'tick')
      .addConditionalEdges('tick', ({ n }) => (n < 200 ? 'tick' : END))
      .compile()
    await graph.invoke({}, { recursionLimit: Infinity })
    expect(longest).toBeGreaterThan(1)
    expect(longest).toBeLessThanOrEqual(6)
  })

  test('of many tasks in one step leaves room too, and those that had not begun never do', async () => {
    let began = 0
    const graph = new StateGraph(counter())
      .addNode('split', () => {})
      .addNode('work', () => {
        began++
        for (const until = performance.now() + 1; performance.now() < until;);
      })
      .addEdge(START, 'split')
      .addConditionalEdges('split', () => Array.from({ length: 5000 }, () => new Send('work', {})))
      .compile()
    expect(await rejection(graph.invoke({}, { signal: abortSoon() }))).toMatchObject({ code: 'CANCELLED' })
    const before = began
    expect(before).toBeLessThan(5000)
    await new Promise((resolve) => setTimeout(resolve))
    expect(began).toBe(before)
  })
})
