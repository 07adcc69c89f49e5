import { END, fromAsyncIterable, messages, START, state, StateGraph } from '@rivulet/core'
import type { StreamableGraph } from '@rivulet/protocol'

/** A graph whose answers stop in their middle until the test lets them go on, or they are cancelled. */
export interface Halting {
  readonly graph: StreamableGraph
  /** Lets the answer that is at its middle, or gets there next, go on. */
  readonly goOn: () => void
}

export function haltingGraph(): Halting {
  let allowed = 0
  let letGo: (() => void) | undefined
  const model = fromAsyncIterable(async function* (said, { signal }) {
    yield `half of ${said.at(-1)!.content}`
    if (allowed > 0) allowed--
    else {
      await new Promise<void>((resolve) => {
        letGo = resolve
        signal?.addEventListener('abort', () => resolve())
      })
      letGo = undefined
    }
    if (!signal?.aborted) yield ', and the rest'
  })
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('answer', async (now) => ({ messages: [await model.invoke(now.messages)] }))
    .addEdge(START, 'answer')
    .addEdge('answer', END)
    .compile()
  const goOn = () => {
    if (letGo === undefined) allowed++
    letGo?.()
    letGo = undefined
  }
  return { graph, goOn }
}
