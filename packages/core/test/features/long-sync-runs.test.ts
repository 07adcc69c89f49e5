import { describe, expect, test } from 'vitest'
import { END, fromAsyncIterable, Send, START, StateGraph, state, value, type Graph } from '../../src/index.ts'
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
        .addNode('talk', async () => void (await model.invoke('hi')))
        .addEdge(START, 'talk')
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

/** Aborts from a timer, and answers by how long that missed its time, in ms. */
function abortSoon(stop: AbortController): Promise<number> {
  const due = performance.now() + 20
  return new Promise((resolve) =>
    setTimeout(() => {
      stop.abort()
      resolve(performance.now() - due)
    }, 20),
  )
}

describe('a run that never waits for anything', () => {
  test.each(endless)('of %s leaves room for the timer that stops it', async (_what, make) => {
    const stop = new AbortController()
    const late = abortSoon(stop)
    const ended = rejection(make().invoke({}, { signal: stop.signal, recursionLimit: Infinity }))
    expect(await ended).toMatchObject({ code: 'CANCELLED' })
    // Measured at 1 to 5; loose, because a busy machine may take the processor away.
    expect(await late).toBeLessThan(250)
  })

  test('of many tasks in one step leaves room too, and those that had not begun never do', async () => {
    const stop = new AbortController()
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
    const late = abortSoon(stop)
    expect(await rejection(graph.invoke({}, { signal: stop.signal }))).toMatchObject({ code: 'CANCELLED' })
    expect(await late).toBeLessThan(250)
    const before = began
    expect(before).toBeLessThan(5000)
    await new Promise((resolve) => setTimeout(resolve))
    expect(began).toBe(before)
  })
})
