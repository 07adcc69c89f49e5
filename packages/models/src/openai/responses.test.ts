import { tool } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { adapterContract } from '../../test/adapter-contract.ts'
import { providerServer, sse, writeStream } from '../../test/provider-server.ts'
import { openai } from './openai.ts'

const usage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 21,
}
const counted = { inputTokens: 9, outputTokens: 12, totalTokens: 21, reasoningTokens: 2, cachedInputTokens: 4 }

const response = (rest: object) => ({ id: 'resp_1', object: 'response', model: 'o-test-2026', error: null, ...rest })
const begin = [
  { type: 'response.created', response: response({ status: 'in_progress', output: [] }) },
  { type: 'response.in_progress', response: response({ status: 'in_progress', output: [] }) },
]
const reasoning = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [
    { type: 'summary_text', text: 'First' },
    { type: 'summary_text', text: 'then' },
  ],
  encrypted_content: 'enc',
}
const annotation = { type: 'url_citation', url: 'https://example.test', title: 'T', start_index: 0, end_index: 5 }
const text = { type: 'output_text', text: 'Grüße 😀', annotations: [annotation] }
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [text] }
const look = {
  id: 'fc_1',
  type: 'function_call',
  call_id: 'c1',
  name: 'look',
  arguments: '{"q":"Zürich"}',
  status: 'completed',
}
const find = { id: 'fc_2', type: 'function_call', call_id: 'c2', name: 'find', arguments: '{}', status: 'completed' }
const image = { id: 'ig_1', type: 'image_generation_call', status: 'completed', result: 'aGk=', output_format: 'webp' }
const output = [reasoning, message, look, find, image]

const summed = (summary_index: number, delta: string) => [
  {
    type: 'response.reasoning_summary_part.added',
    item_id: 'rs_1',
    output_index: 0,
    summary_index,
    part: { type: 'summary_text', text: '' },
  },
  { type: 'response.reasoning_summary_text.delta', item_id: 'rs_1', output_index: 0, summary_index, delta },
  { type: 'response.reasoning_summary_text.done', item_id: 'rs_1', output_index: 0, summary_index, text: delta },
]
const grew = (output_index: number, delta: string) => ({
  type: 'response.function_call_arguments.delta',
  output_index,
  delta,
})

const whole: Omit<Message, 'id'> = {
  role: 'assistant',
  content: 'Grüße 😀',
  parts: [
    { kind: 'reasoning', text: 'First\n\nthen' },
    { kind: 'text', text: 'Grüße 😀' },
    { kind: 'data', name: 'citation', value: { url: 'https://example.test', title: 'T', start: 0, end: 5 } },
    { kind: 'image', mediaType: 'image/webp', data: 'aGk=' },
    { kind: 'data', name: 'provider-state', value: { provider: 'openai-responses', items: [reasoning] } },
  ],
  toolCalls: [
    { id: 'c1', name: 'look', args: '{"q":"Zürich"}' },
    { id: 'c2', name: 'find', args: '{}' },
  ],
  meta: { usage: counted, finishReason: 'tool_calls', metadata: { model: 'o-test-2026' } },
}

