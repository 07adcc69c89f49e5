import { setTimeout as sleep } from 'node:timers/promises'
import { END, fromAsyncIterable, messages, reduced, START, state, StateGraph } from '@rivulet/core'
import type { ServedGraph } from '@rivulet/server'

const STEPS = 8
const WORDS = 6

/** A graph of some steps of about two seconds each: a message, word by word, with progress and a count. */
export function storyGraph(): ServedGraph {
  // Not a scripted model: those remember what they were asked.
  const model = fromAsyncIterable(async function* ({ length }, { signal }) {
    for (let i = 0; i < WORDS; i++) {
      await sleep(250 + 30 * (length % 5), undefined, { signal })
      yield `${length}.${i} 🌍 `
    }
  })
  return new StateGraph(
    state({
      messages: messages(),
      told: reduced<number>({ initial: () => 0, reduce: (a, b) => (b === 0 ? 0 : a + b) }),
    }),
  )
    .addNode('begin', () => ({ told: 0 }))
    .addNode('tell', async ({ messages: history, told }, ctx) => {
      ctx.progress({ done: told, total: STEPS })
      return { messages: [await model.invoke(history)], told: 1 }
    })
    .addEdge(START, 'begin')
    .addEdge('begin', 'tell')
    .addConditionalEdges('tell', ({ told }) => (told < STEPS ? 'tell' : END))
    .compile()
}
