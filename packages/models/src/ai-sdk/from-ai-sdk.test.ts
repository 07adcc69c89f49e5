import type {
  LanguageModelV2,
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3Content,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
} from '@ai-sdk/provider'
import { tool, type MessageChunk } from '@rivulet/core'
import { RivuletError, type Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fromAiSdk, type AiSdkModel } from './from-ai-sdk.ts'

const usage: LanguageModelV3GenerateResult['usage'] = {
  inputTokens: { total: 5, noCache: 3, cacheRead: 2, cacheWrite: 0 },
  outputTokens: { total: 7, text: 4, reasoning: 3 },
}
const finish: LanguageModelV3StreamPart = { type: 'finish', usage, finishReason: { unified: 'stop', raw: 'end' } }

/** What a model was asked, and whether its stream was let go. */
interface Seen {
  options: LanguageModelV3CallOptions[]
  cancelled: number
}

/** A model that says these parts; `open` leaves its stream open behind them. */
function modelOf(
  parts: readonly LanguageModelV3StreamPart[],
  { open = false, content = [] as LanguageModelV3Content[] } = {},
) {
  const seen: Seen = { options: [], cancelled: 0 }
  const model: LanguageModelV3 = {
    specificationVersion: 'v3',
    provider: 'acme.chat',
    modelId: 'acme-1',
    supportedUrls: {},
    doStream: async (options) => {
      seen.options.push(options)
      const stream = new ReadableStream<LanguageModelV3StreamPart>({
        start(controller) {
          for (const part of parts) controller.enqueue(part)
          if (!open) controller.close()
          options.abortSignal?.addEventListener('abort', () => controller.error(options.abortSignal?.reason))
        },
        cancel: () => void seen.cancelled++,
      })
      return { stream }
    },
    doGenerate: async (options) => {
      seen.options.push(options)
      const finishReason = { unified: 'stop' as const, raw: 'end' }
      return { content, usage, finishReason, warnings: [], response: { id: 'r1', modelId: 'acme-1-b' } }
    },
  }
  return { model, seen }
}

const said = (text: string): LanguageModelV3StreamPart[] => [
  { type: 'text-start', id: '1' },
  ...text.split('').map((delta): LanguageModelV3StreamPart => ({ type: 'text-delta', id: '1', delta })),
  { type: 'text-end', id: '1' },
]

const signature = { acme: { signature: 'sig' } }
const thought = { acme: { thought: 't' } }

