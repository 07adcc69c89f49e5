import { getEventListeners } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { fromAsyncIterable, messages, START, state, StateGraph, tool, toolNode, value } from '../../src/index.ts'
import { all } from '../reading.ts'

afterEach(() => vi.restoreAllMocks())

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

const model = fromAsyncIterable(async function* () {
  yield 'hi'
})

/** Everything that takes a signal: the run, a graph below, a graph in a tool, a model call. */
function everything(signal: AbortSignal) {
  const child = new StateGraph(state({ n: value<number>() })).addNode('inner', () => ({ n: 1 })).addEdge(START, 'inner')
  const below = child.compile()
  const deep = tool(async () => (await below.invoke({ n: 0 }, { signal })).n, { name: 'deep', description: 'calls' })
  return new StateGraph(state({ messages: messages(), n: value<number>() }))
    .addNode('model', async (_s, ctx) => {
      const said = await model.invoke('hi', { ctx, signal })
      return { messages: [{ ...said, toolCalls: [{ id: `c${ctx.runId}`, name: 'deep', args: '{}' }] }] }
    })
    .addNode('tools', toolNode([deep]))
    .addEdge(START, 'model')
    .addEdge('model', 'tools')
    .compile()
}

test('a signal that outlives ten thousand runs holds nothing of them', async () => {
  const any = vi.spyOn(AbortSignal, 'any')
  const { signal } = new AbortController()
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('a', () => ({ n: 1 }))
    .addEdge(START, 'a')
    .compile()
  let most = 0
  for (let batch = 0; batch < 100; batch++) {
    const running = Array.from({ length: 100 }, () => graph.invoke({}, { signal }))
    most = Math.max(most, listeners(signal))
    await Promise.all(running)
  }
  expect(most).toBe(1)
  expect(listeners(signal)).toBe(0)
  expect(any).not.toHaveBeenCalled()
})

test('runs side by side with models, tools and graphs below listen once, and not at all when they are over', async () => {
  const any = vi.spyOn(AbortSignal, 'any')
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { signal } = new AbortController()
  const graph = everything(signal)
  const reading = Array.from({ length: 50 }, () => all(graph.stream({}, { signal, streamMode: 'messages' })))
  expect(listeners(signal)).toBe(1)
  await Promise.all(reading)
  expect(listeners(signal)).toBe(0)
  expect(any).not.toHaveBeenCalled()
  expect(warned).not.toHaveBeenCalled()
})

test('one signal stops all the runs that were given it', async () => {
  const stop = new AbortController()
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('waits', (_s, ctx) => new Promise<never>((_done, fail) => ctx.signal.addEventListener('abort', fail)))
    .addEdge(START, 'waits')
    .compile()
  const running = Promise.allSettled(Array.from({ length: 20 }, () => graph.invoke({}, { signal: stop.signal })))
  await Promise.resolve()
  stop.abort('enough')
  const outcomes = await running
  expect(outcomes.map((one) => one.status === 'rejected' && (one.reason as Error).cause)).toEqual(
    Array(20).fill('enough'),
  )
  expect(listeners(stop.signal)).toBe(0)
})
