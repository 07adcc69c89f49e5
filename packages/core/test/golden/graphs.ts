import {
  Command,
  createAgent,
  fromAsyncIterable,
  MemoryCheckpointer,
  messages,
  reduced,
  removeMessage,
  scriptedModel,
  Send,
  START,
  END,
  state,
  StateGraph,
  tool,
  value,
  type ChatModel,
  type ChatOptions,
  type Graph,
} from '../../src/index.ts'

/** The graphs that were recorded, built with this package. Waits are turned into a fixed order of microtasks. */

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const list = () =>
  state({
    log: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }),
    n: value<number>(),
  })

const memory = (on: boolean) => (on ? { checkpointer: new MemoryCheckpointer() } : {})

export function linear(checkpointed: boolean): Graph {
  return new StateGraph(list())
    .addNode('a', (_s, ctx) => {
      ctx.writer({ from: 'a', p: 1 })
      return { log: ['a'], n: 1 }
    })
    .addNode('b', async (s, ctx) => {
      ctx.writer('b-progress')
      await pause(1)
      return { log: ['b'], n: s.n + 1 }
    })
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .addEdge('b', END)
    .compile(memory(checkpointed))
}

export function parallel(): Graph {
  return new StateGraph(list())
    .addNode('slow', async (_s, ctx) => {
      ctx.writer('s0')
      await pause(12)
      ctx.writer('s1')
      return { log: ['slow'] }
    })
    .addNode('fast', async (_s, ctx) => {
      ctx.writer('f0')
      await pause(2)
      ctx.writer('f1')
      return { log: ['fast'] }
    })
    .addNode('join', (s) => ({ log: [`join:${s.log.join(',')}`] }))
    .addEdge(START, 'slow')
    .addEdge(START, 'fast')
    .addEdge(['slow', 'fast'], 'join')
    .addEdge('join', END)
    .compile()
}

export function conditional(): Graph {
  return new StateGraph(list())
    .addNode('route', () => ({ n: 7 }))
    .addNode('odd', () => ({ log: ['odd'] }))
    .addNode('even', () => ({ log: ['even'] }))
    .addEdge(START, 'route')
    .addConditionalEdges('route', (s) => (s.n % 2 ? 'odd' : 'even'), ['odd', 'even'])
    .addEdge('odd', END)
    .addEdge('even', END)
    .compile()
}

export function send(): Graph {
  return new StateGraph(list())
    .addNode('plan', () => ({ n: 3 }))
    .addNode('work', async (s, ctx) => {
      const { i } = s as unknown as { i: number }
      await pause(18 - 6 * i)
      ctx.writer({ i })
      return { log: [`w${i}`] }
    })
    .addNode('done', () => ({ log: ['done'] }))
    .addEdge(START, 'plan')
    .addConditionalEdges('plan', () => [0, 1, 2].map((i) => new Send('work', { i })))
    .addEdge('work', 'done')
    .addEdge('done', END)
    .compile()
}

export function command(): Graph {
  return new StateGraph(list())
    .addNode('a', () => new Command({ update: { log: ['a'], n: 1 }, goto: 'c' }))
    .addNode('b', () => ({ log: ['b'] }))
    .addNode('c', () => new Command({ goto: END }))
    .addEdge(START, 'a')
    .compile()
}

export function asking(): Graph {
  return new StateGraph(list())
    .addNode('ask', (_s, ctx) => {
      const first = ctx.interrupt<string>({ q: 'ok?' })
      const second = ctx.interrupt<string>('second')
      return { log: [`ans:${first},${second}`] }
    })
    .addNode('side', async (_s, ctx) => {
      ctx.writer('side')
      return { log: ['side'] }
    })
    .addNode('fin', () => ({ log: ['fin'] }))
    .addEdge(START, 'ask')
    .addEdge(START, 'side')
    .addEdge(['ask', 'side'], 'fin')
    .addEdge('fin', END)
    .compile(memory(true))
}

export function twoLevels(): Graph {
  const grand = new StateGraph(list())
    .addNode('g1', async (_s, ctx) => {
      ctx.writer('in-g1')
      return { log: ['g1'] }
    })
    .addEdge(START, 'g1')
    .addEdge('g1', END)
    .compile()
  const child = new StateGraph(list())
    .addNode('c1', () => ({ log: ['c1'] }))
    .addNode('grand', grand)
    .addEdge(START, 'c1')
    .addEdge('c1', 'grand')
    .addEdge('grand', END)
    .compile()
  return new StateGraph(list())
    .addNode('p1', () => ({ log: ['p1'] }))
    .addNode('child', child)
    .addNode('p2', () => ({ log: ['p2'] }))
    .addEdge(START, 'p1')
    .addEdge('p1', 'child')
    .addEdge('child', 'p2')
    .addEdge('p2', END)
    .compile()
}

export function calledInNode(passContext: boolean): Graph {
  const inner = new StateGraph(state({ x: value<string>() }))
    .addNode('s1', async (s, ctx) => {
      ctx.writer('in-s1')
      return { x: `${s.x}!` }
    })
    .addEdge(START, 's1')
    .addEdge('s1', END)
    .compile()
  return new StateGraph(list())
    .addNode('caller', async (_s, ctx) => {
      const call = (x: string) => (passContext ? ctx.run(inner, { x }) : inner.invoke({ x }))
      const first = await call('hi')
      const second = await call('yo')
      return { log: [first.x, second.x] }
    })
    .addEdge(START, 'caller')
    .addEdge('caller', END)
    .compile()
}

