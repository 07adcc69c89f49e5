import { messages, reduced, scriptedModel, START, state, StateGraph, value, type ScriptedTurn } from '@rivulet/core'
import type { NodeContext, RetryPolicy } from '@rivulet/core'
import type { ServedGraph } from '@rivulet/server'

/** Three sentences, a word at a time. */
export const ANSWER = 'The river is long. The boat is slow. We are there. '

/** What a graph of one node does before it speaks, and how it speaks. */
export interface ChatOptions {
  /** Milliseconds between two words. Default 5. */
  delayMs?: number
  /** What the model says, in turn. Default: {@link ANSWER}. */
  turns?: ScriptedTurn | readonly ScriptedTurn[]
  retry?: RetryPolicy
  before?: (ctx: NodeContext) => unknown
}

/** A graph of one node that answers. */
export function chat({ delayMs = 5, turns = ANSWER, retry, before }: ChatOptions = {}): ServedGraph {
  const model = scriptedModel(turns, { delayMs })
  return new StateGraph(
    state({
      messages: messages(),
      count: reduced<number>({ initial: () => 0, reduce: (a, b) => a + b }),
      note: value<string>(),
    }),
  )
    .addNode(
      'talk',
      async ({ messages: history }, ctx) => {
        await before?.(ctx)
        return { messages: [await model.invoke(history)], count: 1 }
      },
      retry === undefined ? {} : { retry },
    )
    .addEdge(START, 'talk')
    .compile()
}
