import { emptyState, foldAll, messagesOf, type Message } from '@rivulet/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fromAsyncIterable,
  messages,
  START,
  state,
  StateGraph,
  type ChatOptions,
  type MessageChunk,
} from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

/** A model that yields whatever it is given, well-formed or not. */
const yielding = (chunks: readonly unknown[]) =>
  fromAsyncIterable(async function* () {
    // A source in JavaScript may yield anything.
    for (const chunk of chunks) yield await Promise.resolve(chunk as MessageChunk)
  })

function graphOf(chunks: readonly unknown[], options: ChatOptions = {}) {
  const model = yielding(chunks)
  return new StateGraph(state({ messages: messages() }))
    .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ...options, ctx }) }))
    .addEdge(START, 'talk')
    .compile()
}

/** The answer as the state has it and as readers of the events have it, which must say the same. */
async function answerOf(chunks: readonly unknown[], options?: ChatOptions): Promise<Message> {
  const graph = graphOf(chunks, options)
  const [inState] = (await graph.invoke({}, { runId: 'r' })).messages
  const events = await all(graph.events({}, { runId: 'r' }))
  const folded = messagesOf(
    foldAll(
      emptyState(),
      events.map((event, i) => ({ ...event, seq: i + 1 })),
    ),
  )
  const said = ({ id, role, content, parts, toolCalls }: Message) => ({ id, role, content, parts, toolCalls })
  expect(folded.map(said)).toEqual([said(inState!)])
  expect(folded[0]?.meta).toMatchObject(inState!.meta ?? {})
  return inState!
}

const text = fc.oneof(fc.constantFrom('', 'a', '😀', '\ud83d', '\ude00', '{"x":'), fc.string({ maxLength: 4 }))
const index = fc.oneof(fc.nat(2), fc.constantFrom<unknown>(undefined, null, NaN, -1, 1.5, '0'))
const call = fc.record(
  { index, id: fc.option(fc.constantFrom('a', 'b', '')), name: fc.option(text), args: text },
  { requiredKeys: [] },
)
const usage = fc.record(
  { inputTokens: fc.oneof(fc.nat(), fc.constant('x')), outputTokens: fc.double() },
  { requiredKeys: [] },
)
const cyclic = (() => {
  const value: Record<string, unknown> = {}
  value['self'] = value
  return value
})()
const hostile = new Proxy(
  {},
  {
    get(_target, key) {
      if (typeof key === 'string' && key !== 'then') throw new Error('not yours to read')
      return undefined
    },
  },
)
const junk = fc.oneof(
  fc.anything(),
  fc.constantFrom<unknown>(cyclic, 1n, Symbol('s'), hostile, () => 1),
)
const part = fc.oneof(
  junk,
  fc.record(
    {
      kind: fc.constantFrom('text', 'reasoning', 'image', 'file', 'data', 'hologram'),
      text,
      mediaType: text,
      url: text,
      name: text,
      value: junk,
    },
    { requiredKeys: ['kind'] },
  ),
)
const wellFormed = fc.record(
  {
    id: fc.constantFrom('p1', 'p2', ''),
    content: text,
    reasoning: text,
    toolCallChunks: fc.array(call, { maxLength: 3 }),
    usage,
    usageDelta: usage,
    finishReason: text,
    metadata: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), junk),
    parts: fc.array(part, { maxLength: 2 }),
    citations: fc.array(fc.oneof(junk, fc.record({ url: text, start: fc.nat() })), { maxLength: 2 }),
    restart: fc.boolean(),
  },
  { requiredKeys: [] },
)
const fields = [
  'id',
  'content',
  'reasoning',
  'toolCallChunks',
  'usage',
  'usageDelta',
  'finishReason',
  'metadata',
  'parts',
  'citations',
  'restart',
]
const anyChunk = fc.oneof(wellFormed, text, junk, fc.dictionary(fc.constantFrom(...fields), junk))

test('whatever chunks arrive, adding them up never throws, and state and readers have the same message', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyChunk, { maxLength: 12 }), fc.boolean(), async (chunks, streaming) => {
      const { content } = await answerOf(chunks, { streaming })
      expect(typeof content).toBe('string')
    }),
    { numRuns: 150 },
  )
})

