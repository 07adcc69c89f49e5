import { emptyState, foldAll, messagesOf, type Message, type RunEvent } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import {
  fromAsyncIterable,
  messages,
  START,
  state,
  StateGraph,
  type ChatModel,
  type ChatOptions,
  type MessageChunk,
  type NodeContext,
} from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { isNode } from '../platform.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

/** A model that answers these chunks. */
const saying = (...chunks: (MessageChunk | string)[]) =>
  fromAsyncIterable(async function* () {
    for (const chunk of chunks) yield await Promise.resolve(chunk)
  })

/** A graph whose node asks the model and returns its answer. */
function graphOf(model: ChatModel, options: ChatOptions = {}) {
  return nodeOf(async (ctx) => ({ messages: await model.invoke('hi', { ...options, ctx }) }))
}

function nodeOf(run: (ctx: NodeContext) => unknown) {
  return new StateGraph(state({ messages: messages() }))
    .addNode('talk', ((_s: unknown, ctx: NodeContext) => run(ctx)) as () => undefined)
    .addEdge(START, 'talk')
    .compile()
}

const read = async (graph: ReturnType<typeof nodeOf>) => all(graph.events({ messages: [] }))

/** The one message that a run's events and its state agree on. */
async function message(model: ChatModel, options?: ChatOptions): Promise<Message> {
  const graph = graphOf(model, options)
  const [inState] = (await graph.invoke({ messages: [] }, { runId: 'r' })).messages
  const events = await all(graph.events({ messages: [] }, { runId: 'r' }))
  expect(bare(foldedMessages(events))).toEqual(bare([inState!]))
  return inState!
}

const foldedMessages = (events: readonly RunEvent[]) =>
  messagesOf(
    foldAll(
      emptyState(),
      events.map((event, i) => ({ ...event, seq: i + 1 })),
    ),
  )

/** Messages without what readers know and the state does not. */
const bare = (list: readonly Message[]) => list.map(({ status: _s, meta: _m, ...rest }) => rest)

