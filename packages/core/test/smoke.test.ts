import { expect, test } from 'vitest'
import {
  StateGraph,
  START,
  END,
  state,
  value,
  reduced,
  messages,
  fromAsyncIterable,
  Send,
  Command,
  MemoryCheckpointer,
  interrupt,
} from '../src/index.ts'

test('api example', async () => {
  const graph = new StateGraph(
    state({ topic: value<string>(), jokes: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }) }),
  )
    .addNode('refine', ({ topic }) => ({ topic: `${topic} and cats` }))
    .addNode('write', async ({ topic }, ctx) => {
      ctx.writer({ progress: 50 })
      return { jokes: [`about ${topic}`] }
    })
    .addEdge(START, 'refine')
    .addEdge('refine', 'write')
    .addEdge('write', END)
    .compile({ checkpointer: new MemoryCheckpointer() })
  const out = []
  for await (const e of graph.stream(
    { topic: 'ice' },
    { streamMode: ['values', 'updates', 'custom', 'tasks', 'checkpoints'], threadId: 't' },
  ))
    out.push(e)
  console.log(JSON.stringify(out, null, 0))
  const ev = []
  for await (const e of graph.events({ topic: 'ice' }, { threadId: 't' })) ev.push(e)
  console.log(ev.map((e) => JSON.stringify(e)).join('\n'))
  expect(await graph.invoke({ topic: 'x' })).toEqual({ topic: 'x and cats', jokes: ['about x and cats'] })
  console.log(await graph.getState('t'))
})

test('messages', async () => {
  const model = fromAsyncIterable(
    async function* () {
      yield 'Hel'
      yield 'lo'
    },
    { name: 'm', tags: ['t1'] },
  )
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('llm', async (s) => ({ messages: [await model.invoke(s.messages)] }))
    .addEdge(START, 'llm')
    .compile()
  const out = []
  for await (const e of graph.stream(
    { messages: [{ role: 'user', content: 'hi' }] },
    { streamMode: ['values', 'messages', 'updates'] },
  ))
    out.push(e)
  console.log(out.map((e) => JSON.stringify(e)).join('\n'))
  const ev = []
  for await (const e of graph.events({ messages: 'hi' })) ev.push(e)
  console.log(ev.map((e) => JSON.stringify(e)).join('\n'))
})

test('send, interrupt', async () => {
  const graph = new StateGraph(
    state({ log: reduced<string[]>({ initial: () => [], reduce: (a, b) => a.concat(b) }), n: value<number>() }),
  )
    .addNode('ask', () => {
      const v = interrupt<string>({ q: 'ok?' })
      const w = interrupt<string>('second')
      return { log: [`ans:${v},${w}`] }
    })
    .addNode('side', async (_s, c) => {
      c.writer('side')
      return { log: ['side'] }
    })
    .addNode('fin', () => ({ log: ['fin'] }))
    .addEdge(START, 'ask')
    .addEdge(START, 'side')
    .addEdge(['ask', 'side'], 'fin')
    .addEdge('fin', END)
    .compile({ checkpointer: new MemoryCheckpointer() })
  for (const input of [{}, new Command({ resume: 'yes' }), new Command({ resume: 'yes2' })]) {
    const out = []
    for await (const e of graph.stream(input, { streamMode: ['values', 'updates', 'custom', 'tasks'], threadId: 't' }))
      out.push(e)
    console.log(out.map((e) => JSON.stringify(e)).join('\n'), '\n--')
  }
  const g2 = new StateGraph(state({ log: reduced<string[]>({ initial: () => [], reduce: (a, b) => a.concat(b) }) }))
    .addNode('plan', () => {})
    .addNode('work', async (s) => ({ log: ['w' + (s as unknown as { i: number }).i] }))
    .addEdge(START, 'plan')
    .addConditionalEdges('plan', () => [0, 1, 2].map((i) => new Send('work', { i })))
    .compile()
  console.log(await g2.invoke({}))
})