adapterContract('responses', {
  model: (url) => openai('o-test', { api: 'responses', apiKey: 'secret', baseURL: `${url}/v1` }),
  bodies: {
    whole: {
      body: sse([
        ...begin,
        {
          type: 'response.output_item.added',
          output_index: 0,
          item: { ...reasoning, summary: [], encrypted_content: '' },
        },
        ...summed(0, 'First'),
        ...summed(1, 'then'),
        { type: 'response.output_item.done', output_index: 0, item: reasoning },
        { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
        { type: 'response.content_part.added', output_index: 1, content_index: 0, part: { ...text, text: '' } },
        { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'Grü' },
        { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'ße 😀' },
        { type: 'response.output_text.annotation.added', output_index: 1, annotation_index: 0, annotation },
        { type: 'response.output_text.done', output_index: 1, content_index: 0, text: 'Grüße 😀' },
        { type: 'response.output_item.done', output_index: 1, item: message },
        { type: 'response.output_item.added', output_index: 2, item: { ...look, arguments: '' } },
        grew(2, '{"q":'),
        { type: 'response.output_item.added', output_index: 3, item: { ...find, arguments: '' } },
        grew(2, '"Zürich"}'),
        { type: 'response.function_call_arguments.done', output_index: 2, arguments: look.arguments },
        { type: 'response.function_call_arguments.done', output_index: 3, arguments: '{}' },
        { type: 'response.output_item.done', output_index: 2, item: look },
        { type: 'response.output_item.done', output_index: 3, item: find },
        { type: 'response.output_item.done', output_index: 4, item: image },
        { type: 'response.completed', response: response({ status: 'completed', output, usage }) },
      ]),
      message: { id: expect.any(String) as string, ...whole },
    },
    begun: sse([...begin, { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hal' }]),
    error: sse([{ type: 'error', code: 'server_error', message: 'secret', param: null }]),
    json: { body: response({ status: 'completed', output, usage }), message: { ...whole, id: 'resp_1' } },
    refused: { error: { message: 'secret', type: 'x', code: null, param: null } },
  },
})

async function answerTo(events: readonly object[]) {
  const server = await providerServer((answer) => writeStream(answer, sse(events)))
  const model = openai('o-test', { api: 'responses', apiKey: 'k', baseURL: server.url })
  const result = await model.invoke('hi').catch((error: unknown) => error)
  await server.close()
  return result
}

test('a response that is incomplete says why', async () => {
  const details = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage }
  const events = [...begin, { type: 'response.incomplete', response: response(details) }]
  expect(await answerTo(events)).toMatchObject({
    content: '',
    meta: { finishReason: 'max_output_tokens', usage: counted },
  })
})

test.each([
  ['rate_limit_exceeded', true],
  ['invalid_prompt', false],
])('a response that failed with %s may be tried again: %s', async (code, retryable) => {
  const error = { code, message: 'secret' }
  const failed = { type: 'response.failed', response: { ...response({ status: 'failed' }), error } }
  expect(await answerTo([...begin, failed])).toMatchObject({ code: 'PROVIDER_FAILED', retryable, cause: error })
})

test('a refusal is text, and events of another time are let pass', async () => {
  const events = [
    ...begin,
    { type: 'response.hologram.delta', delta: 'x' },
    { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: 'I cannot' },
    { type: 'response.completed', response: response({ status: 'completed' }) },
  ]
  expect(await answerTo(events)).toMatchObject({ content: 'I cannot', meta: { finishReason: 'stop' } })
})

test('what the provider did with tools of its own is data', async () => {
  const search = { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'x' } }
  const events = [
    ...begin,
    { type: 'response.output_item.added', output_index: 0, item: { ...search, status: 'in_progress' } },
    { type: 'response.web_search_call.searching', output_index: 0, item_id: 'ws_1' },
    { type: 'response.output_item.done', output_index: 0, item: search },
    { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'Found' },
    { type: 'response.completed', response: response({ status: 'completed' }) },
  ]
  const answer = await answerTo(events)
  expect(answer).toMatchObject({
    content: 'Found',
    parts: [
      { kind: 'text', text: 'Found' },
      { kind: 'data', name: 'web_search_call', value: search },
    ],
  })
  expect(answer).not.toHaveProperty('toolCalls')
})

test('a conversation is asked as items, its reasoning as it came', async () => {
  const ok = [...begin, { type: 'response.completed', response: response({ status: 'completed' }) }]
  const server = await providerServer((answer) => writeStream(answer, sse(ok)))
  const add = tool(({ a }) => a, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number() }) })
  const named = { ...reasoning, id: 'rs_2', encrypted_content: undefined }
  const state = { provider: 'openai-responses', items: [reasoning, named] }
  const conversation: Message[] = [
    { id: 's', role: 'system', content: 'be kind' },
    {
      id: 'u',
      role: 'user',
      content: 'look',
      parts: [
        { kind: 'text', text: 'look' },
        { kind: 'image', mediaType: 'image/png', data: 'aGk=' },
        { kind: 'file', mediaType: 'application/pdf', data: 'aGk=', name: 'a.pdf' },
        { kind: 'file', mediaType: 'application/pdf', url: 'https://example.test/b.pdf' },
        { kind: 'audio', mediaType: 'audio/wav', data: 'aGk=', name: 'c.wav' },
      ],
    },
    {
      id: 'a',
      role: 'assistant',
      content: 'Let me',
      parts: [
        { kind: 'text', text: 'Let me' },
        { kind: 'data', name: 'provider-state', value: state },
      ],
      toolCalls: [{ id: 'c1', name: 'add', args: '{"a":1}' }],
    },
    { id: 't', role: 'tool', toolCallId: 'c1', content: '1' },
    {
      id: 'b',
      role: 'assistant',
      content: '',
      toolCalls: [{ id: 'c2', name: 'add', args: '{}' }],
    },
    {
      id: 'i',
      role: 'tool',
      toolCallId: 'c2',
      content: 'a chart',
      parts: [{ kind: 'image', mediaType: 'image/png', data: 'aGk=' }],
    },
  ]
  const options = { api: 'responses', apiKey: 'k', baseURL: server.url } as const
  await openai('o-test', options).invoke(conversation, { tools: [add] })
  await openai('o-test', { ...options, body: { store: false } }).invoke(conversation)
  const [first, second] = server.requests.map(({ body }) => body)
  const behind = [
    { role: 'assistant', content: 'Let me' },
    { type: 'function_call', call_id: 'c1', name: 'add', arguments: '{"a":1}' },
    { type: 'function_call_output', call_id: 'c1', output: '1' },
    { type: 'function_call', call_id: 'c2', name: 'add', arguments: '{}' },
    {
      type: 'function_call_output',
      call_id: 'c2',
      output: [
        { type: 'input_text', text: 'a chart' },
        { type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'auto' },
      ],
    },
  ]
  const before = [
    { role: 'system', content: 'be kind' },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'look' },
        { type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'auto' },
        { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' },
        { type: 'input_file', file_url: 'https://example.test/b.pdf' },
        { type: 'input_text', text: '[Attached file: c.wav]' },
      ],
    },
  ]
  expect(first).toMatchObject({
    model: 'o-test',
    stream: true,
    tools: [{ type: 'function', name: 'add', strict: false }],
  })
  expect(first?.['input']).toEqual([...before, reasoning, JSON.parse(JSON.stringify(named)), ...behind])
  expect(second?.['input']).toEqual([...before, reasoning, ...behind])
  await server.close()
})

test('a request says which tool to call, and in what form to answer', async () => {
  const ok = [...begin, { type: 'response.completed', response: response({ status: 'completed' }) }]
  const server = await providerServer((answer) => writeStream(answer, sse(ok)))
  const model = openai('o-test', { api: 'responses', apiKey: 'k', baseURL: server.url })
  const look = tool(() => 1, { name: 'look', description: 'Looks.' })
  await model.invoke('hi', {
    tools: [look],
    toolChoice: 'none',
    responseFormat: { name: 'f', jsonSchema: { type: 'object' } },
  })
  await model.invoke('hi', { tools: [look], toolChoice: { name: 'look' } })
  expect(server.requests.map(({ body }) => [body['tool_choice'], body['text']])).toEqual([
    ['none', { format: { type: 'json_schema', name: 'f', schema: { type: 'object' }, strict: false } }],
    [{ type: 'function', name: 'look' }, undefined],
  ])
  await server.close()
})
