import { describe, expect, test } from 'vitest'
import {
  Command,
  createAgent,
  MemoryCheckpointer,
  reduced,
  scriptedModel,
  Send,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  messages,
  value,
  type Checkpointer,
  type Graph,
  type GraphState,
} from '../../src/index.ts'
import { JsonCheckpointer } from '../json-checkpointer.ts'
import { all, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), topic: value<string>(), secret: value<string>({ private: true }) })
const thread = { threadId: 't' }
const resume = (answer: unknown) => new Command({ resume: answer })

/** A graph that writes, then asks about its topic, then writes what it was told. */
const asker = (name = 'asker') =>
  new StateGraph(schema())
    .addNode('first', (s) => ({ log: [`first of ${s.topic}`], secret: 'kept' }))
    .addNode('ask', (s, ctx) => ({ log: [`${s.topic}: ${ctx.interrupt<string>(`${s.topic}?`)}`] }))
    .addNode('last', (s) => ({ log: [`last of ${s.log.length}`] }))
    .addEdge(START, 'first')
    .addEdge('first', 'ask')
    .addEdge('ask', 'last')
    .compile({ name })

/** A graph whose one node is another graph. */
const around = (node: Graph, checkpointer?: Checkpointer) =>
  new StateGraph(schema())
    .addNode('below', node)
    .addEdge(START, 'below')
    .compile(checkpointer && { checkpointer })

const at = async (graph: Pick<Graph, 'getState'>): Promise<GraphState> =>
  (await graph.getState('t', { subgraphs: true }))!
const only = ({ tasks = [] }: GraphState) => {
  expect(tasks).toHaveLength(1)
  return tasks[0]!
}

const stores: [string, () => Checkpointer][] = [
  ['in memory', () => new MemoryCheckpointer()],
  ['as text', () => new JsonCheckpointer()],
]

describe.each(stores)('state below the root, kept %s', (_how, store) => {
  test('is told beside the task that waits for it, at any depth', async () => {
    const graph = around(around(asker()), store())
    await graph.invoke({ topic: 'tea' }, thread)
    const root = await at(graph)
    expect(root).toMatchObject({ values: { log: [], topic: 'tea' }, next: ['below'] })
    const middle = only(root)
    expect(middle).toMatchObject({ name: 'below', interrupts: [{ value: 'tea?' }], state: { next: ['below'] } })
    const leaf = only(middle.state!)
    expect(leaf.ns).toEqual([...middle.ns!, `below:${leaf.id}`])
    expect(leaf.state).toMatchObject({ next: ['ask'], interrupts: [{ value: 'tea?' }], step: 1 })
    expect(leaf.state?.values).toEqual({ log: ['first of tea'], topic: 'tea' })
    expect(only(leaf.state!)).toEqual({ id: expect.any(String), name: 'ask', interrupts: leaf.interrupts })
  })

  test('is read by its namespace, with its history', async () => {
    const graph = around(asker(), store())
    await graph.invoke({ topic: 'tea' }, thread)
    const { ns, state: told } = only(await at(graph))
    const { tasks: _tasks, ...newest } = told!
    expect(await graph.getState('t', { ns: ns! })).toEqual(newest)
    const history = await all(graph.getStateHistory('t', { ns: ns! }))
    expect(history.map(({ step, next }) => [step, next[0]])).toEqual([
      [1, 'ask'],
      [0, 'first'],
      [-1, START],
    ])
    const before = history[1]!
    expect(await graph.getState('t', { ns: ns!, checkpointId: before.checkpointId! })).toEqual(before)
  })

  test('stands apart for each of several sends', async () => {
    const graph = new StateGraph(state({ log: log() }))
      .addNode('below', asker())
      .addConditionalEdges(START, () => ['tea', 'cake'].map((topic) => new Send('below', { topic, log: [] })))
      .compile({ checkpointer: store() })
    await graph.invoke({}, thread)
    const { tasks = [] } = await at(graph)
    expect(tasks.map(({ state: below }) => below?.values['log'])).toEqual([['first of tea'], ['first of cake']])
    const [tea, cake] = tasks
    await graph.updateState('t', { log: ['sugar'] }, { ns: tea!.ns! })
    await graph.invoke(resume({ [tea!.interrupts[0]!.id]: 'hot' }), thread)
    expect(only(await at(graph))).toMatchObject({ id: cake!.id, state: { values: { log: ['first of cake'] } } })
    const { log: after } = await graph.invoke(resume('sweet'), thread)
    expect(after).toEqual([
      'first of tea',
      'sugar',
      'tea: hot',
      'last of 3',
      'first of cake',
      'cake: sweet',
      'last of 2',
    ])
  })

  test('is gone from the tasks at the end, and stays at the checkpoint it began from', async () => {
    const graph = around(asker(), store())
    await graph.invoke({ topic: 'tea' }, thread)
    const { checkpointId, tasks } = await at(graph)
    await graph.invoke(resume('hot'), thread)
    expect((await at(graph)).tasks).toEqual([])
    const past = (await graph.getState('t', { checkpointId: checkpointId!, subgraphs: true }))!
    expect(only(past)).toMatchObject({ id: tasks![0]!.id, interrupts: [], state: { next: [], interrupts: [] } })
  })
})

