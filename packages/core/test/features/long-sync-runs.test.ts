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
        .addNode('talk', async (_s, ctx) => void (await model.invoke('hi', { ctx })))
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
