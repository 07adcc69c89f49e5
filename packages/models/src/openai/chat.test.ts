import { tool } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { adapterContract } from '../../test/adapter-contract.ts'
import { providerServer, sse, writeStream } from '../../test/provider-server.ts'
import { chatRequest } from './chat-request.ts'
import { openai, openaiCompatible } from './openai.ts'

const chunk = (rest: object) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'gpt-test-2026',
  system_fingerprint: 'fp',
  ...rest,
})
const delta = (given: object, finish_reason: string | null = null) =>
  chunk({ choices: [{ index: 0, delta: given, logprobs: null, finish_reason }], usage: null })
const call = (index: number, rest: object) => delta({ tool_calls: [{ index, ...rest }] })

const usage = {
  prompt_tokens: 9,
  completion_tokens: 12,
  total_tokens: 21,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 2, audio_tokens: 0 },
}
const counted = { inputTokens: 9, outputTokens: 12, totalTokens: 21, reasoningTokens: 2, cachedInputTokens: 4 }

adapterContract('chat completions', {
  model: (url) => openai('gpt-test', { apiKey: 'secret', baseURL: `${url}/v1` }),
  bodies: {
    whole: {
      body: sse(
        [
          delta({ role: 'assistant', content: '', refusal: null }),
          delta({ content: 'Grüße ' }),
          delta({ content: '😀, 世界' }),
          call(0, { id: 'c1', type: 'function', function: { name: 'look', arguments: '' } }),
          call(0, { function: { arguments: '{"q":' } }),
          call(1, { id: 'c2', type: 'function', function: { name: 'find', arguments: '' } }),
          call(0, { function: { arguments: '"Zür' } }),
          call(1, { function: { arguments: '{}' } }),
          call(0, { function: { arguments: 'ich"}' } }),
          delta({}, 'tool_calls'),
          chunk({ choices: [], usage }),
        ],
        { end: 'data: [DONE]\n\n' },
      ),
      message: {
        role: 'assistant',
        content: 'Grüße 😀, 世界',
        toolCalls: [
          { id: 'c1', name: 'look', args: '{"q":"Zürich"}' },
          { id: 'c2', name: 'find', args: '{}' },
        ],
        meta: { usage: counted, finishReason: 'tool_calls', metadata: { model: 'gpt-test-2026' } },
      },
    },
    begun: sse([delta({ role: 'assistant', content: '' }), delta({ content: 'Hal' })]),
    error: sse([{ error: { message: 'secret', type: 'server_error', code: null, param: null } }]),
    json: {
      body: {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        model: 'gpt-test-2026',
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: 'Hello',
              refusal: null,
              annotations: [
                {
                  type: 'url_citation',
                  url_citation: { url: 'https://example.test', title: 'T', start_index: 0, end_index: 5 },
                },
              ],
              tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
            },
            finish_reason: 'tool_calls',
          },
        ],
        usage,
      },
      message: {
        id: 'chatcmpl-1',
        role: 'assistant',
        content: 'Hello',
        parts: [
          { kind: 'text', text: 'Hello' },
          { kind: 'data', name: 'citation', value: { url: 'https://example.test', title: 'T', start: 0, end: 5 } },
        ],
        toolCalls: [{ id: 'c1', name: 'look', args: '{}' }],
        meta: { usage: counted, finishReason: 'tool_calls', metadata: { model: 'gpt-test-2026' } },
      },
    },
    refused: { error: { message: 'secret', type: 'x', code: null, param: null } },
  },
})

describe('what compatible servers add', () => {
  test('reasoning and images are parts', async () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/webp;base64,aGk=' } }
    const events = [
      delta({ role: 'assistant', reasoning_content: 'hm' }),
      delta({ reasoning: 'm' }),
      delta({ content: 'So', images: [image] }),
      delta({}, 'stop'),
    ]
    const server = await providerServer((response) => writeStream(response, sse(events)))
    const model = openaiCompatible({ model: 'm', baseURL: server.url })
    expect((await model.invoke('hi')).parts).toEqual([
      { kind: 'reasoning', text: 'hmm' },
      { kind: 'text', text: 'So' },
      { kind: 'image', mediaType: 'image/webp', data: 'aGk=' },
    ])
    expect(server.requests[0]?.headers.authorization).toBe('Bearer none')
    await server.close()
  })
})

describe('what other servers do otherwise', () => {
  const answerTo = async (events: readonly object[]) => {
    const server = await providerServer((response) => writeStream(response, sse(events)))
    const message = await openaiCompatible({ model: 'm', baseURL: server.url }).invoke('hi')
    await server.close()
    return message
  }

  test('a first chunk without an id does not take the id of the rest', async () => {
    const filters = { id: '', model: '', choices: [], prompt_filter_results: [] }
    const message = await answerTo([filters, delta({ content: 'Hi' }), delta({}, 'stop')])
    expect(message).toMatchObject({ id: 'chatcmpl-1', content: 'Hi', meta: { metadata: { model: 'gpt-test-2026' } } })
  })

  test('content may come in blocks, and arguments as an object', async () => {
    const thinking = [{ type: 'text', text: 'hm' }]
    const { content, parts, toolCalls } = await answerTo([
      delta({ content: [{ type: 'thinking', thinking }] }),
      delta({ content: [{ type: 'text', text: 'So' }] }),
      call(0, { id: 'c1', function: { name: 'look', arguments: { q: 1 } } }),
      delta({}, 'tool_calls'),
    ])
    expect({ content, parts, toolCalls }).toEqual({
      content: 'So',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'So' },
      ],
      toolCalls: [{ id: 'c1', name: 'look', args: '{"q":1}' }],
    })
  })

  test('calls may share an index and have no ids', async () => {
    const { toolCalls } = await answerTo([
      call(0, { function: { name: 'look', arguments: '{"q":1}' } }),
      call(0, { function: { name: 'find', arguments: '{' } }),
      call(0, { function: { arguments: '}' } }),
      delta({}, 'tool_calls'),
    ])
    expect(toolCalls?.map(({ name, args }) => [name, args])).toEqual([
      ['look', '{"q":1}'],
      ['find', '{}'],
    ])
  })
})

