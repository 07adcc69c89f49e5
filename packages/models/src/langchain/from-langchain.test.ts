import { tool } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fromLangChain, type LangChainModel } from './from-langchain.ts'

interface Seen {
  asked: unknown[]
  tools: unknown[]
  closed: boolean
}

/** A model with the methods of LangChain's, that says these chunks; `endless` leaves its stream open behind them. */
function modelOf(
  chunks: readonly object[],
  { endless = false, whole = {} }: { endless?: boolean; whole?: object } = {},
) {
  const seen: Seen = { asked: [], tools: [], closed: false }
  async function* say(signal: AbortSignal | undefined) {
    try {
      for (const chunk of chunks) yield chunk
      if (endless) await stopOf(signal!)
    } finally {
      seen.closed = true
    }
  }
  const model = {
    model: 'lc-1',
    bindTools: (tools: readonly unknown[]): LangChainModel => {
      seen.tools.push(...tools)
      return model
    },
    stream: async (messages: unknown, options: { signal?: AbortSignal } = {}) => {
      seen.asked.push(messages)
      return say(options.signal)
    },
    invoke: async (messages: unknown) => {
      seen.asked.push(messages)
      return whole
    },
  }
  return { model, seen }
}

const stopOf = (signal: AbortSignal) =>
  new Promise((_resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })

/** The same without a name and without tools. */
function plainOf(): LangChainModel {
  const { stream, invoke } = modelOf([]).model
  return { stream, invoke }
}

test('chunks add up to a message, their counts and the text of calls added', async () => {
  const { model } = modelOf([
    {
      id: 'run-1',
      content: '',
      usage_metadata: { input_tokens: 5, output_tokens: 1, total_tokens: 6, input_token_details: { cache_read: 2 } },
    },
    { id: 'run-1', content: '', additional_kwargs: { reasoning_content: 'hm' } },
    { id: 'run-1', content: 'Grü' },
    {
      id: 'run-1',
      content: [
        { type: 'text', text: 'ße', index: 0 },
        { type: 'thinking', thinking: '…' },
      ],
    },
    {
      id: 'run-1',
      content: '',
      tool_call_chunks: [{ index: 0, id: 'a', name: 'look', args: '{"q"' }],
      tool_calls: [],
      invalid_tool_calls: [{}],
    },
    { id: 'run-1', content: '', tool_call_chunks: [{ index: 1, id: 'b', name: 'find', args: '{}' }] },
    { id: 'run-1', content: '', tool_call_chunks: [{ index: 0, args: ':1}' }] },
    {
      id: 'run-1',
      content: '',
      usage_metadata: { input_tokens: 0, output_tokens: 6, total_tokens: 6, output_token_details: { reasoning: 3 } },
    },
    { id: 'run-1', content: '', response_metadata: { finish_reason: 'tool_calls', model_name: 'lc-1-b' } },
  ])
  expect(await fromLangChain(model).invoke('hi')).toEqual({
    id: 'run-1',
    role: 'assistant',
    content: 'Grüße',
    parts: [
      { kind: 'reasoning', text: 'hm' },
      { kind: 'text', text: 'Grü' },
      { kind: 'reasoning', text: '…' },
      { kind: 'text', text: 'ße' },
    ],
    toolCalls: [
      { id: 'a', name: 'look', args: '{"q":1}' },
      { id: 'b', name: 'find', args: '{}' },
    ],
    meta: {
      usage: { inputTokens: 5, outputTokens: 7, totalTokens: 12, cachedInputTokens: 2, reasoningTokens: 3 },
      finishReason: 'tool_calls',
      metadata: { model: 'lc-1-b' },
    },
  })
})

test('a model that does not stream its calls has them whole, as without streaming', async () => {
  const whole = { id: 'm', content: 'x', tool_calls: [{ id: 'a', name: 'look', args: { q: 1 }, type: 'tool_call' }] }
  const expected = { id: 'm', content: 'x', toolCalls: [{ id: 'a', name: 'look', args: '{"q":1}' }] }
  expect(await fromLangChain(modelOf([whole]).model).invoke('hi')).toMatchObject(expected)
  const { model } = modelOf([], { whole })
  expect(await fromLangChain(model, { streaming: false }).invoke('hi')).toMatchObject(expected)
})

