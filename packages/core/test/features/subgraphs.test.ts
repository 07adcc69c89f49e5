import { describe, expect, test } from 'vitest'
import {
  Command,
  isRoot,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  value,
  type Graph,
  type NodeContext,
} from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { isNode } from '../platform.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })

/** A graph whose one node writes and returns, in every mode there is. */
const child = () =>
  new StateGraph(state({ log: log(), messages: messages() }))
    .addNode('inner', (_s, ctx) => {
      ctx.writer(`ns ${ctx.namespace.length}`)
      ctx.pushMessage({ id: `m${ctx.task}`, role: 'assistant', content: 'inside' })
      return { log: ['inner'] }
    })
    .addEdge(START, 'inner')
    .compile()

const modes = ['values', 'updates', 'custom', 'messages', 'tasks', 'checkpoints', 'debug'] as const

/** The namespaces of each mode's chunks below the root. */
async function namespaces(graph: ReturnType<typeof parentOf>) {
  const chunks = await all(graph.stream({}, { streamMode: modes, subgraphs: true, threadId: 't' }))
  const seen = new Map<string, Set<string>>()
  for (const [ns, mode] of chunks) {
    if (ns.length > 0) seen.set(mode, (seen.get(mode) ?? new Set()).add(ns.join('|')))
  }
  return seen
}

const start = () => new StateGraph(schema())

type Run = (s: unknown, ctx: NodeContext) => unknown

/** A graph whose one node is a graph, or whatever this function does. */
const parentOf = (node: Run | Graph) =>
  start()
    .addNode('outer', node as () => undefined)
    .addEdge(START, 'outer')
    .compile({ checkpointer: new MemoryCheckpointer() })

const called = () =>
  parentOf(async (_s, ctx) => ({ log: (await (isNode ? child().invoke({}) : ctx.run(child(), {}))).log }))

