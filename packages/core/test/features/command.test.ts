import { describe, expect, test } from 'vitest'
import {
  Command,
  END,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  value,
} from '../../src/index.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })
const says = (what: string) => () => ({ log: [what] })

/** A node whose types say nothing, as plain JavaScript's do. */
const untyped = (run: () => unknown) => run as () => undefined

describe('a command', () => {
  test('updates and goes on where it says, besides the edges', async () => {
    const graph = new StateGraph(schema(), { nodes: ['a', 'b', 'c'] })
      .addNode('a', (_s, ctx) => ctx.command({ update: { log: ['a'] }, goto: 'c' }))
      .addNode('b', says('b'))
      .addNode('c', says('c'))
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['a', 'b', 'c'])
  })

  test('may end, go to several nodes, or only update', async () => {
    const going = (command: Command<'b' | 'c' | typeof END, { log?: string[] }>) =>
      new StateGraph(schema(), { nodes: ['a', 'b', 'c'] })
        .addNode('a', () => command)
        .addNode('b', says('b'))
        .addNode('c', says('c'))
        .addEdge(START, 'a')
        .compile()
        .invoke({})
    expect((await going(new Command({ goto: END }))).log).toEqual([])
    expect((await going(new Command({ goto: ['c', 'b', 'c'] }))).log).toEqual(['b', 'c'])
    expect((await going(new Command({ update: { log: ['a'] } }))).log).toEqual(['a'])
  })

  test('leaves no trace but its update and the next task', async () => {
    const graph = new StateGraph(schema(), { nodes: ['a', 'b'] })
      .addNode('a', () => new Command({ goto: 'b' }))
      .addNode('b', says('b'))
      .addEdge(START, 'a')
      .compile()
    expect(await all(graph.stream({}, { streamMode: ['updates', 'values'] }))).toEqual([
      ['updates', { a: {} }],
      ['updates', { b: { log: ['b'] } }],
      ['values', { log: ['b'] }],
    ])
  })

  test('in a list stands beside plain updates, and each is applied', async () => {
    const graph = new StateGraph(schema())
      // Lists are not in the types: their elements would be read as updates.
      .addNode(
        'a',
        untyped(() => [
          { log: ['plain'] },
          new Command({ update: { log: ['first'] }, goto: 'b' }),
          new Command({ goto: [new Send('c', {})] }),
        ]),
      )
      .addNode('b', says('b'))
      .addNode('c', says('c'))
      .addEdge(START, 'a')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['plain', 'first', 'b', 'c'])
  })

  test('yielded by a generator counts as any update', async () => {
    const graph = new StateGraph(schema(), { nodes: ['a', 'b'] })
      .addNode('a', async function* () {
        yield { log: ['one'] }
        yield new Command({ update: { log: ['two'] }, goto: 'b' })
      })
      .addNode('b', says('b'))
      .addEdge(START, 'a')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['one', 'two', 'b'])
  })

  test('to no node fails naming it, the node it came from, and what there is', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', () => new Command({ goto: 'nope' as string }))
      .addEdge(START, 'a')
      .compile()
    const error = await rejection(graph.invoke({}))
    expect(error).toMatchObject({ code: 'INVALID_UPDATE', node: 'a' })
    expect(String(error)).toMatch(/command of node "a" leads to "nope".*there are: a, END/)
  })

  test('whose update is no object fails', async () => {
    const graph = new StateGraph(schema())
      .addNode(
        'a',
        untyped(() => new Command({ update: 'text' })),
      )
      .addEdge(START, 'a')
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'INVALID_UPDATE', node: 'a' })
  })

  test('as input of a run updates the state and starts where it says', async () => {
    const graph = new StateGraph(schema(), { nodes: ['a', 'b'] })
      .addNode('a', says('a'))
      .addNode('b', says('b'))
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .compile()
    expect((await graph.invoke(new Command({ update: { log: ['in'] }, goto: 'b' }))).log).toEqual(['in', 'b'])
  })

  test('as input to no node fails naming it', async () => {
    const graph = new StateGraph(schema()).addNode('a', says('a')).addEdge(START, 'a').compile()
    expect(await rejection(graph.invoke(new Command({ goto: 'nope' as 'a' })))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('"nope"'),
    })
  })
})

