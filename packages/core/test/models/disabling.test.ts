import { describe, expect, test } from 'vitest'
import {
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  type ChatOptions,
  type NodeContext,
  type StreamFilter,
} from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const joke = () => scriptedModel('Why did the cat', { name: 'joker', tags: ['joke'] })
const poem = () => scriptedModel('Roses are red', { name: 'poet', tags: ['poem'] })

const builder = () => new StateGraph(state({ messages: messages() }))

/** Both models side by side in one node. */
const oneNode = (options: ChatOptions = {}) =>
  builder()
    .addNode('write', async (_s, ctx: NodeContext) => ({
      messages: await Promise.all([joke().invoke('hi', { ctx, ...options }), poem().invoke('hi', { ctx, ...options })]),
    }))
    .addEdge(START, 'write')
    .compile()

/** One model a node, the nodes side by side. */
const twoNodes = (options: ChatOptions = {}) =>
  builder()
    .addNode('tellJoke', async (_s, ctx) => ({ messages: await joke().invoke('hi', { ctx, ...options }) }))
    .addNode('writePoem', async (_s, ctx) => ({ messages: await poem().invoke('hi', { ctx, ...options }) }))
    .addEdge(START, 'tellJoke')
    .addEdge(START, 'writePoem')
    .compile()

/** The text that a reader with this filter sees. */
async function seen(graph: ReturnType<typeof oneNode | typeof twoNodes>, filter: StreamFilter): Promise<string> {
  const chunks = await all(graph.stream({}, { streamMode: 'messages', filter }))
  return chunks.map(([{ content }]) => content).join('')
}

describe('two models', () => {
  test.each([
    ['in one node', oneNode],
    ['in parallel nodes', twoNodes],
  ])('%s are told apart by their tags', async (_where, graphOf) => {
    expect(await seen(graphOf(), { tags: ['joke'] })).toBe('Why did the cat')
    expect(await seen(graphOf(), { tags: ['poem'] })).toBe('Roses are red')
    expect(await seen(graphOf(), { tags: ['essay'] })).toBe('')
    expect(await seen(graphOf(), {})).toHaveLength('Why did the catRoses are red'.length)
  })

  test('in parallel nodes are told apart by their nodes', async () => {
    expect(await seen(twoNodes(), { nodes: ['tellJoke'] })).toBe('Why did the cat')
    expect(await seen(twoNodes(), { nodes: ['writePoem'] })).toBe('Roses are red')
    expect(await seen(twoNodes(), { nodes: ['writePoem'], tags: ['joke'] })).toBe('')
  })

  test('say who they are with each chunk', async () => {
    const chunks = await all(oneNode().stream({}, { streamMode: 'messages' }))
    const told = new Set(chunks.map(([, { tags, name, langgraph_node }]) => `${langgraph_node} ${tags.join()} ${name}`))
    expect(told).toEqual(new Set(['write joke joker', 'write poem poet']))
  })
})

describe('a model that is not to stream', () => {
  test.each([{ streaming: false }, { disableStreaming: true }, { disableStreaming: true, streaming: true }])(
    'with %j comes through the same events, its text in one piece',
    async (options) => {
      const events = await all(twoNodes(options).events({}))
      const told = events.flatMap((event) =>
        event.type === 'message.delta' ? [event.text] : event.type.startsWith('message') ? [event.type] : [],
      )
      const one = (text: string) => ['message.start', text, 'message.end']
      // The poem has fewer words.
      expect(told).toEqual([...one('Roses are red'), ...one('Why did the cat')])
      expect(ofType(events, 'message.start').map(({ node, meta }) => [node, meta?.tags])).toEqual([
        ['writePoem', ['poem']],
        ['tellJoke', ['joke']],
      ])
    },
  )

  test('is still filtered by its tags', async () => {
    expect(await seen(oneNode({ streaming: false }), { tags: ['poem'] })).toBe('Roses are red')
  })

  test('is told so, and so are models made from it', async () => {
    const model = scriptedModel('x')
    await model.with({ disableStreaming: true }).invoke('hi')
    await model
      .with({ streaming: false })
      .with({ tags: ['t'] })
      .invoke('hi')
    await model.invoke('hi')
    expect(model.calls.map(({ options }) => options.streaming)).toEqual([false, false, true])
  })
})

test('nostream hides a call: no event before its message is in the state, nothing in the messages mode', async () => {
  const graph = () => oneNode({ tags: ['nostream'] })
  expect(await seen(graph(), {})).toBe('')
  expect(await seen(graph(), { tags: ['joke'] })).toBe('')
  const types = (await all(graph().events({}))).map(({ type }) => type)
  expect(types.filter((type) => type.startsWith('message'))).toEqual(['message', 'message'])
  expect(types.indexOf('message')).toBeGreaterThan(types.indexOf('task.end'))
  const { messages: list } = await graph().invoke({})
  expect(list.map(({ content }) => content)).toEqual(['Why did the cat', 'Roses are red'])
})