test('files of any version of its blocks are parts, and a call with arguments that are no JSON has them as text', async () => {
  const whole = {
    content: [
      { type: 'image', mimeType: 'image/png', data: 'aGk=' },
      { type: 'audio', mime_type: 'audio/wav', data: new Uint8Array([104, 105]) },
      { type: 'file', url: 'https://example.test/a' },
      { type: 'file', fileId: 'elsewhere' },
    ],
    invalid_tool_calls: [{ id: 'a', name: 'look', args: '{"q"', error: 'malformed' }],
  }
  const { parts, toolCalls } = await fromLangChain(modelOf([whole]).model).invoke('hi')
  expect(parts).toEqual([
    { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
    { kind: 'audio', mediaType: 'audio/wav', data: 'aGk=' },
    { kind: 'file', mediaType: 'application/octet-stream', url: 'https://example.test/a' },
  ])
  expect(toolCalls).toEqual([{ id: 'a', name: 'look', args: '{"q"' }])
})

test('a conversation is asked as messages that LangChain reads, with tools bound', async () => {
  const { model, seen } = modelOf([{ content: 'ok' }])
  const add = tool(({ a }) => a, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number() }) })
  const parts = [
    { kind: 'text', text: 'look' },
    { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
    { kind: 'file', mediaType: 'application/pdf', data: 'aGk=', name: 'a.pdf' },
  ] as const
  const conversation: Message[] = [
    { id: 's', role: 'system', content: 'be kind' },
    { id: 'u', role: 'user', content: 'look', parts },
    { id: 'a', role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'add', args: '{"a":1}' }] },
    { id: 't', role: 'tool', toolCallId: 'c1', content: '1', name: 'add' },
  ]
  await fromLangChain(model).invoke(conversation, { tools: [add] })
  expect(seen.asked).toEqual([
    [
      { type: 'system', id: 's', content: 'be kind' },
      {
        type: 'human',
        id: 'u',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          {
            type: 'file',
            source_type: 'base64',
            mime_type: 'application/pdf',
            data: 'aGk=',
            metadata: { filename: 'a.pdf' },
          },
        ],
      },
      { type: 'ai', id: 'a', content: '', tool_calls: [{ type: 'tool_call', id: 'c1', name: 'add', args: { a: 1 } }] },
      { type: 'tool', id: 't', content: '1', tool_call_id: 'c1', name: 'add' },
    ],
  ])
  expect(seen.tools).toMatchObject([{ type: 'function', function: { name: 'add', parameters: { required: ['a'] } } }])
})

describe('an end before the end', () => {
  test('by a stop gives its reason', async () => {
    const stop = new AbortController()
    const { model, seen } = modelOf([{ content: 'Hal' }], { endless: true })
    const reading = async () => {
      for await (const _ of fromLangChain(model).stream('hi', { signal: stop.signal })) stop.abort(new Error('stopped'))
    }
    await expect(reading()).rejects.toThrow('stopped')
    expect(seen.closed).toBe(true)
  })

  test('by leaving closes the stream', async () => {
    const { model, seen } = modelOf([{ content: 'a' }, { content: 'b' }])
    for await (const _ of fromLangChain(model).stream('hi')) break
    expect(seen.closed).toBe(true)
  })

  test('by an error is a failure of the provider', async () => {
    const cause = Object.assign(new Error('secret'), { status: 429 })
    const failing: LangChainModel = {
      stream: () => Promise.reject(cause),
      invoke: () => Promise.reject(cause),
    }
    await expect(fromLangChain(failing).invoke('hi')).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
      cause,
    })
  })

  test('without a word, or with no message, is a failure too', async () => {
    const nothing: LangChainModel = { stream: modelOf([]).model.stream, invoke: () => Promise.resolve(undefined) }
    for (const streaming of [true, false]) {
      const failure = fromLangChain(nothing, { streaming }).invoke('hi')
      await expect(failure).rejects.toMatchObject({ code: 'PROVIDER_FAILED' })
    }
  })

  test('is at once when there are tools and the model takes none', async () => {
    const look = tool(() => 1, { name: 'look', description: 'looks' })
    await expect(fromLangChain(plainOf()).invoke('hi', { tools: [look] })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
  })
})

test('it is named after its model, where that has a name', () => {
  expect(fromLangChain(modelOf([]).model).name).toBe('lc-1')
  expect(fromLangChain(plainOf()).name).toBe('langchain')
})
