import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  Command,
  fromAsyncIterable,
  messages,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  value,
  type Tool,
} from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { JsonCheckpointer } from '../json-checkpointer.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'
import { asking, type Call } from './tool-graphs.ts'

failOnSurprises()
afterEach(() => void vi.useRealTimers())

const graphOf = (...tools: Tool[]) =>
  new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode(tools))
    .addEdge(START, 'tools')
    .compile({ checkpointer: new JsonCheckpointer() })

const run = (tools: Tool[], calls: readonly Call[]) => all(graphOf(...tools).events({ messages: [asking(calls)] }))

const topic = () => new StateGraph(state({ topic: value<string>(), said: value<string>() }))

describe('a graph that a tool runs', () => {
  const child = topic()
    .addNode('say', ({ topic }, ctx) => {
      ctx.writer(`about ${topic}`)
      return { said: topic }
    })
    .addEdge(START, 'say')
    .compile()
  const research = tool(
    async ({ topics }: { topics: string[] }, ctx) => {
      const said: string[] = []
      for (const topic of topics) said.push((await ctx.run(child, { topic })).said)
      return said
    },
    { name: 'research', description: 'asks another graph' },
  )

  test('streams below its own call, whichever call is faster', async () => {
    const events = await run(
      [research],
      [
        { id: 'x', name: 'research', args: { topics: ['a', 'b'] } },
        { id: 'y|z', name: 'research', args: { topics: ['c'] } },
      ],
    )
    const below = ofType(events, 'custom').map(({ ns, data, node }) => [ns?.slice(1).join(' '), node, data])
    expect(new Set(below)).toEqual(
      new Set([
        ['call:x', 'say', 'about a'],
        ['call:x 1', 'say', 'about b'],
        ['call:y%7Cz', 'say', 'about c'],
      ]),
    )
    expect(ofType(events, 'tool.end').map(({ id, output }) => [id, output])).toEqual(
      expect.arrayContaining([
        ['x', ['a', 'b']],
        ['y|z', ['c']],
      ]),
    )
  })

  test('ends with the time of its call, and tells nothing after it', async () => {
    vi.useFakeTimers()
    const opened = gate()
    const seen: unknown[] = []
    const slow = topic()
      .addNode('wait', async (_state, ctx) => {
        ctx.signal.addEventListener('abort', () => seen.push(ctx.signal.reason))
        await opened.opened
        ctx.writer('too late')
        return {}
      })
      .addEdge(START, 'wait')
      .compile()
    const waits = tool((_args, ctx) => ctx.run(slow, { topic: '' }), {
      name: 'wait',
      description: 'waits',
      timeoutMs: 20,
    })
    const other = gate()
    const holds = tool(() => other.opened, { name: 'hold', description: 'holds the node' })
    const running = run(
      [waits, holds],
      [
        { id: '1', name: 'wait' },
        { id: '2', name: 'hold' },
      ],
    )
    await settle()
    await vi.advanceTimersByTimeAsync(20)
    opened.open()
    await settle()
    other.open()
    const events = await running
    expect(ofType(events, 'tool.end').map(({ id, error }) => [id, error?.code])).toEqual([
      ['1', 'NODE_TIMEOUT'],
      ['2', undefined],
    ])
    expect(ofType(events, 'custom')).toEqual([])
    expect(seen).toHaveLength(1)
  })

  test('cannot be begun once the call has ended', async () => {
    vi.useFakeTimers()
    const late: unknown[] = []
    const opened = gate()
    const held = gate()
    const slow = tool(
      async (_args, ctx) => {
        await opened.opened
        await ctx.run(child, { topic: 'x' }).catch((error: unknown) => late.push((error as { code: string }).code))
      },
      { name: 'slow', description: 'is slow', timeoutMs: 20 },
    )
    const holds = tool(() => held.opened, { name: 'hold', description: 'holds the node' })
    const running = run(
      [slow, holds],
      [
        { id: '1', name: 'slow' },
        { id: '2', name: 'hold' },
      ],
    )
    await settle()
    await vi.advanceTimersByTimeAsync(20)
    opened.open()
    await settle()
    held.open()
    await running
    expect(late).toEqual(['NO_CONTEXT'])
  })
})

