import { describe, expect, test } from 'vitest'
import { fromAsyncIterable, messages, reduced, START, state, StateGraph, type StreamFilter } from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

const saying = (...words: string[]) =>
  fromAsyncIterable(async function* () {
    for (const word of words) yield await Promise.resolve(word)
  })

const graph = () => {
  const child = new StateGraph(schema())
    .addNode('inner', async (_s, ctx) => {
      ctx.writer('inner')
      return { messages: await saying('in', 'ner').invoke('hi', { ctx, tags: ['deep'] }) }
    })
    .addEdge(START, 'inner')
    .compile()
  return new StateGraph(schema())
    .addNode(
      'talk',
      async (_s, ctx) => {
        ctx.writer('talk')
        return {
          log: ['talk'],
          messages: await saying('ta', 'lk').invoke('hi', { ctx, tags: ['call'], metadata: { by: 'call' } }),
        }
      },
      { tags: ['node'], metadata: { by: 'node', icon: 'x' } },
    )
    .addNode('plain', (_s, ctx) => {
      ctx.writer('plain')
      return { messages: [{ id: 'p', role: 'assistant', content: 'plain' }] }
    })
    .addNode('child', child)
    .addEdge(START, 'talk')
    .addEdge('talk', 'plain')
    .addEdge('plain', 'child')
    .compile()
}

const modes = ['values', 'updates', 'custom', 'messages'] as const

/** What a reader with this filter is shown: text for messages and custom data, the node for updates. */
async function shown(filter: StreamFilter, options: object = {}) {
  const chunks = await all(graph().stream({ messages: [] }, { streamMode: modes, subgraphs: true, filter, ...options }))
  return chunks.map(([ns, mode, chunk]) => {
    const what = { messages: firstContent, custom: String, updates: firstKey, values: () => 'state' }[mode](chunk)
    return `${ns.length > 0 ? 'child ' : ''}${mode} ${what}`
  })
}

const firstContent = (chunk: unknown) => (chunk as readonly { content: string }[])[0]!.content
const firstKey = (chunk: unknown) => Object.keys(chunk as object)[0]!

describe('a filter', () => {
  test('by node shows only what these nodes produced; values belong to no node', async () => {
    expect(await shown({ nodes: ['plain'] })).toEqual([
      'values state',
      'values state',
      'custom plain',
      'messages plain',
      'updates plain',
      'values state',
      'child values state',
      'child values state',
      'values state',
    ])
  })

  test('by tag shows only messages with one of them, whoever gave the tag', async () => {
    const texts = async (tags: string[]) =>
      (await shown({ tags }, { tags: ['run'] }))
        .filter((line) => line.includes('messages'))
        .map((line) => line.split(' ').at(-1))
    expect(await texts(['call'])).toEqual(['ta', 'lk'])
    expect(await texts(['node'])).toEqual(['ta', 'lk'])
    expect(await texts(['deep', 'call'])).toEqual(['ta', 'lk', 'in', 'ner'])
    expect(await texts(['run'])).toEqual(['ta', 'lk', 'plain', 'in', 'ner'])
    expect(await texts(['other'])).toEqual([])
  })

  test('by namespace shows only these graphs and what lies below them', async () => {
    const below = await shown({ namespaces: ['child'] })
    expect(below).toEqual([
      'child values state',
      'child custom inner',
      'child messages in',
      'child messages ner',
      'child updates inner',
      'child values state',
    ])
    expect((await shown({ namespaces: [''] })).filter((line) => line.startsWith('child'))).toEqual([])
    expect(await shown({ namespaces: ['nobody'] })).toEqual([])
  })

  test('of several kinds shows what passes all of them', async () => {
    expect(await shown({ nodes: ['talk', 'inner'], tags: ['deep'], namespaces: ['child'] })).toEqual([
      'child values state',
      'child custom inner',
      'child messages in',
      'child messages ner',
      'child updates inner',
      'child values state',
    ])
  })

  test('changes nothing of what the graph computes', async () => {
    const plain = await graph().invoke({ messages: [] }, { runId: 'r' })
    const last = (
      await all(graph().stream({ messages: [] }, { runId: 'r', streamMode: 'values', filter: { nodes: ['plain'] } }))
    ).at(-1)
    expect(last).toEqual(plain)
  })
})

test('tags and metadata are inherited from the run to the node to the call; the call wins', async () => {
  const chunks = await all(
    graph().stream({ messages: [] }, { streamMode: 'messages', tags: ['run'], metadata: { by: 'run', user: 'u' } }),
  )
  const [[, talk], , [, plain]] = chunks as [(typeof chunks)[0], (typeof chunks)[0], (typeof chunks)[0]]
  expect(talk).toMatchObject({ langgraph_node: 'talk', langgraph_step: 1, by: 'call', icon: 'x', user: 'u' })
  expect(talk.tags).toEqual(['run', 'node', 'call'])
  expect(plain).toMatchObject({ langgraph_node: 'plain', langgraph_step: 2, by: 'run', user: 'u', tags: ['run'] })
})

test('metadata is the same object for all chunks of a message', async () => {
  const chunks = await all(graph().stream({ messages: [] }, { streamMode: 'messages' }))
  expect(chunks[0]?.[1]).toBe(chunks[1]?.[1])
})

describe('nostream', () => {
  const quiet = (where: 'call' | 'node' | 'run') =>
    new StateGraph(schema())
      .addNode(
        'talk',
        async (_s, ctx) => ({
          messages: await saying('se', 'cret').invoke('hi', { ctx, tags: where === 'call' ? ['nostream'] : [] }),
        }),
        { tags: where === 'node' ? ['nostream'] : [] },
      )
      .addEdge(START, 'talk')
      .compile()

  test.each(['call', 'node', 'run'] as const)(
    'on the %s hides the whole message from the messages mode, not from the state',
    async (where) => {
      const tags = where === 'run' ? ['nostream'] : []
      const chunks = await all(quiet(where).stream({ messages: [] }, { tags, streamMode: ['messages', 'values'] }))
      expect(chunks.map(([mode]) => mode)).toEqual(['values', 'values'])
      expect((await quiet(where).invoke({ messages: [] }, { tags })).messages.map(({ content }) => content)).toEqual([
        'secret',
      ])
    },
  )

  test('keeps tokens out of the events; the message is there once it is in the state', async () => {
    const events = await all(quiet('call').events({ messages: [] }))
    expect(events.map(({ type }) => type)).toEqual([
      'run.start',
      'values',
      'task.start',
      'task.end',
      'message',
      'values',
      'run.end',
    ])
    expect(ofType(events, 'message')[0]).not.toHaveProperty('node')
  })
})

test('outputKeys show only these keys in values and updates, a single one as its bare value', async () => {
  const only = async (outputKeys: string | string[]) =>
    all(
      graph().stream({ messages: [] }, { streamMode: ['values', 'updates'], outputKeys, filter: { nodes: ['talk'] } }),
    )
  expect((await only('log')).slice(0, 3)).toEqual([
    ['values', []],
    ['updates', { talk: ['talk'] }],
    ['values', ['talk']],
  ])
  expect((await only(['log'])).slice(0, 3)).toEqual([
    ['values', { log: [] }],
    ['updates', { talk: { log: ['talk'] } }],
    ['values', { log: ['talk'] }],
  ])
})