test('the message is the same told in pieces, told in one, and told to nobody', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wellFormed, { maxLength: 12 }), async (chunks) => {
      const streamed = await answerOf(chunks)
      expect(await answerOf(chunks, { streaming: false })).toEqual(streamed)
      expect(await answerOf(chunks, { disableStreaming: true })).toEqual(streamed)
      const quiet = graphOf(chunks, { tags: ['nostream'] })
      expect((await quiet.invoke({}, { runId: 'r' })).messages).toEqual([streamed])
    }),
    { numRuns: 60 },
  )
})

test('no delta splits a surrogate pair, however text, reasoning and arguments are cut', async () => {
  const said = 'a😀b👩‍👩‍👧‍👦 é'
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: said.length - 1 }), { maxLength: said.length })
  const slices = (at: readonly number[]) => {
    const borders = [0, ...at.toSorted((a, b) => a - b), said.length]
    return borders.slice(1).map((end, i) => said.slice(borders[i], end))
  }
  await fc.assert(
    fc.asyncProperty(cuts, cuts, cuts, async (forText, forReasoning, forArgs) => {
      const chunks: MessageChunk[] = [
        { toolCallChunks: [{ index: 0, id: 'c', name: 'look' }] },
        ...slices(forReasoning).map((reasoning) => ({ reasoning })),
        ...slices(forText).map((content) => ({ content })),
        ...slices(forArgs).map((args) => ({ toolCallChunks: [{ index: 0, args }] })),
      ]
      const deltas = ofType(await all(graphOf(chunks).events({})), 'message.delta')
      for (const delta of deltas) expect(delta.text).not.toMatch(/\p{Surrogate}/u)
      expect(await answerOf(chunks)).toMatchObject({
        content: said,
        parts: [
          { kind: 'reasoning', text: said },
          { kind: 'text', text: said },
        ],
        toolCalls: [{ args: said }],
      })
    }),
    { numRuns: 50 },
  )
})

describe('a call', () => {
  test('and text of the same index stay apart', async () => {
    const chunks = [
      { content: 'Let me', toolCallChunks: [{ index: 0, id: 'a', name: 'look', args: '{' }] },
      { content: ' see', toolCallChunks: [{ index: 0, args: '}' }] },
    ]
    expect(await answerOf(chunks)).toMatchObject({
      content: 'Let me see',
      toolCalls: [{ id: 'a', name: 'look', args: '{}' }],
    })
  })

  test('that comes back by its id goes on, also where every call has the same index', async () => {
    const chunks = [
      { toolCallChunks: [{ index: 0, id: 'a', name: 'look', args: '1' }] },
      { toolCallChunks: [{ index: 0, id: 'b', name: 'find', args: '2' }] },
      { toolCallChunks: [{ index: 0, id: 'a', args: '3' }] },
    ]
    expect((await answerOf(chunks)).toolCalls).toEqual([
      { id: 'a', name: 'look', args: '13' },
      { id: 'b', name: 'find', args: '2' },
    ])
  })

  test('with another name is another call where neither has an id; its own name said again is not', async () => {
    const { toolCalls } = await answerOf([
      { toolCallChunks: [{ index: 0, name: 'look', args: '{' }] },
      { toolCallChunks: [{ index: 0, name: 'look', args: '}' }] },
      { toolCallChunks: [{ index: 0, name: 'find', args: '[' }] },
      { toolCallChunks: [{ index: 0, args: ']' }] },
    ])
    expect(toolCalls?.map(({ name, args }) => [name, args])).toEqual([
      ['look', '{}'],
      ['find', '[]'],
    ])
  })

  test('with the id of another call gets one of its own', async () => {
    const call = { id: 'same', name: 'look', args: '{}' }
    const { toolCalls } = await answerOf([
      {
        toolCallChunks: [
          { index: 0, ...call },
          { index: 1, ...call },
        ],
      },
    ])
    expect(new Set(toolCalls?.map(({ id }) => id)).size).toBe(2)
    expect(toolCalls?.[0]).toEqual(call)
  })

  test('that is named after another is behind it, whoever watches', async () => {
    const chunks = [
      { toolCallChunks: [{ index: 0, id: 'a', args: '{}' }] },
      { toolCallChunks: [{ index: 1, id: 'b', name: 'find', args: '{}' }] },
      { toolCallChunks: [{ index: 0, name: 'look' }] },
    ]
    expect((await answerOf(chunks)).toolCalls?.map(({ id }) => id)).toEqual(['b', 'a'])
  })
})