describe('an answer', () => {
  test('streams as one start, deltas with growing offsets, and one end with the lengths', async () => {
    const events = (await read(graphOf(saying('Hel', 'lo')))).filter(({ type }) => type.startsWith('message.'))
    const id = ofType(events, 'message.start')[0]!.id
    expect(events).toMatchObject([
      { type: 'message.start', id, role: 'assistant', node: 'talk', step: 1, task: expect.any(String) },
      { type: 'message.delta', id, part: 0, at: 0, text: 'Hel' },
      { type: 'message.delta', id, part: 0, at: 3, text: 'lo' },
      { type: 'message.end', id, lengths: [5] },
    ])
  })

  test('is in the state once, under the id it streamed with', async () => {
    const events = await read(graphOf(saying('Hello')))
    expect(ofType(events, 'message')).toEqual([])
    expect(ofType(events, 'values').at(-1)?.lists).toEqual({
      messages: { ids: [ofType(events, 'message.start')[0]!.id] },
    })
  })

  test('with reasoning keeps it as a part of its own, also when it comes back to it', async () => {
    const answer = await message(
      saying({ reasoning: 'hm' }, { reasoning: 'm' }, 'So', { reasoning: 'wait' }, { content: ' yes' }),
    )
    expect(answer).toMatchObject({
      content: 'So yes',
      parts: [
        { kind: 'reasoning', text: 'hmm' },
        { kind: 'text', text: 'So' },
        { kind: 'reasoning', text: 'wait' },
        { kind: 'text', text: ' yes' },
      ],
    })
  })

  test('with tool calls keeps their arguments as text, told as they come', async () => {
    const model = saying(
      { toolCallChunks: [{ index: 0, id: 'a', name: 'look' }] },
      { toolCallChunks: [{ index: 0, args: '{"q":' }] },
      { toolCallChunks: [{ index: 0, args: '1}' }] },
    )
    expect((await message(model)).toolCalls).toEqual([{ id: 'a', name: 'look', args: '{"q":1}' }])
    const deltas = ofType(await read(graphOf(model)), 'message.delta')
    expect(deltas.map(({ kind, callId, name, at, text }) => ({ kind, callId, name, at, text }))).toEqual([
      { kind: 'tool', callId: 'a', name: 'look', at: 0, text: '' },
      { kind: undefined, callId: undefined, name: undefined, at: 0, text: '{"q":' },
      { kind: undefined, callId: undefined, name: undefined, at: 5, text: '1}' },
    ])
  })

  test('with interleaved tool calls, some with the same index, keeps them apart', async () => {
    const answer = await message(
      saying(
        'let me see',
        { toolCallChunks: [{ index: 0, id: 'a', name: 'look', args: '{' }] },
        { toolCallChunks: [{ index: 1, id: 'b', name: 'find', args: '{"x"' }] },
        { toolCallChunks: [{ index: 0, args: '}' }] },
        { toolCallChunks: [{ index: 1, args: ':2}' }] },
        { toolCallChunks: [{ index: 0, id: 'c', name: 'look', args: '{"z":3}' }] },
      ),
    )
    expect(answer.content).toBe('let me see')
    expect(answer.toolCalls).toEqual([
      { id: 'a', name: 'look', args: '{}' },
      { id: 'b', name: 'find', args: '{"x":2}' },
      { id: 'c', name: 'look', args: '{"z":3}' },
    ])
  })

  test('with a tool call whose name comes late, or without an id, is told once it can be named', async () => {
    const answer = await message(
      saying(
        { toolCallChunks: [{ index: 0, args: '{"a"' }] },
        { toolCallChunks: [{ index: 0, name: 'look', args: ':1}' }] },
      ),
    )
    expect(answer.toolCalls).toEqual([{ id: expect.stringMatching(/.+/), name: 'look', args: '{"a":1}' }])
  })

  test('split inside of a surrogate pair is told whole', async () => {
    const smile = '😀'
    const model = saying(`a${smile[0]}`, `${smile[1]}b${smile[0]}`, smile[1]!)
    expect((await message(model)).content).toBe('a😀b😀')
    const deltas = ofType(await read(graphOf(model)), 'message.delta')
    expect(deltas.map(({ at, text }) => [at, text])).toEqual([
      [0, 'a'],
      [1, '😀b'],
      [4, '😀'],
    ])
  })

  test('that ends in half a pair keeps that half', async () => {
    const [half] = '😀'
    expect((await message(saying(`a${half}`))).content).toBe(`a${half}`)
  })

  test('with a pair split over two kinds of part does not mix them', async () => {
    const smile = '😀'
    const answer = await message(saying({ content: `a${smile[0]}` }, { reasoning: 'hm' }, { content: smile[1]! }))
    expect(answer.parts?.map((part) => ('text' in part ? part.text.length : 0))).toEqual([2, 2, 1])
  })

  test('carries usage and why it finished, the last numbers counting', async () => {
    const model = saying(
      { content: 'x', usage: { inputTokens: 5, outputTokens: 1 } },
      { usage: { outputTokens: 7 }, finishReason: 'stop' },
    )
    const end = ofType(await read(graphOf(model)), 'message.end')[0]
    expect(end).toMatchObject({ usage: { inputTokens: 5, outputTokens: 7 }, finishReason: 'stop' })
    expect((await message(model)).meta?.usage).toEqual({ inputTokens: 5, outputTokens: 7 })
  })

  test('with parts that come whole keeps them', async () => {
    const image = { kind: 'image', mediaType: 'image/png', url: 'https://example.test/x.png' } as const
    const model = saying('look', { parts: [image] })
    expect((await message(model)).parts).toEqual([{ kind: 'text', text: 'look' }, image])
  })

  test('of nothing at all is an empty message', async () => {
    expect(await message(saying())).toMatchObject({ role: 'assistant', content: '' })
  })
})