export function failing(): Graph {
  return new StateGraph(list())
    .addNode('ok', async () => ({ log: ['ok'] }))
    .addNode('boom', async (_s, ctx) => {
      ctx.writer('pre')
      throw new Error('boom!')
    })
    .addNode('late', async () => ({ log: ['late'] }))
    .addEdge(START, 'ok')
    .addEdge('ok', 'boom')
    .addEdge('boom', 'late')
    .addEdge('late', END)
    .compile()
}

export function looping(): Graph {
  return new StateGraph(list())
    .addNode('l', (s) => ({ n: (s.n ?? 0) + 1 }))
    .addEdge(START, 'l')
    .addEdge('l', 'l')
    .compile()
}

export function inAndOut(): Graph {
  return new StateGraph(state({ q: value<string>(), ans: value<string>(), priv: value<string>() }), {
    input: ['q'],
    output: ['ans'],
  })
    .addNode('x', (s) => ({ priv: 'p', ans: `a:${s.q}` }))
    .addEdge(START, 'x')
    .addEdge('x', END)
    .compile()
}

/** Tokens one by one; with `usage` a last piece that only counts. */
export function tokens(words: readonly string[], options: ChatOptions & { usage?: boolean } = {}): ChatModel {
  const { usage, ...defaults } = options
  return fromAsyncIterable(async function* () {
    for (const word of words) yield word
    if (usage) yield { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } }
  }, defaults)
}

export function talking(model: ChatModel): Graph {
  return new StateGraph(state({ messages: messages() }))
    .addNode('llm', async (s, ctx) => ({ messages: [await model.invoke(s.messages, { ctx })] }))
    .addEdge(START, 'llm')
    .addEdge('llm', END)
    .compile()
}

export function messagesWithoutModel(): Graph {
  return new StateGraph(state({ messages: messages() }))
    .addNode('n', () => ({
      messages: [
        { role: 'assistant' as const, id: 'fixed', content: 'no llm' },
        { role: 'assistant' as const, content: 'no id' },
      ],
    }))
    .addNode('again', () => ({ messages: [{ role: 'assistant' as const, id: 'fixed', content: 'replaced' }] }))
    .addNode('echo', (s) => ({ messages: s.messages }))
    .addNode('rm', () => ({ messages: [removeMessage('fixed')] }))
    .addNode('dict', () => ({ messages: [{ role: 'assistant' as const, content: 'as dict' }] }))
    .addNode(
      'cmd',
      () => new Command({ update: { messages: [{ role: 'assistant' as const, id: 'cmd1', content: 'via command' }] } }),
    )
    .addEdge(START, 'n')
    .addEdge('n', 'again')
    .addEdge('again', 'echo')
    .addEdge('echo', 'rm')
    .addEdge('rm', 'dict')
    .addEdge('dict', 'cmd')
    .addEdge('cmd', END)
    .compile()
}

export function talkingBelow(): Graph {
  const chat = () => new StateGraph(state({ messages: messages() }))
  const inner = chat()
    .addNode('illm', async (s, ctx) => ({ messages: [await tokens(['in', 'ner']).invoke(s.messages, { ctx })] }))
    .addEdge(START, 'illm')
    .addEdge('illm', END)
    .compile()
  const mid = chat().addNode('inner', inner).addEdge(START, 'inner').addEdge('inner', END).compile()
  return chat()
    .addNode('mid', mid)
    .addNode('outer', async (s, ctx) => ({ messages: [await tokens(['out']).invoke(s.messages, { ctx })] }))
    .addEdge(START, 'mid')
    .addEdge('mid', 'outer')
    .addEdge('outer', END)
    .compile()
}

/** A model that asks for two tools at once: one writes custom data, the other is a generator. */
export function agentWithTools(): Graph {
  const calls = [
    { id: 'call_1', name: 'search', argsText: ['{"q":', '"a"}'] },
    { id: 'call_2', name: 'gen', argsText: ['{"q":', '"b"}'] },
  ]
  const chunks = calls.flatMap(({ id, name, argsText }, index) => [
    { toolCallChunks: [{ index, id, name, args: argsText[0]! }] },
    { toolCallChunks: [{ index, args: argsText[1]! }] },
  ])
  const model = scriptedModel([{ chunks: ['thi', 'nk', ...chunks] }, { chunks: ['fin', 'al'] }])
  const search = tool(
    async ({ q }: { q: string }, ctx) => {
      ctx.writer({ tool: 'search', pct: 50 })
      await pause(3)
      return `res:${q}`
    },
    { name: 'search', description: 's' },
  )
  const gen = tool(
    async function* ({ q }: { q: string }) {
      yield { pct: 10 }
      yield { pct: 90 }
      return await Promise.resolve(`gen:${q}`)
    },
    { name: 'gen', description: 'g' },
  )
  return createAgent({ model, tools: [search, gen] })
}
