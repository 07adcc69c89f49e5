import { tool } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { adapterContract } from '../../test/adapter-contract.ts'
import { providerServer, sse, writeStream } from '../../test/provider-server.ts'
import { anthropic } from './anthropic.ts'

const begun = (
  usage: object = { input_tokens: 5, cache_creation_input_tokens: 1, cache_read_input_tokens: 3, output_tokens: 1 },
) => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test-2026',
    content: [],
    stop_reason: null,
    usage,
  },
})
const start = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
const grew = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta })
const stop = (index: number) => ({ type: 'content_block_stop', index })
const ended = (stop_reason: string) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } },
  { type: 'message_stop' },
]

const citation = {
  type: 'char_location',
  cited_text: 'cited words',
  document_index: 0,
  document_title: 'A document',
  start_char_index: 3,
  end_char_index: 14,
}
const counted = { inputTokens: 9, outputTokens: 20, cachedInputTokens: 3 }
const meta = { usage: counted, finishReason: 'tool_use', metadata: { model: 'claude-test-2026' } }
const calls = [
  { id: 'toolu_1', name: 'look', args: '{"q": "Zürich"}' },
  { id: 'toolu_2', name: 'find', args: '' },
]
const blocks = [{ length: 7, signature: 'sig' }, { redacted: 'opaque' }]

adapterContract('messages', {
  model: (url) => anthropic('claude-test', { apiKey: 'secret', baseURL: url }),
  bodies: {
    whole: {
      body: sse([
        begun(),
        { type: 'ping' },
        start(0, { type: 'thinking', thinking: '', signature: '' }),
        grew(0, { type: 'thinking_delta', thinking: 'Let me' }),
        grew(0, { type: 'thinking_delta', thinking: '…' }),
        grew(0, { type: 'signature_delta', signature: 'sig' }),
        stop(0),
        start(1, { type: 'redacted_thinking', data: 'opaque' }),
        stop(1),
        start(2, { type: 'text', text: '' }),
        grew(2, { type: 'text_delta', text: 'Grüße ' }),
        grew(2, { type: 'citations_delta', citation }),
        grew(2, { type: 'text_delta', text: '😀' }),
        stop(2),
        start(3, { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }),
        grew(3, { type: 'input_json_delta', partial_json: '' }),
        grew(3, { type: 'input_json_delta', partial_json: '{"q": "Zür' }),
        grew(3, { type: 'input_json_delta', partial_json: 'ich"}' }),
        stop(3),
        start(4, { type: 'tool_use', id: 'toolu_2', name: 'find', input: {} }),
        stop(4),
        ...ended('tool_use'),
      ]),
      message: {
        role: 'assistant',
        content: 'Grüße 😀',
        parts: [
          { kind: 'reasoning', text: 'Let me…' },
          { kind: 'text', text: 'Grüße 😀' },
          { kind: 'data', name: 'citation', value: { title: 'A document', quote: 'cited words' } },
          { kind: 'data', name: 'provider-state', value: { provider: 'anthropic', blocks } },
        ],
        toolCalls: calls,
        meta,
      },
    },
    begun: sse([begun(), start(0, { type: 'text', text: '' }), grew(0, { type: 'text_delta', text: 'Hal' })]),
    error: sse([{ type: 'error', error: { type: 'overloaded_error', message: 'secret' } }]),
    json: {
      body: {
        ...begun().message,
        content: [
          { type: 'thinking', thinking: 'Let me…', signature: 'sig' },
          { type: 'redacted_thinking', data: 'opaque' },
          { type: 'text', text: 'Hello', citations: [citation] },
          { type: 'tool_use', id: 'toolu_1', name: 'look', input: { q: 1 } },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 5, cache_creation_input_tokens: 1, cache_read_input_tokens: 3, output_tokens: 20 },
      },
      message: {
        id: 'msg_1',
        role: 'assistant',
        content: 'Hello',
        parts: [
          { kind: 'reasoning', text: 'Let me…' },
          { kind: 'text', text: 'Hello' },
          { kind: 'data', name: 'citation', value: { title: 'A document', quote: 'cited words' } },
          { kind: 'data', name: 'provider-state', value: { provider: 'anthropic', blocks } },
        ],
        toolCalls: [{ id: 'toolu_1', name: 'look', args: '{"q":1}' }],
        meta,
      },
    },
    refused: { type: 'error', error: { type: 'x', message: 'secret' } },
  },
})

async function exchange(events: readonly object[], conversation: readonly (Message | string)[], options = {}) {
  const server = await providerServer((response) => writeStream(response, sse(events)))
  const message = await anthropic('claude-test', { apiKey: 'k', baseURL: server.url }).invoke(conversation, options)
  await server.close()
  return { message, request: server.requests[0]! }
}

