import { fromAsyncIterable, messages, reduced, START, state, StateGraph } from '@rivulet/core'
import type { ServedGraph } from '../../src/index.ts'

/** Steps of a story, and words of each. */
export const STEPS = 5
export const WORDS = 12

/** What step `step` says. */
export const line = (step: number): string => Array.from({ length: WORDS }, (_, i) => `${step}.${i} `).join('')

/** A graph of some steps, each of which streams a message, writes data, and counts. */
export function storyGraph(): ServedGraph {
  const model = fromAsyncIterable(async function* (history) {
    const step = history.filter(({ role }) => role === 'assistant').length
    for (let i = 0; i < WORDS; i++) {
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => void setImmediate(resolve))
      yield `${step}.${i} `
    }
  })
  return new StateGraph(
    state({ messages: messages(), count: reduced<number>({ initial: () => 0, reduce: (a, b) => a + b }) }),
  )
    .addNode('tell', async ({ messages: history, count }, ctx) => {
      ctx.progress({ done: count, total: STEPS })
      return { messages: [await model.invoke(history)], count: 1 }
    })
    .addEdge(START, 'tell')
    .addConditionalEdges('tell', ({ count }) => (count < STEPS ? 'tell' : '__end__'))
    .compile()
}