describe('a command for the parent', () => {
  const child = (graph: typeof Command.PARENT | undefined) =>
    new StateGraph(schema())
      .addNode('inner', () => new Command({ update: { log: ['inner'] }, goto: 'target' as string, graph: graph! }))
      .addEdge(START, 'inner')
      .compile()

  test('updates the parent under the name of the subgraph node and goes on there', async () => {
    const parent = new StateGraph(schema(), { nodes: ['child', 'target'] })
      .addNode('child', child(Command.PARENT))
      .addNode('target', says('target'))
      .addEdge(START, 'child')
      .compile()
    expect(await all(parent.stream({}, { streamMode: 'updates', subgraphs: true }))).toEqual([
      [[], { child: { log: ['inner'] } }],
      [[], { target: { log: ['target'] } }],
    ])
  })

  test('leaves its own task and its graph as ended well', async () => {
    const parent = new StateGraph(schema(), { nodes: ['child', 'target'] })
      .addNode('child', child(Command.PARENT))
      .addNode('target', says('target'))
      .addEdge(START, 'child')
      .compile()
    const ends = ofType(await all(parent.events({})), 'task.end')
    expect(ends.map(({ node, outcome, error }) => [node, outcome, error])).toEqual([
      ['inner', 'ok', undefined],
      ['child', 'ok', undefined],
      ['target', 'ok', undefined],
    ])
  })

  test('gets through a node that has retries and an error handler', async () => {
    const inner = new StateGraph(schema())
      .addNode('inner', () => new Command({ update: { log: ['inner'] }, graph: Command.PARENT }), {
        retry: { attempts: 3, delayMs: 0 },
        onError: () => ({ log: ['handled'] }),
      })
      .addEdge(START, 'inner')
      .compile()
    const parent = new StateGraph(schema()).addNode('child', inner).addEdge(START, 'child').compile()
    expect((await parent.invoke({})).log).toEqual(['inner'])
  })

  test('reaches a node that called the graph as a function', async () => {
    const parent = new StateGraph(schema(), { nodes: ['call', 'target'] })
      .addNode('call', async (_s, ctx) => {
        await ctx.run(child(Command.PARENT), {})
        return { log: ['not reached'] }
      })
      .addNode('target', says('target'))
      .addEdge(START, 'call')
      .compile()
    expect((await parent.invoke({})).log).toEqual(['inner', 'target'])
  })

  test('at the root fails, saying that there is no parent', async () => {
    expect(await rejection(child(Command.PARENT).invoke({}))).toMatchObject({
      code: 'INVALID_UPDATE',
      message: expect.stringMatching(/parent/),
    })
  })

  test('to a node the parent does not have fails naming it', async () => {
    const parent = new StateGraph(schema()).addNode('child', child(Command.PARENT)).addEdge(START, 'child').compile()
    expect(await rejection(parent.invoke({}))).toMatchObject({
      code: 'INVALID_UPDATE',
      message: expect.stringMatching(/"child" leads to "target"/),
    })
  })

  test('hands a conversation over: its messages are in the parent once', async () => {
    const chat = state({ messages: messages() })
    const agent = new StateGraph(chat)
      .addNode(
        'talk',
        () =>
          new Command({
            update: { messages: [{ id: 'm', role: 'assistant', content: 'over to you' }] },
            goto: 'next' as string,
            graph: Command.PARENT,
          }),
      )
      .addEdge(START, 'talk')
      .compile()
    const parent = new StateGraph(chat, { nodes: ['agent', 'next'] })
      .addNode('agent', agent)
      .addNode('next', () => ({}))
      .addEdge(START, 'agent')
      .compile()
    const { messages: list } = await parent.invoke({ messages: [{ id: 'q', role: 'user', content: 'hi' }] })
    expect(list.map(({ id }) => id)).toEqual(['q', 'm'])
  })
})

test('a command as input is told and kept as the input of its run, and leaves the checkpoint before it as it was', async () => {
  const graph = new StateGraph(schema())
    .addNode('a', () => ({ log: ['a'] }))
    .addNode('b', () => ({ log: ['b'] }))
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile({ checkpointer: new MemoryCheckpointer() })
  await graph.invoke({ log: ['in'] }, { threadId: 't' })
  await graph.invoke(new Command({ update: { log: ['command'] }, goto: 'b' }), { threadId: 't' })
  const history = await all(graph.getStateHistory('t'))
  expect(history.slice(0, 3).map(({ source, values, next }) => [source, values['log'], next])).toEqual([
    ['loop', ['in', 'a', 'b', 'command', 'b'], []],
    ['input', ['in', 'a', 'b', 'command'], ['b']],
    ['loop', ['in', 'a', 'b'], []],
  ])
})