test('what the provider did with tools of its own is data, and events of another time are let pass', async () => {
  const theirs = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
  const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
  const events = [
    begun(),
    { type: 'hologram' },
    start(0, theirs),
    grew(0, { type: 'input_json_delta', partial_json: '{"query": ' }),
    grew(0, { type: 'hologram_delta' }),
    grew(0, { type: 'input_json_delta', partial_json: '"x"}' }),
    stop(0),
    start(1, found),
    ...ended('end_turn'),
  ]
  const { message } = await exchange(events, ['hi'])
  expect(message.parts).toEqual([
    { kind: 'data', name: 'server_tool_use', value: { ...theirs, input: { query: 'x' } } },
    { kind: 'data', name: 'web_search_tool_result', value: found },
  ])
  expect(message).not.toHaveProperty('toolCalls')
})

test('without a key the error says where to put one, whenever the package asks for it', async () => {
  vi.stubEnv('ANTHROPIC_API_KEY', undefined)
  vi.stubEnv('ANTHROPIC_AUTH_TOKEN', undefined)
  const failure = anthropic('claude-test', { baseURL: 'http://127.0.0.1:1' }).invoke('hi')
  await expect(failure).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(/pass apiKey or set ANTHROPIC_API_KEY/),
  })
  vi.unstubAllEnvs()
})

test('a conversation is asked in turns, its thinking signed as it came', async () => {
  const add = tool(({ a }) => a, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number() }) })
  const asks: Message = {
    id: 'a',
    role: 'assistant',
    content: 'Yes',
    parts: [
      { kind: 'reasoning', text: 'Let me…' },
      { kind: 'text', text: 'Yes' },
      { kind: 'data', name: 'provider-state', value: { provider: 'anthropic', blocks } },
    ],
    toolCalls: [
      { id: 'toolu_1', name: 'add', args: '{"a":1}' },
      { id: 'toolu_2', name: 'add', args: 'no json' },
    ],
  }
  const conversation: Message[] = [
    { id: 's', role: 'system', content: 'be kind' },
    {
      id: 'u',
      role: 'user',
      content: 'look',
      parts: [
        { kind: 'text', text: 'look' },
        { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
        { kind: 'image', mediaType: 'image/png', url: 'https://example.test/a.png' },
        { kind: 'file', mediaType: 'application/pdf', data: 'aGk=', name: 'a.pdf' },
        { kind: 'file', mediaType: 'text/csv', data: 'aGk=', name: 'b.csv' },
      ],
    },
    asks,
    { id: 't1', role: 'tool', toolCallId: 'toolu_1', content: '1' },
    {
      id: 't2',
      role: 'tool',
      toolCallId: 'toolu_2',
      content: 'see',
      parts: [{ kind: 'image', mediaType: 'image/png', data: 'aGk=' }],
    },
    { id: 'u2', role: 'user', content: 'go on' },
    { id: 'o', role: 'assistant', content: ' ', parts: [{ kind: 'reasoning', text: 'of another provider' }] },
  ]
  const { request } = await exchange([begun(), ...ended('end_turn')], conversation, { tools: [add] })
  const base64 = { type: 'base64', media_type: 'image/png', data: 'aGk=' }
  expect(request.path).toBe('/v1/messages')
  expect(request.body).toEqual({
    model: 'claude-test',
    max_tokens: 4096,
    stream: true,
    system: 'be kind',
    tools: [
      {
        name: 'add',
        description: 'Adds.',
        input_schema: {
          type: 'object',
          properties: { a: { type: 'number' } },
          required: ['a'],
        },
      },
    ],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', source: base64 },
          { type: 'image', source: { type: 'url', url: 'https://example.test/a.png' } },
          { type: 'document', source: { ...base64, media_type: 'application/pdf' }, title: 'a.pdf' },
          { type: 'text', text: '[Attached file: b.csv]' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Let me…', signature: 'sig' },
          { type: 'redacted_thinking', data: 'opaque' },
          { type: 'text', text: 'Yes' },
          { type: 'tool_use', id: 'toolu_1', name: 'add', input: { a: 1 } },
          { type: 'tool_use', id: 'toolu_2', name: 'add', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: '1' },
          {
            type: 'tool_result',
            tool_use_id: 'toolu_2',
            content: [
              { type: 'text', text: 'see' },
              { type: 'image', source: base64 },
            ],
          },
          { type: 'text', text: 'go on' },
        ],
      },
    ],
  })
})

test.each([
  ['auto' as const, { type: 'auto' }],
  ['required' as const, { type: 'any' }],
  [{ name: 'look' }, { type: 'tool', name: 'look' }],
])('a request says which tool to call (%j), and in what form to answer', async (toolChoice, expected) => {
  const look = tool(() => 1, { name: 'look', description: 'Looks.' })
  const options = { tools: [look], toolChoice, responseFormat: { name: 'f', jsonSchema: { type: 'object' } } }
  const { request } = await exchange([begun(), ...ended('end_turn')], ['hi'], options)
  expect(request.body).toMatchObject({
    tool_choice: expected,
    output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
  })
})