describe('usage', () => {
  test('so far takes the place of what was told, count by count', async () => {
    const chunks = [{ usage: { inputTokens: 5, outputTokens: 1 } }, { usage: { outputTokens: 7 } }]
    expect((await answerOf(chunks)).meta?.usage).toEqual({ inputTokens: 5, outputTokens: 7 })
  })

  test('since the last chunk is added', async () => {
    const chunks = [
      { usageDelta: { inputTokens: 5, outputTokens: 1 } },
      { usageDelta: { outputTokens: 2, reasoningTokens: 1 } },
      { usageDelta: { outputTokens: 3 } },
    ]
    expect((await answerOf(chunks)).meta?.usage).toEqual({ inputTokens: 5, outputTokens: 6, reasoningTokens: 1 })
  })

  test('that is no number is not counted', async () => {
    const chunks = [{ usage: { inputTokens: NaN, outputTokens: '3', other: 1 } }, { usage: 7 }]
    expect(await answerOf(chunks)).not.toHaveProperty('meta')
  })
})

test('of what a provider says twice the last holds, and it is in the message with what the caller attached', async () => {
  const chunks = [
    { metadata: { model: 'a', fingerprint: 'x' }, finishReason: 'length' },
    { metadata: { model: 'b', secret: 1n }, finishReason: 'stop' },
  ]
  const answer = await answerOf(chunks)
  expect(answer.meta).toEqual({ metadata: { model: 'b', fingerprint: 'x' }, finishReason: 'stop' })
  const graph = graphOf(chunks, { metadata: { user: 'u', model: 'asked' } })
  const events = await all(graph.events({}))
  expect(ofType(events, 'message.start')[0]?.meta?.metadata).toEqual({ user: 'u', model: 'asked' })
  expect(ofType(events, 'message.end')[0]).toMatchObject({ metadata: { model: 'b', fingerprint: 'x' } })
  const last = (await all(graph.stream({}, { streamMode: 'messages' }))).at(-1)?.[0]
  expect(last).toMatchObject({ metadata: { model: 'b', fingerprint: 'x' }, finishReason: 'stop' })
})

test('images, files, data and citations are parts behind what was said; text that came whole is text', async () => {
  const image = { kind: 'image', mediaType: 'image/png', data: 'aGk=' }
  const file = { kind: 'file', mediaType: 'text/csv', url: 'https://example.test/a.csv', name: 'a.csv' }
  const citation = { url: 'https://example.test', title: 'T', quote: 'q', start: 0, end: 4 }
  const chunks = [
    { parts: [image, { kind: 'hologram' }] },
    { content: 'Look', citations: [citation, { url: 7 }] },
    { parts: [{ kind: 'text', text: ' here' }, file, { kind: 'data', name: 'chart', value: [1] }] },
  ]
  const answer = await answerOf(chunks)
  expect(answer.content).toBe('Look here')
  expect(answer.parts).toEqual([
    { kind: 'text', text: 'Look here' },
    image,
    { kind: 'data', name: 'citation', value: citation },
    file,
    { kind: 'data', name: 'chart', value: [1] },
  ])
})

test('the one piece of a model that does not stream has everything that the pieces have', async () => {
  const chunks = [
    { id: 'p1', reasoning: 'hm' },
    { content: 'Hello', toolCallChunks: [{ index: 3, id: 'c', name: 'n', args: '{}' }] },
    { parts: [{ kind: 'image', mediaType: 'image/png', url: 'u' }], usage: { outputTokens: 1 } },
    { finishReason: 'stop', metadata: { model: 'm' } },
  ]
  const model = yielding(chunks)
  const pieces = await all(model.stream('hi', { disableStreaming: true }))
  expect(pieces).toEqual([
    {
      id: 'p1',
      reasoning: 'hm',
      content: 'Hello',
      toolCallChunks: [{ index: 0, id: 'c', name: 'n', args: '{}' }],
      parts: [{ kind: 'image', mediaType: 'image/png', url: 'u' }],
      usage: { outputTokens: 1 },
      finishReason: 'stop',
      metadata: { model: 'm' },
    },
  ])
  expect(await yielding(pieces).invoke('hi')).toEqual(await model.invoke('hi'))
})

test('a chunk that says nothing does not fix the id, and nobody is told of it', async () => {
  const chunks = [{}, { unknown: 1 }, null, { id: 'p1', content: 'a' }, {}]
  expect((await answerOf(chunks)).id).toBe('p1')
  expect(await all(yielding(chunks).stream('hi'))).toEqual([{ id: 'p1', content: 'a' }])
})