describe('a graph below a node', () => {
  test.each([
    ['as the node', () => parentOf(child())],
    ['called with ctx.run', () => parentOf(async (_s, ctx) => ({ log: (await ctx.run(child(), {})).log }))],
    ['called with nothing but its input, where the platform can tell', called],
  ])('has one namespace in every mode, named after its node and task: %s', async (_how, build) => {
    const graph = build()
    const seen = await namespaces(graph)
    expect([...seen.keys()].sort()).toEqual([...modes].sort())
    const [ns] = [...seen.values()].map((set) => [...set])[0]!
    expect(ns).toMatch(/^outer:\w+$/)
    for (const [mode, set] of seen) expect([mode, ...set]).toEqual([mode, ns])
    expect((await graph.invoke({})).log).toEqual(['inner'])
  })

  test('tells between the start of its task and its update, its own input first', async () => {
    const graph = parentOf(child())
    const chunks = await all(
      graph.stream({ log: ['in'] }, { streamMode: ['values', 'updates', 'tasks'], subgraphs: true }),
    )
    expect(
      chunks.map(([ns, mode, chunk]) => [
        ns.length,
        mode,
        ...('name' in (chunk as object) ? [(chunk as { name: string }).name] : []),
      ]),
    ).toEqual([
      [0, 'values'],
      [0, 'tasks', 'outer'],
      [1, 'values'],
      [1, 'tasks', 'inner'],
      [1, 'updates'],
      [1, 'tasks', 'inner'],
      [1, 'values'],
      [0, 'updates'],
      [0, 'tasks', 'outer'],
      [0, 'values'],
    ])
  })

  test('does not show without subgraphs, in any mode, and computes the same', async () => {
    const graph = parentOf(child())
    const chunks = await all(graph.stream({}, { streamMode: ['custom', 'messages', 'values', 'updates'] }))
    expect(chunks).toEqual([
      ['updates', { outer: { log: ['inner'] } }],
      ['values', { log: ['inner'] }],
    ])
  })

  test('called a second and a third time in one node is counted', async () => {
    const graph = parentOf(async (_s, ctx) => {
      await ctx.run(child(), {})
      await (isNode ? child().invoke({}) : ctx.run(child(), {}))
      await ctx.run(child(), {})
    })
    const events = await all(graph.events({}))
    const task = ofType(events, 'task.start')[0]?.task
    const seen = [...new Set(events.flatMap(({ ns }) => (ns === undefined ? [] : [ns.join('|')])))]
    expect(seen).toEqual([`outer:${task}`, `outer:${task}|1`, `outer:${task}|2`])
  })

  test('called twice at once keeps the two apart', async () => {
    const gates = [gate(), gate()]
    const slow = new StateGraph(schema())
      .addNode('wait', async ({ n }, ctx) => {
        await gates[n]!.opened
        ctx.writer(n)
        return { log: [String(n)] }
      })
      .addEdge(START, 'wait')
      .compile()
    const graph = parentOf(async (_s, ctx) => {
      const both = await Promise.all([ctx.run(slow, { n: 0 }), ctx.run(slow, { n: 1 })])
      return { log: both.flatMap((one) => one.log) }
    })
    const reading = all(graph.events({}))
    await settle()
    gates[1]!.open()
    await settle()
    gates[0]!.open()
    const events = await reading
    const written = ofType(events, 'custom').map(({ ns, data }) => [ns?.length, data])
    expect(written).toEqual([
      [2, 1],
      [1, 0],
    ])
    expect(ofType(events, 'values').at(-1)?.set).toEqual({ log: ['0', '1'] })
  })

  test('two deep has both segments, and its tokens come through', async () => {
    const middle = new StateGraph(schema()).addNode('middle', child()).addEdge(START, 'middle').compile()
    const graph = parentOf(middle)
    const chunks = await all(graph.stream({}, { streamMode: ['custom', 'messages'], subgraphs: true }))
    expect(chunks.map(([ns]) => ns.map((segment) => segment.split(':')[0]))).toEqual([
      ['outer', 'middle'],
      ['outer', 'middle'],
    ])
    expect(chunks.map(isRoot)).toEqual([false, false])
  })

  test('under sends has a namespace for each', async () => {
    const graph = start()
      .addNode('outer', child())
      .addConditionalEdges(START, () => [new Send('outer', {}), new Send('outer', {})])
      .compile()
    const seen = ofType(await all(graph.events({})), 'custom').map(({ ns }) => ns?.join('|'))
    expect(new Set(seen).size).toBe(2)
  })

  test('reads the keys it shares and gives back the ones its parent has', async () => {
    const other = new StateGraph(state({ n: value<number>(), own: value<string>({ initial: () => 'mine' }) }))
      .addNode('add', ({ n, own }) => ({ n: n + 1, own: `${own}!` }))
      .addEdge(START, 'add')
      .compile()
    const graph = start().addNode('outer', other).addEdge(START, 'outer').compile()
    expect(await graph.invoke({ n: 1, log: ['x'] })).toEqual({ n: 2, log: ['x'] })
  })

  test('takes only its input keys and gives only its output keys', async () => {
    const io = new StateGraph(state({ n: value<number>(), log: log() }), { input: ['n'], output: ['log'] })
      .addNode('look', (s) => ({ n: s.n + 1, log: [`saw ${s.log.length}`] }))
      .addEdge(START, 'look')
      .compile()
    const graph = start().addNode('outer', io).addEdge(START, 'outer').compile()
    expect(await graph.invoke({ n: 1, log: ['x'] })).toEqual({ n: 1, log: ['x', 'saw 0'] })
  })

  test('inherits tags and metadata of the node, and the context of the run', async () => {
    const seen: unknown[] = []
    const below = new StateGraph(schema())
      .addNode('inner', (_s, ctx) => void seen.push(ctx.tags, ctx.metadata, ctx.context, ctx.runId), {
        tags: ['inner'],
      })
      .addEdge(START, 'inner')
      .compile()
    const graph = start()
      .addNode('outer', below, { tags: ['outer'], metadata: { a: 1 } })
      .addEdge(START, 'outer')
      .compile()
    await graph.invoke({}, { tags: ['run'], metadata: { b: 2 }, context: 'c', runId: 'r' })
    expect(seen).toEqual([['run', 'outer', 'inner'], { a: 1, b: 2 }, 'c', 'r'])
  })

  test('has a recursion limit of its own', async () => {
    const looping = new StateGraph(schema())
      .addNode('again', () => new Command({ goto: 'again' as string }))
      .addEdge(START, 'again')
      .compile()
    const graph = start().addNode('outer', looping).addEdge(START, 'outer').compile()
    expect(await rejection(graph.invoke({}, { recursionLimit: 3 }))).toMatchObject({ code: 'RECURSION_LIMIT' })
  })

  test('keeps messages that both lists hold as one', async () => {
    const chat = state({ messages: messages() })
    const below = new StateGraph(chat)
      .addNode('say', () => ({ messages: [{ id: 'a', role: 'assistant', content: 'hi' }] }))
      .addEdge(START, 'say')
      .compile()
    const graph = new StateGraph(chat).addNode('outer', below).addEdge(START, 'outer').compile()
    const events = await all(graph.events({ messages: [{ id: 'q', role: 'user', content: 'hello' }] }))
    expect(ofType(events, 'message').map(({ message }) => message.id)).toEqual(['q', 'a'])
    expect(ofType(events, 'values').at(-1)?.lists).toEqual({ messages: { append: ['a'] } })
  })

  test('called after its node has ended is refused', async () => {
    const opened = gate()
    let late: Promise<unknown> = Promise.resolve()
    const graph = parentOf((_s, ctx) => {
      late = opened.opened.then(() => ctx.run(child(), {}))
      late.catch(() => {})
    })
    await graph.invoke({})
    opened.open()
    expect(await rejection(late)).toMatchObject({ code: 'NO_CONTEXT' })
  })

  test('called with a context of somebody else is refused', async () => {
    const graph = parentOf(async (_s, ctx) => {
      await child().runWithin({ ...ctx }, {})
    })
    expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'NO_CONTEXT' })
  })

  test('called with a signal of its own stops when that fires', async () => {
    const stop = new AbortController()
    const hanging = new StateGraph(schema())
      .addNode('hang', () => new Promise<never>(() => {}))
      .addEdge(START, 'hang')
      .compile()
    const graph = parentOf(async () => {
      const error = await rejection(hanging.invoke({}, { signal: stop.signal }))
      return { log: [(error as { code: string }).code] }
    })
    const running = graph.invoke({})
    await settle()
    stop.abort()
    expect((await running).log).toEqual(['CANCELLED'])
  })

  test('called with a thread of its own is a run of its own', async () => {
    const remembering = new StateGraph(schema())
      .addNode('inner', () => ({ log: ['inner'] }))
      .addEdge(START, 'inner')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const graph = parentOf(async () => ({ log: (await remembering.invoke({}, { threadId: 'own' })).log }))
    await graph.invoke({})
    expect((await graph.invoke({})).log).toEqual(['inner', 'inner'])
    expect((await all(graph.events({}))).some(({ ns }) => ns !== undefined)).toBe(false)
  })

  test('called by a tool streams below the call, in the node that runs the tool', async () => {
    const search = tool(async (_args, ctx) => (await ctx.run(child(), {})).log, {
      name: 'search',
      description: 'searches',
    })
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('tools', toolNode([search]))
      .addEdge(START, 'tools')
      .compile()
    const call = {
      id: 'c',
      role: 'assistant',
      content: '',
      toolCalls: [{ id: '1', name: 'search', args: '{}' }],
    } as const
    const events = await all(graph.events({ messages: [call] }))
    const [told] = ofType(events, 'custom')
    expect(told?.ns).toEqual([expect.stringMatching(/^tools:/), 'call:1'])
    expect(ofType(events, 'tool.end')[0]).toMatchObject({ id: '1', output: ['inner'] })
  })
})