test('a stream adds up to a message with text, reasoning, calls, files, sources and usage', async () => {
  const { model } = modelOf([
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', id: 'r1', modelId: 'acme-1-b' },
    { type: 'reasoning-start', id: '0' },
    { type: 'reasoning-delta', id: '0', delta: 'hm' },
    { type: 'reasoning-end', id: '0', providerMetadata: signature },
    ...said('Hi'),
    { type: 'tool-input-start', id: 'a', toolName: 'look' },
    { type: 'tool-input-start', id: 'b', toolName: 'find' },
    { type: 'tool-input-delta', id: 'a', delta: '{"q"' },
    { type: 'tool-input-delta', id: 'b', delta: '{}' },
    { type: 'tool-input-delta', id: 'a', delta: ':1}' },
    { type: 'tool-input-end', id: 'a' },
    { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: '{"q":1}', providerMetadata: thought },
    { type: 'tool-call', toolCallId: 'c', toolName: 'whole', input: '{"w":2}' },
    { type: 'tool-call', toolCallId: 'd', toolName: 'theirs', input: '{}', providerExecuted: true },
    { type: 'file', mediaType: 'image/png', data: new Uint8Array([104, 105]) },
    { type: 'source', sourceType: 'url', id: 's', url: 'https://example.test', title: 'T' },
    finish,
  ])
  expect(await fromAiSdk(model).invoke('hi')).toEqual({
    id: 'r1',
    role: 'assistant',
    content: 'Hi',
    parts: [
      { kind: 'reasoning', text: 'hm' },
      { kind: 'text', text: 'Hi' },
      { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
      { kind: 'data', name: 'citation', value: { url: 'https://example.test', title: 'T' } },
      {
        kind: 'data',
        name: 'provider-state',
        value: { provider: 'acme.chat', reasoning: [{ length: 2, metadata: signature }], calls: { a: thought } },
      },
    ],
    toolCalls: [
      { id: 'a', name: 'look', args: '{"q":1}' },
      { id: 'b', name: 'find', args: '{}' },
      { id: 'c', name: 'whole', args: '{"w":2}' },
    ],
    meta: {
      usage: { inputTokens: 5, outputTokens: 7, reasoningTokens: 3, cachedInputTokens: 2 },
      finishReason: 'stop',
      metadata: { model: 'acme-1-b' },
    },
  })
})

test('without streaming the same content makes the same message, by one call', async () => {
  const content: LanguageModelV3Content[] = [
    { type: 'reasoning', text: 'hm', providerMetadata: signature },
    { type: 'text', text: 'Hi' },
    { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: '{"q":1}' },
  ]
  const { model, seen } = modelOf([], { content })
  const whole = await fromAiSdk(model, { streaming: false }).invoke('hi')
  const { model: streaming } = modelOf([
    { type: 'response-metadata', id: 'r1', modelId: 'acme-1-b' },
    { type: 'reasoning-start', id: '0' },
    { type: 'reasoning-delta', id: '0', delta: 'hm', providerMetadata: signature },
    { type: 'reasoning-end', id: '0' },
    ...said('Hi'),
    { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: '{"q":1}' },
    finish,
  ])
  expect(whole).toEqual(await fromAiSdk(streaming).invoke('hi'))
  expect(seen.options).toHaveLength(1)
})

test('a conversation is asked in the terms of the interface, with what the provider needs back', async () => {
  const { model, seen } = modelOf([...said('ok'), finish])
  const add = tool(({ a }) => a, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number() }) })
  const state = { provider: 'acme.chat', reasoning: [{ length: 2, metadata: signature }], calls: { c1: thought } }
  const conversation: Message[] = [
    { id: 's', role: 'system', content: 'be kind' },
    {
      id: 'u',
      role: 'user',
      content: 'look',
      parts: [
        { kind: 'text', text: 'look' },
        { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
        { kind: 'file', mediaType: 'application/pdf', url: 'https://example.test/a.pdf', name: 'a.pdf' },
        { kind: 'file', mediaType: 'text/csv', name: 'b.csv' },
      ],
    },
    {
      id: 'a',
      role: 'assistant',
      content: 'Let me',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'Let me' },
        { kind: 'data', name: 'provider-state', value: state },
      ],
      toolCalls: [
        { id: 'c1', name: 'add', args: '{"a":1}' },
        { id: 'c2', name: 'add', args: 'no json' },
      ],
    },
    { id: 't1', role: 'tool', toolCallId: 'c1', content: '1' },
    { id: 't2', role: 'tool', toolCallId: 'c2', content: 'Error' },
    { id: 't3', role: 'tool', toolCallId: 'stray', content: 'nobody asked' },
  ]
  await fromAiSdk(model, { call: { temperature: 0 } }).invoke(conversation, { tools: [add] })
  const [{ prompt, tools, toolChoice, temperature }] = seen.options as [LanguageModelV3CallOptions]
  const result = (toolCallId: string, value: string) => ({
    role: 'tool',
    content: [{ type: 'tool-result', toolCallId, toolName: 'add', output: { type: 'text', value } }],
  })
  expect(prompt).toEqual([
    { role: 'system', content: 'be kind' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'look' },
        { type: 'file', mediaType: 'image/png', data: 'aGk=' },
        { type: 'file', mediaType: 'application/pdf', data: new URL('https://example.test/a.pdf'), filename: 'a.pdf' },
        { type: 'text', text: '[Attached file: b.csv]' },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', providerOptions: signature },
        { type: 'text', text: 'Let me' },
        { type: 'tool-call', toolCallId: 'c1', toolName: 'add', input: { a: 1 }, providerOptions: thought },
        { type: 'tool-call', toolCallId: 'c2', toolName: 'add', input: {} },
      ],
    },
    result('c1', '1'),
    result('c2', 'Error'),
  ])
  expect(tools).toMatchObject([
    { type: 'function', name: 'add', description: 'Adds.', inputSchema: { type: 'object', required: ['a'] } },
  ])
  expect([toolChoice, temperature]).toEqual([{ type: 'auto' }, 0])
})

test('reasoning of another provider does not go back', async () => {
  const { model, seen } = modelOf([...said('ok'), finish])
  const state = { provider: 'other', reasoning: [{ length: 2, metadata: signature }] }
  const parts = [
    { kind: 'reasoning', text: 'hm' },
    { kind: 'data', name: 'provider-state', value: state },
  ] as const
  await fromAiSdk(model).invoke([{ role: 'assistant', content: 'x', parts }, 'hi'])
  expect(seen.options[0]?.prompt[0]).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'x' }] })
})

