import { describe, expect, test } from 'vitest'
import {
  Command,
  fromAsyncIterable,
  isRoot,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  value,
} from '../../src/index.ts'
import { settle } from '../gate.ts'
import { all } from '../reading.ts'

/** Whoever passes something in, or reads something out, may do with it what they like: no run notices. */

const list = () => reduced<{ n: number }[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ items: list(), topic: value<{ name: string }>(), messages: messages() })
const empty = () => new StateGraph(schema()).addNode('a', () => {}).addEdge(START, 'a')

describe('what a caller changes after the call reaches no run:', () => {
  const input = () => ({ items: [{ n: 1 }], topic: { name: 'x' }, messages: [{ role: 'user', content: 'hi' }] })
  const spoil = (given: ReturnType<typeof input>): void => {
    given.items[0]!.n = 2
    given.items.push({ n: 3 })
    given.topic.name = 'y'
    given.messages[0]!.content = 'bye'
  }
  const untouched = { items: [{ n: 1 }], topic: { name: 'x' }, messages: [{ content: 'hi' }] }

  test('the input of invoke()', async () => {
    const given = input()
    const running = empty().compile().invoke(given)
    spoil(given)
    expect(await running).toMatchObject(untouched)
  })

  test('the input of stream(), before the first chunk is read', async () => {
    const given = input()
    const stream = empty().compile().stream(given, { streamMode: 'values' })
    spoil(given)
    expect((await all(stream)).at(-1)).toMatchObject(untouched)
  })

  test('the input of a graph that a node calls', async () => {
    const child = empty().compile()
    const given = input()
    const parent = new StateGraph(schema())
      .addNode('calls', (_s, ctx) => {
        const running = ctx.run(child, given)
        spoil(given)
        return running
      })
      .addEdge(START, 'calls')
      .compile()
    expect(await parent.invoke({})).toMatchObject(untouched)
  })

  test('a command with its update, its sends and its answer', async () => {
    const graph = new StateGraph(schema())
      .addNode('asks', (_s, ctx) => ({ topic: ctx.interrupt('?') }))
      .addNode('sent', ({ topic }) => ({ items: [{ n: topic.name.length }] }))
      .addEdge(START, 'asks')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const thread = { threadId: 't' }
    await graph.invoke({}, thread)
    const answer = { name: 'x' }
    const update = { items: [{ n: 1 }] }
    const answering = graph.invoke(new Command({ resume: answer, update }), thread)
    answer.name = 'changed'
    update.items[0]!.n = 2
    expect(await answering).toMatchObject({ topic: { name: 'x' }, items: [{ n: 1 }] })
    const passed = { topic: { name: 'four' } }
    const sending = graph.invoke(new Command({ goto: new Send('sent', passed) }), thread)
    passed.topic.name = 'more than four'
    expect((await sending).items.at(-1)).toEqual({ n: 4 })
  })

  test('an update of a thread', async () => {
    const graph = empty().compile({ checkpointer: new MemoryCheckpointer() })
    const given = input()
    const updating = graph.updateState('t', given)
    spoil(given)
    await updating
    expect((await graph.getState('t'))?.values).toMatchObject(untouched)
  })
})

test('what a node changes of an update after it returned it does not reach the state', async () => {
  const update = { items: [{ n: 1 }], topic: { name: 'x' } }
  const graph = new StateGraph(schema())
    .addNode('a', () => update)
    .addNode('b', () => {
      update.items[0]!.n = 2
      update.topic.name = 'y'
    })
    .addNode('c', async function* () {
      const piece = { items: [{ n: 5 }] }
      yield piece
      piece.items[0]!.n = 6
    })
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .addEdge('b', 'c')
    .compile()
  expect(await graph.invoke({})).toMatchObject({ items: [{ n: 1 }, { n: 5 }], topic: { name: 'x' } })
})

/** Changes everything in a value that lets itself be changed. */
function vandalise(given: unknown, seen: Set<unknown> = new Set()): void {
  if (typeof given !== 'object' || given === null || seen.has(given)) return
  seen.add(given)
  for (const key of Object.keys(given)) vandalise((given as Record<string, unknown>)[key], seen)
  if (Object.isFrozen(given)) return
  if (Array.isArray(given)) given.splice(0, given.length, 'VANDAL')
  else for (const key of Object.keys(given)) Reflect.set(given, key, 'VANDAL')
}

const modes = ['values', 'updates', 'custom', 'messages', 'tasks', 'checkpoints', 'debug', 'tools'] as const

const rich = () => {
  const model = fromAsyncIterable(async function* () {
    yield 'one '
    yield 'two'
  })
  const child = new StateGraph(schema())
    .addNode('inner', ({ items }) => ({ items: [...items, { n: 9 }] }))
    .addEdge(START, 'inner')
    .compile()
  const seen: unknown[] = []
  const graph = new StateGraph(schema())
    .addNode(
      'talk',
      async (_s, ctx) => {
        ctx.writer({ deep: { n: 1 } })
        ctx.pushMessage('shown')
        const said = await model.invoke('hi', { ctx, tags: ['call'] })
        await settle()
        seen.push(ctx.tags, ctx.metadata)
        return { messages: [said], items: [{ n: 1 }] }
      },
      { tags: ['node'], metadata: { node: { deep: 1 } } },
    )
    .addNode('child', child)
    .addNode('sent', (sent: unknown) => {
      seen.push(sent)
    })
    .addNode('asks', (_s, ctx) => {
      seen.push(ctx.tags, ctx.metadata, ctx.state)
      return { topic: ctx.interrupt({ ask: { deep: 1 } }) }
    })
    .addEdge(START, 'talk')
    .addEdge('talk', 'child')
    .addConditionalEdges('child', () => [new Send('sent', { topic: { name: 'sent' } }), 'asks'])
    .compile({ checkpointer: new MemoryCheckpointer() })
  return { graph, seen }
}

const options = () => ({ threadId: 't', tags: ['run'], metadata: { user: { name: 'u' } }, runId: 'r' })

/** Ids that are new with every run. */
const plain = (what: unknown): unknown =>
  JSON.parse(JSON.stringify(what, (key, inner: unknown) => (/id$|checkpoint|createdAt/i.test(key) ? undefined : inner)))

test('a reader that changes whatever it can of every chunk changes nothing of the run', async () => {
  const outcome = async (touch: (chunk: unknown) => void): Promise<unknown> => {
    const { graph, seen } = rich()
    for await (const entry of graph.stream(
      { topic: { name: 'x' } },
      { ...options(), streamMode: modes, subgraphs: true },
    ))
      touch(isRoot(entry) ? entry : entry[2])
    const asked = await graph.getState('t')
    touch(await graph.getState('t'))
    const answer = new Command({ resume: { name: 'answered' } })
    for await (const event of graph.events(answer, { ...options(), runId: 'r2', modes })) touch(event)
    const ended = await graph.invoke(null, options())
    return plain([asked, seen, ended, await all(graph.getStateHistory('t'))])
  }
  expect(await outcome(vandalise)).toEqual(await outcome(() => {}))
})