describe.each(stores)('state below the root is changed by its namespace, kept %s', (_how, store) => {
  const nested = () => around(around(asker()), store())
  const leafOf = async (graph: Graph) => only(only(await at(graph)).state!)

  test('the answer goes on from what it is then', async () => {
    const graph = nested()
    await graph.invoke({ topic: 'tea' }, thread)
    const { ns } = await leafOf(graph)
    const made = await graph.updateState('t', { log: ['by hand'], topic: 'coffee' }, { ns: ns! })
    expect((await leafOf(graph)).state).toMatchObject({
      checkpointId: made,
      source: 'update',
      next: ['ask'],
      interrupts: [{ value: 'tea?' }],
      values: { log: ['first of tea', 'by hand'], topic: 'coffee' },
    })
    expect((await graph.invoke(resume('black'), thread)).log).toEqual([
      'first of tea',
      'by hand',
      'coffee: black',
      'last of 3',
    ])
  })

  test('as the node that asks: the question is gone at the root too, and what follows it runs', async () => {
    const graph = nested()
    await graph.invoke({ topic: 'tea' }, thread)
    const { ns } = await leafOf(graph)
    await graph.updateState('t', { log: ['for it'] }, { ns: ns!, asNode: 'ask' })
    const root = await at(graph)
    expect(root).toMatchObject({ next: ['below'], interrupts: [] })
    expect((await leafOf(graph)).state).toMatchObject({ next: ['last'], interrupts: [] })
    expect((await graph.invoke(null, thread)).log).toEqual(['first of tea', 'for it', 'last of 2'])
  })

  test('as the node of a graph between: what waits below that is given up', async () => {
    const graph = nested()
    await graph.invoke({ topic: 'tea' }, thread)
    const { ns } = only(await at(graph))
    await graph.updateState('t', { log: ['instead'] }, { ns: ns!, asNode: 'below' })
    expect(await at(graph)).toMatchObject({ interrupts: [], tasks: [{ state: { next: [], tasks: [] } }] })
    expect((await graph.invoke(null, thread)).log).toEqual(['instead'])
  })

  test('from one of its checkpoints before: it goes on from there', async () => {
    const graph = around(asker(), store())
    await graph.invoke({ topic: 'tea' }, thread)
    const { ns } = only(await at(graph))
    const [, before] = await all(graph.getStateHistory('t', { ns: ns! }))
    await graph.updateState('t', { topic: 'soup' }, { ns: ns!, checkpointId: before!.checkpointId! })
    expect((await at(graph)).interrupts).toEqual([])
    expect(await graph.invoke(null, thread)).toMatchObject({ __interrupt__: [{ value: 'soup?' }] })
    expect((await graph.invoke(resume('hot'), thread)).log).toEqual(['first of soup', 'soup: hot', 'last of 2'])
  })

  test('is refused where nothing waits, and with unknown keys and nodes', async () => {
    const graph = around(asker(), store())
    await graph.invoke({ topic: 'tea' }, thread)
    const { ns } = only(await at(graph))
    const refused = async (update: object, options: object) =>
      (await rejection(graph.updateState('t', update, { ns: ns!, ...options }))) as { code: string }
    expect(await refused({ nope: 1 }, {})).toMatchObject({ code: 'INVALID_UPDATE' })
    expect(await refused({}, { asNode: 'nope' })).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await refused({}, { ns: ['nope:1'] })).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await refused({}, { checkpointId: 'nope' })).toMatchObject({ code: 'NOT_FOUND' })
    await graph.invoke(resume('hot'), thread)
    expect(await refused({ log: ['late'] }, {})).toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('state of graphs that a node calls', () => {
  const calling = (graphs: readonly Graph[], named: readonly Graph[] = graphs) =>
    new StateGraph(schema())
      .addNode(
        'caller',
        async (_s, ctx) => {
          for (const [i, graph] of graphs.entries()) await ctx.run(graph, { topic: `call ${i}` })
          return { log: ['called'] }
        },
        { subgraphs: named },
      )
      .addEdge(START, 'caller')
      .compile({ checkpointer: new MemoryCheckpointer() })

  test('is told where the node names them; of several, the first that waits', async () => {
    const graph = calling([asker('one'), asker('two')])
    await graph.invoke({}, thread)
    const first = only(await at(graph))
    expect(first.state).toMatchObject({ next: ['ask'], values: { topic: 'call 0' } })
    await graph.invoke(resume('yes'), thread)
    const second = only(await at(graph))
    expect(second.ns).toEqual([...first.ns!, '1'])
    expect(second.state).toMatchObject({ next: ['ask'], values: { topic: 'call 1' } })
    await graph.updateState('t', { topic: 'changed' }, { ns: second.ns! })
    await graph.invoke(resume('yes'), thread)
    expect((await graph.getState('t', { ns: second.ns! }))?.values['log']).toContain('changed: yes')
  })

  test('is known by namespace alone where it does not', async () => {
    const graph = calling([asker()], [])
    await graph.invoke({}, thread)
    const { ns, state: below, interrupts } = only(await at(graph))
    expect(below).toBeUndefined()
    expect(interrupts).toMatchObject([{ value: 'call 0?', ns }])
    const refusal = { code: 'UNSUPPORTED', message: expect.stringContaining('subgraphs: [') }
    expect(await rejection(graph.getState('t', { ns: ns! }))).toMatchObject(refusal)
    expect(await rejection(graph.updateState('t', {}, { ns: ns! }))).toMatchObject(refusal)
  })

  test('is told of those that tools call, by their namespaces', async () => {
    const ask = tool(async (_input: unknown, ctx) => (await ctx.run(asker(), { topic: ctx.toolCallId! })).log.join(), {
      name: 'ask',
      description: 'asks',
    })
    const calls = ['a', 'b'].map((id) => ({ id, name: 'ask', args: '{}' }))
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('tools', toolNode([ask]), { subgraphs: [asker()] })
      .addEdge(START, 'tools')
      .compile({ checkpointer: new MemoryCheckpointer() })
    await graph.invoke({ messages: [{ id: 'm', role: 'assistant', content: '', toolCalls: calls }] }, thread)
    const { interrupts, state: below } = only(await at(graph))
    expect(below).toMatchObject({ next: ['ask'] })
    const topics = await Promise.all(
      interrupts.map(async ({ ns }) => (await graph.getState('t', { ns: ns! }))?.values['topic']),
    )
    expect(topics).toEqual(['a', 'b'])
  })

  test('is told of those that an agent’s tools call', async () => {
    const ask = tool(async (_input: unknown, ctx) => (await ctx.run(asker(), { topic: 'tea' })).log.join(), {
      name: 'ask',
      description: 'asks',
    })
    const agent = createAgent({
      model: scriptedModel([{ toolCalls: [{ id: 'a', name: 'ask', args: {} }] }, 'done']),
      tools: [ask],
      subgraphs: [asker()],
      checkpointer: new MemoryCheckpointer(),
    })
    await agent.invoke({ messages: 'hi' }, thread)
    const { ns, state: below } = only(await at(agent))
    expect(below).toMatchObject({ next: ['ask'], values: { topic: 'tea' } })
    await agent.updateState('t', { topic: 'cake' }, { ns: ns! })
    const { messages: said } = await agent.invoke(resume('yes'), thread)
    expect(said.map(({ content }) => content)).toContain('first of tea,cake: yes,last of 2')
  })

  test('cannot be told apart by equal names: INVALID_GRAPH', () => {
    expect(() => calling([asker(), asker()])).toThrow(expect.objectContaining({ code: 'INVALID_GRAPH' }))
  })
})

test('without a state there is none below either', async () => {
  const graph = around(asker(), new MemoryCheckpointer())
  expect(await graph.getState('t', { subgraphs: true })).toBeUndefined()
  expect(await graph.getState('t', { ns: ['below:x'] })).toBeUndefined()
  expect(await graph.getState('t', { ns: ['nope:x'] })).toBeUndefined()
  expect(await all(graph.getStateHistory('t', { ns: ['below:x'] }))).toEqual([])
})