describe('the id of an answer', () => {
  test('is the one the provider gives with its first chunk', async () => {
    const events = await read(graphOf(saying({ id: 'p1', content: 'a' }, { id: 'p1', content: 'b' })))
    expect(ofType(events, 'message.start')[0]?.id).toBe('p1')
    expect(ofType(events, 'message.end')[0]?.providerId).toBeUndefined()
  })

  test('given late is an alias', async () => {
    const events = await read(graphOf(saying('a', { id: 'late', content: 'b' })))
    expect(ofType(events, 'message.start')[0]?.id).not.toBe('late')
    expect(ofType(events, 'message.end')[0]?.providerId).toBe('late')
  })

  test('that is in the state already is not used again', async () => {
    const graph = graphOf(saying({ id: 'p1', content: 'new' }))
    const input = { messages: [{ id: 'p1', role: 'assistant', content: 'old' }] } as const
    const { messages: list } = await graph.invoke(input)
    expect(list.map(({ content }) => content)).toEqual(['old', 'new'])
  })

  test('is the same whoever watches, also when the provider repeats itself', async () => {
    const model = saying({ id: 'same', content: 'x' })
    const graph = nodeOf(async (ctx) => ({
      messages: [await model.invoke('1', { ctx }), await model.invoke('2', { ctx })],
    }))
    const input = { messages: [] }
    const invoked = (await graph.invoke(input, { runId: 'r' })).messages.map(({ id }) => id)
    const events = await all(graph.events(input, { runId: 'r' }))
    const values = await all(graph.stream(input, { runId: 'r', streamMode: 'values' }))
    expect(new Set(invoked).size).toBe(2)
    expect(ofType(events, 'message.start').map(({ id }) => id)).toEqual(invoked)
    expect(values.at(-1)?.messages.map(({ id }) => id)).toEqual(invoked)
  })
})