describe('graphs that ask a person, side by side in tools', () => {
  const made: string[] = []
  const asks = topic()
    .addNode('first', ({ topic }) => {
      made.push(`first ${topic}`)
      return {}
    })
    .addNode('ask', ({ topic }, ctx) => ({ said: `${topic}: ${ctx.interrupt<string>(`about ${topic}?`)}` }))
    .addEdge(START, 'first')
    .addEdge('first', 'ask')
    .compile()
  const order = { a: gate(), b: gate() }
  const research = tool(
    async ({ topic }: { topic: 'a' | 'b' }, ctx) => {
      await order[topic].opened
      return (await ctx.run(asks, { topic })).said
    },
    { name: 'research', description: 'asks another graph' },
  )

  test('are asked in the order of the calls, and each goes on from where it stopped with its own answer', async () => {
    const graph = graphOf(research)
    const calls = (['a', 'b'] as const).map((topic) => ({ id: topic, name: 'research', args: { topic } }))
    const asking_ = graph.invoke({ messages: [asking(calls)] }, { threadId: 't' })
    order.b.open()
    await settle()
    order.a.open()
    const { __interrupt__: asked = [] } = await asking_
    expect(asked.map(({ value }) => value)).toEqual(['about a?', 'about b?'])
    // Only one is answered: the other graph goes on waiting, where it was.
    const { __interrupt__: left = [] } = await graph.invoke(new Command({ resume: { [asked[1]!.id]: 'yes' } }), {
      threadId: 't',
    })
    expect(left.map(({ value }) => value)).toEqual(['about a?'])
    const { messages } = await graph.invoke(new Command({ resume: 'no' }), { threadId: 't' })
    expect(messages.slice(1).map(({ content }) => content)).toEqual(['a: no', 'b: yes'])
    expect(made.sort()).toEqual(['first a', 'first b'])
  })
})

describe('inside a tool', () => {
  test('a generator waits for a reader that is behind', async () => {
    let made = 0
    const many = tool(
      async function* () {
        for (; made < 3000; made++) yield made
        return await Promise.resolve('end')
      },
      { name: 'many', description: 'yields many' },
    )
    const reader = graphOf(many).events({ messages: [asking([{ id: 'c', name: 'many' }])] })
    await reader.next()
    await settle()
    expect(made).toBeLessThan(1100)
    const rest = await all(reader)
    expect(ofType(rest, 'custom')).toHaveLength(3000)
  })

  test('a model streams as the node that runs the tool', async () => {
    const model = fromAsyncIterable(
      async function* () {
        yield 'to'
        yield 'ken'
      },
      { tags: ['inner'] },
    )
    const speak = tool(async (_args, ctx) => (await model.invoke('hi', { ctx })).content, {
      name: 'speak',
      description: 'speaks',
    })
    const stream = graphOf(speak).stream(
      { messages: [asking([{ id: 'c', name: 'speak' }])] },
      { streamMode: 'messages' },
    )
    const chunks = (await all(stream)).map(([{ content }, { langgraph_node, tags }]) => [content, langgraph_node, tags])
    expect(chunks.slice(0, 2)).toEqual([
      ['to', 'tools', ['inner']],
      ['ken', 'tools', ['inner']],
    ])
  })

  test('a model that goes on when the time of the tool is up is not heard', async () => {
    vi.useFakeTimers()
    const more = gate()
    const held = gate()
    const stubborn = fromAsyncIterable(async function* () {
      yield 'in time'
      await more.opened
      yield ', too late'
    })
    const speak = tool(async (_args, ctx) => (await stubborn.invoke('hi', { ctx })).content, {
      name: 'speak',
      description: 'speaks',
      timeoutMs: 20,
    })
    const holds = tool(() => held.opened, { name: 'hold', description: 'holds the node' })
    const running = run(
      [speak, holds],
      [
        { id: '1', name: 'speak' },
        { id: '2', name: 'hold' },
      ],
    )
    await settle()
    await vi.advanceTimersByTimeAsync(20)
    more.open()
    await settle()
    held.open()
    const events = await running
    expect(ofType(events, 'message.delta').map(({ text }) => text)).toEqual(['in time'])
    expect(events.at(-1)).toMatchObject({ status: 'done' })
  })
})