test('a request names the model, the tools with their schemas, the conversation and what the caller adds', async () => {
  const server = await providerServer((response) => writeStream(response, sse([delta({ content: 'ok' }, 'stop')])))
  const add = tool(({ a }) => a, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number() }) })
  const model = openai('m', { apiKey: 'k', baseURL: server.url, body: { temperature: 0, stream_options: null } })
  await model.invoke([{ role: 'system', content: 's' }, 'hi'], { tools: [add] })
  expect(server.requests[0]).toMatchObject({ path: '/chat/completions', headers: { authorization: 'Bearer k' } })
  expect(server.requests[0]?.body).toEqual({
    model: 'm',
    stream: true,
    stream_options: null,
    temperature: 0,
    messages: [
      { role: 'system', content: 's' },
      { role: 'user', content: 'hi' },
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: 'add',
          description: 'Adds.',
          parameters: {
            type: 'object',
            properties: { a: { type: 'number' } },
            required: ['a'],
          },
        },
      },
    ],
  })
  await server.close()
})

describe('a conversation as chat completions take it', () => {
  const user: Message = { id: 'u', role: 'user', content: 'hi' }
  const asks: Message = {
    id: 'a',
    role: 'assistant',
    content: '',
    toolCalls: [
      { id: 'c1', name: 'calculate', args: '{}' },
      { id: 'c2', name: 'search', args: '{"q":1}' },
    ],
  }
  const answer: Message = { id: 't', role: 'tool', toolCallId: 'c1', content: '1' }

  test('has calls and their answers', () => {
    const calls = [
      { id: 'c1', type: 'function', function: { name: 'calculate', arguments: '{}' } },
      { id: 'c2', type: 'function', function: { name: 'search', arguments: '{"q":1}' } },
    ]
    expect(
      chatRequest([user, asks, answer, { ...answer, toolCallId: 'c2' }, { ...asks, content: 'more' }], []),
    ).toEqual({
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: null, tool_calls: calls },
        { role: 'tool', tool_call_id: 'c1', content: '1' },
        { role: 'tool', tool_call_id: 'c2', content: '1' },
        { role: 'assistant', content: 'more', tool_calls: calls },
      ],
    })
  })

  test('leaves out an answer that nobody asked for, and a message that says nothing', () => {
    const silent: Message = { id: 'x', role: 'assistant', content: '', parts: [{ kind: 'reasoning', text: 'hm' }] }
    expect(chatRequest([user, silent, answer], [])).toEqual({ messages: [{ role: 'user', content: 'hi' }] })
  })

  test('has files as the API takes them, and names those it cannot take', () => {
    const parts = [
      { kind: 'text', text: 'hi' },
      { kind: 'image', mediaType: 'image/png', url: 'https://example.test/a.png' },
      { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
      { kind: 'audio', mediaType: 'audio/x-wav', data: 'aGk=' },
      { kind: 'file', mediaType: 'application/pdf', data: 'aGk=', name: 'a.pdf' },
      { kind: 'file', mediaType: 'text/csv', name: 'b.csv' },
      { kind: 'data', name: 'chart', value: 1 },
    ] as const
    expect(chatRequest([{ ...user, parts }], [])['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'image_url', image_url: { url: 'https://example.test/a.png' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          { type: 'input_audio', input_audio: { data: 'aGk=', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
          { type: 'text', text: '[Attached file: b.csv]' },
        ],
      },
    ])
  })

  test('names files behind the words where there is only text', () => {
    const parts = [{ kind: 'file', mediaType: 'text/csv', name: 'a.csv' }] as const
    const contents = [
      { ...user, parts },
      { ...user, content: '', parts },
    ].map((message) => chatRequest([message], [])['messages'])
    expect(chatRequest([asks, { ...answer, parts }, { ...answer, toolCallId: 'c2' }], [])).toMatchObject({
      messages: [{}, { role: 'tool', content: '1\n\n[Attached file: a.csv]' }, { role: 'tool', content: '1' }],
    })
    expect(contents).toEqual([
      [{ role: 'user', content: 'hi\n\n[Attached file: a.csv]' }],
      [{ role: 'user', content: '[Attached file: a.csv]' }],
    ])
  })
})

test('a request says which tool to call, and in what form to answer', async () => {
  const server = await providerServer((response) => writeStream(response, sse([delta({ content: '{}' }, 'stop')])))
  const model = openai('m', { apiKey: 'k', baseURL: server.url })
  const look = tool(() => 1, { name: 'look', description: 'Looks.' })
  const jsonSchema = { $schema: 'x', type: 'object' }
  await model.invoke('hi', { tools: [look], toolChoice: 'required', responseFormat: { name: 'f', jsonSchema } })
  await model.invoke('hi', { tools: [look], toolChoice: { name: 'look' } })
  await model.invoke('hi', { toolChoice: 'required' })
  expect(server.requests.map(({ body }) => [body['tool_choice'], body['response_format']])).toEqual([
    ['required', { type: 'json_schema', json_schema: { name: 'f', schema: { type: 'object' } } }],
    [{ type: 'function', function: { name: 'look' } }, undefined],
    [undefined, undefined],
  ])
  await server.close()
})
