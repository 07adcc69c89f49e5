import {
  END,
  messages,
  reduced,
  scriptedModel,
  Send,
  START,
  state,
  StateGraph,
  type ScriptedAnswer,
  value,
} from '@rivulet/core'
import type { ServedGraph } from '@rivulet/server'
import type { Seeded } from './seeded.ts'
import type { VirtualTime } from './virtual-time.ts'

const WORDS = ['boat', ' river', '\nline', ' 🌍', '世界', ' data: {', ' \u2028', 'é', ' "quoted"', ' : at x.1']

/**
 * A graph that does a bit of everything that events tell of, which and how much by chance: it streams, thinks, calls a
 * tool that reports, fails and is tried again, fans out, runs a graph below it, writes what is no JSON, and asks.
 */
export function randomGraph(random: Seeded, time: VirtualTime): ServedGraph {
  const words = () => Array.from({ length: 1 + random.below(6) }, () => random.pick(WORDS))
  const answer = (): ScriptedAnswer => ({
    text: words(),
    ...(random.chance(0.3) && { reasoning: words() }),
    ...(random.chance(0.5) && { delayMs: 1 + random.below(40) }),
  })
  const says = (given: ScriptedAnswer) => scriptedModel(() => given, { clock: time })
  const failures = random.chance(0.4) ? 1 + random.below(2) : 0
  const parts = random.chance(0.5) ? 1 + random.below(4) : 0
  const asks = random.chance(0.3)
  const below = new StateGraph(state({ messages: messages(), found: value<number>() }))
    .addNode('look', async (_state, ctx) => {
      ctx.progress({ done: 1 })
      return { messages: [await says(answer()).invoke('look', { signal: ctx.signal })], found: random.below(9) }
    })
    .addEdge(START, 'look')
    .compile()
  return new StateGraph(
    state({
      messages: messages(),
      count: reduced<number>({ initial: () => 0, reduce: (a, b) => a + b }),
      note: value<string>(),
      found: value<number>(),
    }),
  )
    .addNode(
      'talk',
      async (_state, ctx) => {
        if (random.chance(0.3)) ctx.writer({ at: ctx.attempt }, 'note')
        if (random.chance(0.1)) ctx.writer(10n)
        const isFailing = ctx.attempt <= failures
        const said = await says({ ...answer(), ...(isFailing && { failAfter: random.below(4) }) }).invoke('talk')
        return { messages: [said], count: 1 }
      },
      { retry: { attempts: 3, delayMs: 0, jitter: false } },
    )
    .addNode('part', async (_state, ctx) => {
      ctx.progress({ part: random.below(5) })
      return { messages: [await says(answer()).invoke('part')], count: 1 }
    })
    .addNode('below', below)
    .addNode('ask', (_state, ctx) => ({ note: asks ? String(ctx.interrupt({ question: 'ok?' })) : 'nobody asked' }))
    .addEdge(START, 'talk')
    .addConditionalEdges('talk', () =>
      parts === 0 ? 'below' : Array.from({ length: parts }, () => new Send('part', {})),
    )
    .addEdge('part', 'ask')
    .addEdge('below', 'ask')
    .addEdge('ask', END)
    .compile()
}
