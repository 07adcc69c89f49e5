import {
  createAgent,
  fromAsyncIterable,
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  tool,
  value,
} from '../../packages/core/dist/index.js'

/** Holds a graph back in the middle of what it says, until it is let go on. */
export class Gate {
  /** @type {() => void} */
  #open = () => undefined
  /** @type {Promise<void>} */
  #passed = Promise.resolve()

  shut() {
    this.#passed = new Promise((resolve) => (this.#open = resolve))
  }

  open() {
    this.#open()
  }

  /** @param {AbortSignal | undefined} signal */
  pass(signal) {
    return Promise.race([
      this.#passed,
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
    ])
  }
}

/** What `chat` has said to "slowly" when it is held back. */
export const PAUSED = 'you said: slowly. '

/** Graphs with models that need no key; `gate` holds back those that are asked to wait. */
export function makeGraphs() {
  const gate = new Gate()
  const echo = fromAsyncIterable(async function* (history, { signal }) {
    const said = history.at(-1)?.content ?? ''
    for (const [i, word] of `you said: ${said}. That is all.`.match(/\S+\s*/g)?.entries() ?? []) {
      if (i === 3 && said.includes('slowly')) await gate.pass(signal)
      yield word
    }
  })
  const chat = new StateGraph(state({ messages: messages(), turns: value() }))
    .addNode('model', async ({ messages: history, turns = 0 }, ctx) => {
      ctx.writer({ thinking: true })
      return { messages: [await echo.invoke(history)], turns: turns + 1 }
    })
    .addEdge(START, 'model')
    .compile()

  const ask = new StateGraph(state({ messages: messages(), decision: value() }))
    .addNode('review', (_state, ctx) => {
      const decision = ctx.interrupt({ question: 'Approve?' })
      return { decision, messages: [{ role: 'assistant', content: `decision: ${JSON.stringify(decision)}` }] }
    })
    .addEdge(START, 'review')
    .compile()

  const count = tool(
    ({ to }, ctx) => {
      for (let done = 1; done <= to; done++) ctx.progress({ done, total: to })
      ctx.writer({ note: 'counted' })
      return { counted: to }
    },
    { name: 'count', description: 'Counts.' },
  )
  const agent = createAgent({
    model: scriptedModel((history) =>
      history.at(-1)?.role === 'tool'
        ? 'All counted.'
        : { text: 'Let me count.', toolCalls: [{ name: 'count', id: `call_${history.length}`, args: { to: 3 } }] },
    ),
    tools: [count],
  })

  const inner = new StateGraph(state({ messages: messages() }))
    .addNode('think', async ({ messages: history }) => ({ messages: [await echo.invoke(history)] }))
    .addEdge(START, 'think')
    .compile()
  const nested = new StateGraph(state({ messages: messages() }))
    .addNode('child', inner)
    .addEdge(START, 'child')
    .compile()

  const fail = new StateGraph(state({ messages: messages() }))
    .addNode('model', () => {
      throw new Error('kaboom')
    })
    .addEdge(START, 'model')
    .compile()

  return { gate, graphs: { chat, ask, agent, nested, fail } }
}