describe('a model', () => {
  test('that does not stream comes through the same events, in one piece', async () => {
    const model = saying({ reasoning: 'hm' }, 'Hel', 'lo', {
      toolCallChunks: [{ index: 0, id: 'c', name: 'n', args: '{}' }],
    })
    const events = await read(graphOf(model, { streaming: false }))
    expect(events.filter(({ type }) => type.startsWith('message')).map(({ type }) => type)).toEqual([
      'message.start',
      'message.delta',
      'message.delta',
      'message.delta',
      'message.end',
    ])
    const streamed = await message(model)
    expect(await message(model, { streaming: false })).toEqual({ ...streamed, id: expect.any(String) })
    const chunks = await all(model.stream('hi', { streaming: false }))
    expect(chunks).toHaveLength(1)
    expect(chunks[0]).toMatchObject({ content: 'Hello', toolCallChunks: [{ id: 'c', name: 'n', args: '{}' }] })
  })

  test('works outside of a graph', async () => {
    expect(await saying('Hel', 'lo').invoke('hi')).toMatchObject({ role: 'assistant', content: 'Hello' })
    expect(await all(saying('Hel', 'lo').stream('hi'))).toEqual([{ content: 'Hel' }, { content: 'lo' }])
  })

  test('called twice at once in one node has two messages, interleaved and whole', async () => {
    const gates = Array.from({ length: 4 }, () => gate())
    const slow = (name: string, first: number) =>
      fromAsyncIterable(async function* () {
        for (const i of [0, 1]) {
          await gates[first + i]!.opened
          yield `${name}${i}`
        }
      })
    const graph = nodeOf(async (ctx) => ({
      messages: await Promise.all([slow('a', 0).invoke('x', { ctx }), slow('b', 2).invoke('x', { ctx })]),
    }))
    const reading = read(graph)
    for (const i of [2, 0, 3, 1]) {
      await settle()
      gates[i]!.open()
    }
    const events = await reading
    expect(ofType(events, 'message.delta').map(({ text }) => text)).toEqual(['b0', 'a0', 'b1', 'a1'])
    expect(foldedMessages(events).map(({ content }) => content)).toEqual(['a0a1', 'b0b1'])
  })

  test('is found without ctx where the platform can, and with it everywhere', async () => {
    const ambient = nodeOf(async () => ({ messages: await saying('x').invoke('hi') }))
    const passed = nodeOf(async (ctx) => ({ messages: await saying('x').invoke('hi', { ctx }) }))
    expect(ofType(await read(passed), 'message.delta')).toHaveLength(1)
    expect(ofType(await read(ambient), 'message.delta')).toHaveLength(isNode ? 1 : 0)
  })

  test('gets the conversation as messages, and its options', async () => {
    let seen: unknown
    const model = fromAsyncIterable(
      (list, options) => {
        seen = [list.map(({ role, content }) => [role, content]), options.tags, options.metadata, options.name]
        return (async function* () {
          yield await Promise.resolve('x')
        })()
      },
      { name: 'base', tags: ['a'], metadata: { m: 1 } },
    )
    expect(model.name).toBe('base')
    await model
      .with({ tags: ['b'], metadata: { n: 2 } })
      .invoke([{ role: 'system', content: 's' }, 'question'], { tags: ['c'], name: 'call' })
    expect(seen).toEqual([
      [
        ['system', 's'],
        ['user', 'question'],
      ],
      ['a', 'b', 'c'],
      { m: 1, n: 2 },
      'call',
    ])
  })

  test('that fails half way fails its node with what it threw; what it had said is told', async () => {
    const failure = new Error('provider down')
    const model = fromAsyncIterable(async function* () {
      yield await Promise.resolve('half')
      throw failure
    })
    const graph = graphOf(model)
    expect(await rejection(graph.invoke({ messages: [] }))).toBe(failure)
    const events = await read(graph)
    expect(ofType(events, 'message.delta').map(({ text }) => text)).toEqual(['half'])
    expect(foldedMessages(events).map(({ content, status }) => [content, status])).toEqual([['half', 'cut']])
  })

  test('is closed when the loop over it is left', async () => {
    let closed = false
    const model = fromAsyncIterable(async function* () {
      try {
        for (let i = 0; ; i++) yield await Promise.resolve(String(i))
      } finally {
        closed = true
      }
    })
    const graph = nodeOf(async (ctx) => {
      for await (const chunk of model.stream('hi', { ctx })) if (chunk.content === '3') break
    })
    const events = await read(graph)
    expect(closed).toBe(true)
    expect(events.at(-1)).toMatchObject({ status: 'done' })
  })

  test('called after its node has ended is refused', async () => {
    const opened = gate()
    let late: Promise<unknown> = Promise.resolve()
    const graph = nodeOf((ctx) => {
      late = opened.opened.then(() => saying('x').invoke('hi', { ctx }))
      late.catch(() => {})
    })
    await graph.invoke({ messages: [] })
    opened.open()
    expect(await rejection(late)).toMatchObject({ code: 'NO_CONTEXT' })
  })

  test('waits for a reader that is 1,024 events behind', async () => {
    let pulled = 0
    const model = fromAsyncIterable(async function* () {
      for (; pulled < 5000; pulled++) yield await Promise.resolve('x')
    })
    const stream = graphOf(model).stream({ messages: [] }, { streamMode: 'messages' })
    await stream.next()
    for (let i = 0; i < 10; i++) await settle()
    expect(pulled).toBeGreaterThan(1000)
    expect(pulled).toBeLessThan(1100)
    expect(await all(stream)).toHaveLength(4999)
  })
})

describe('chunks of the messages mode', () => {
  test('carry what is new, by kind, with stable indexes of tool calls', async () => {
    const model = saying(
      { reasoning: 'hm' },
      'Hi',
      { toolCallChunks: [{ index: 7, id: 'a', name: 'look', args: '{' }] },
      { toolCallChunks: [{ index: 9, id: 'b', name: 'find', args: '{' }] },
      { toolCallChunks: [{ index: 7, args: '}' }] },
      { usage: { outputTokens: 3 } },
    )
    const chunks = await all(graphOf(model).stream({ messages: [] }, { streamMode: 'messages' }))
    expect(chunks.map(([{ id: _id, role: _role, ...chunk }]) => chunk)).toEqual([
      { content: '', reasoning: 'hm' },
      { content: 'Hi' },
      { content: '', toolCallChunks: [{ index: 0, id: 'a', name: 'look', args: '{' }] },
      { content: '', toolCallChunks: [{ index: 1, id: 'b', name: 'find', args: '{' }] },
      { content: '', toolCallChunks: [{ index: 0, args: '}' }] },
      { content: '', usage: { outputTokens: 3 } },
    ])
    expect(new Set(chunks.map(([{ id }]) => id)).size).toBe(1)
  })
})