test('a request says which tool to call, and in what form to answer', async () => {
  const { model, seen } = modelOf([...said('{}'), finish])
  const look = tool(() => 1, { name: 'look', description: 'Looks.' })
  const responseFormat = { name: 'f', jsonSchema: { type: 'object' } }
  await fromAiSdk(model).invoke('hi', { tools: [look], toolChoice: 'required', responseFormat })
  const { model: other, seen: otherSeen } = modelOf([...said('{}'), finish])
  await fromAiSdk(other).invoke('hi', { tools: [look], toolChoice: { name: 'look' } })
  expect(seen.options[0]).toMatchObject({
    toolChoice: { type: 'required' },
    responseFormat: { type: 'json', name: 'f', schema: { type: 'object' } },
  })
  expect(otherSeen.options[0]?.toolChoice).toEqual({ type: 'tool', toolName: 'look' })
})

describe('the other versions of the interface', () => {
  test('2 says its counts and reasons directly', async () => {
    const model = {
      ...modelOf([]).model,
      specificationVersion: 'v2',
      doStream: async () => ({
        stream: new ReadableStream({
          start(controller) {
            controller.enqueue({ type: 'text-delta', id: '1', delta: 'Hi' })
            controller.enqueue({
              type: 'finish',
              finishReason: 'length',
              usage: {
                inputTokens: 1,
                outputTokens: 2,
                totalTokens: 3,
                reasoningTokens: 1,
                cachedInputTokens: undefined,
              },
            })
            controller.close()
          },
        }),
      }),
    } as unknown as LanguageModelV2
    expect((await fromAiSdk(model).invoke('hi')).meta).toEqual({
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, reasoningTokens: 1 },
      finishReason: 'length',
    })
  })

  test('4 says of files where their content is', async () => {
    const { model, seen } = modelOf([
      { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'aGk=' } as unknown as string },
      {
        type: 'file',
        mediaType: 'image/png',
        data: { type: 'url', url: new URL('https://example.test/b.png') } as unknown as string,
      },
      finish,
    ])
    const four: AiSdkModel = { ...model, specificationVersion: 'v4' }
    const parts = [
      { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
      { kind: 'image', mediaType: 'image/png', url: 'https://example.test/b.png' },
    ] as const
    expect((await fromAiSdk(four).invoke([{ role: 'user', content: '', parts }])).parts).toEqual(parts)
    expect(seen.options[0]?.prompt[0]?.content).toEqual([
      { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'aGk=' } },
      { type: 'file', mediaType: 'image/png', data: { type: 'url', url: new URL('https://example.test/b.png') } },
    ])
  })

  test('another is refused', () => {
    expect(() => fromAiSdk({ ...modelOf([]).model, specificationVersion: 'v9' })).toThrow(RivuletError)
  })
})

describe('an end before the end', () => {
  const failureOf = (model: AiSdkModel, signal?: AbortSignal) =>
    fromAiSdk(model)
      .invoke('hi', { signal })
      .then(
        () => undefined,
        (error: unknown) => error,
      )

  test('is a failure of the provider', async () => {
    const error = Object.assign(new Error('secret words'), { statusCode: 503, isRetryable: true })
    const { model } = modelOf([...said('Hal'), { type: 'error', error }])
    expect(await failureOf(model)).toMatchObject({
      code: 'PROVIDER_FAILED',
      message: 'The model answered with status 503.',
      retryable: true,
      cause: error,
    })
  })

  test('without a word is a failure too', async () => {
    expect(await failureOf(modelOf(said('Hal')).model)).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true })
  })

  test('is what has no content, without streaming', async () => {
    const model: AiSdkModel = { ...modelOf([]).model, doGenerate: () => Promise.resolve({}) }
    await expect(fromAiSdk(model, { streaming: false }).invoke('hi')).rejects.toMatchObject({ code: 'PROVIDER_FAILED' })
  })

  test('by a stop gives its reason, and the stream is let go', async () => {
    const stop = new AbortController()
    const { model } = modelOf(said('Hal'), { open: true })
    const chunks: MessageChunk[] = []
    const reading = async () => {
      for await (const chunk of fromAiSdk(model).stream('hi', { signal: stop.signal })) {
        chunks.push(chunk)
        stop.abort(new Error('stopped'))
      }
    }
    await expect(reading()).rejects.toThrow('stopped')
  })

  test('by leaving lets the stream go', async () => {
    const { model, seen } = modelOf(said('Hal'), { open: true })
    for await (const _ of fromAiSdk(model).stream('hi')) break
    expect(seen.cancelled).toBe(1)
  })
})
