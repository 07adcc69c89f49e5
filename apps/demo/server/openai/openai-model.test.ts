import { tool, type MessageChunk } from '@rivulet/core'
import { RivuletError, type Message } from '@rivulet/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  chatServer,
  writeChunks,
  writeError,
  type ChatHandler,
  type ChatServer,
} from '../../test/chat-completions-server.ts'
import { openAiModel } from './openai-model.ts'

let server: ChatServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

const serve = async (handler: ChatHandler) => {
  server = await chatServer(handler)
  return openAiModel({ apiKey: 'secret-key', name: 'test-model', baseURL: server.url })
}

const hi: Message = { id: 'u', role: 'user', content: 'hi' }

async function collect(chunks: AsyncIterable<MessageChunk>): Promise<MessageChunk[]> {
  const all: MessageChunk[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

const failureOf = async (chunks: AsyncIterable<MessageChunk>): Promise<RivuletError> => {
  const error: unknown = await collect(chunks).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof RivuletError)) throw new Error(`not an error of ours: ${String(error)}`)
  return error
}

test('text arrives piece by piece, with usage and the reason of the end', async () => {
  const model = await serve((_, response) =>
    writeChunks(response, [
      { delta: { role: 'assistant', content: '' } },
      { delta: { content: 'Hel' } },
      { delta: { content: 'lo 🙂' } },
      { finish_reason: 'stop' },
      { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
    ]),
  )
  expect(await collect(model.stream([hi]))).toEqual([
    { content: 'Hel' },
    { content: 'lo 🙂' },
    { finishReason: 'stop' },
    { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } },
  ])
})

test('tool calls arrive by index, their arguments in pieces', async () => {
  const call = (index: number, rest: object) => ({ delta: { tool_calls: [{ index, ...rest }] } })
  const model = await serve((_, response) =>
    writeChunks(response, [
      call(0, { id: 'c1', type: 'function', function: { name: 'calculate', arguments: '' } }),
      call(0, { function: { arguments: '{"expression"' } }),
      call(1, { id: 'c2', type: 'function', function: { name: 'search_docs', arguments: '{}' } }),
      call(0, { function: { arguments: ':"1+1"}' } }),
      { finish_reason: 'tool_calls' },
    ]),
  )
  const { toolCalls } = await model.invoke([hi])
  expect(toolCalls).toEqual([
    { id: 'c1', name: 'calculate', args: '{"expression":"1+1"}' },
    { id: 'c2', name: 'search_docs', args: '{}' },
  ])
})

test('the request names the model, the tools with their schemas and the conversation', async () => {
  const model = await serve((_, response) =>
    writeChunks(response, [{ delta: { content: 'ok' } }, { finish_reason: 'stop' }]),
  )
  const add = tool(({ a }) => a, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number() }) })
  await model.invoke([hi], { tools: [add] })
  expect(server?.requests[0]).toMatchObject({
    model: 'test-model',
    stream: true,
    messages: [{ role: 'system' }, { role: 'user', content: 'hi' }],
    tools: [
      {
        type: 'function',
        function: { name: 'add', description: 'Adds.', parameters: { type: 'object', required: ['a'] } },
      },
    ],
  })
})

describe('failures are errors in words, without what the provider said', () => {
  test.each([
    [401, /check OPENAI_API_KEY/, false],
    [404, /check OPENAI_MODEL/, false],
    [400, /did not accept/, false],
    [429, /busy/, true],
    [503, /status 503/, true],
  ])('status %i', async (status, sentence, retryable) => {
    const model = await serve((_, response) => writeError(response, status, 'key secret-key is wrong'))
    const error = await failureOf(model.stream([hi]))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable })
    expect(error.message).toMatch(sentence)
    expect(JSON.stringify(error)).not.toContain('secret-key')
    expect(server?.requests).toHaveLength(1)
  })

  test('a server that is not there', async () => {
    const model = await serve(() => {})
    await server?.close()
    const error = await failureOf(model.stream([hi]))
    expect(error).toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
      message: expect.stringMatching(/cannot be reached/),
    })
  })

  test('an error in the middle of the stream', async () => {
    const model = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end('data: {"error":{"message":"overloaded secret-key"}}\n\n')
    })
    const error = await failureOf(model.stream([hi]))
    expect(error).toMatchObject({
      code: 'PROVIDER_FAILED',
      message: 'The model reported an error in the middle of its answer.',
    })
  })

  test('a body that ends before the answer does', async () => {
    const model = await serve((_, response) => writeChunks(response, [{ delta: { content: 'Hal' } }], { end: false }))
    const error = await failureOf(model.stream([hi]))
    expect(error).toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
      message: expect.stringMatching(/ended before/),
    })
  })

  test('a page instead of a stream', async () => {
    const model = await serve(
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    )
    expect(await failureOf(model.stream([hi]))).toMatchObject({ code: 'PROVIDER_FAILED' })
  })
})

test('an abort ends the request, and its reason is thrown', async () => {
  let closed: Promise<void> | undefined
  const model = await serve((_, response) => {
    closed = new Promise((resolve) => response.once('close', resolve))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"choices":[{"index":0,"delta":{"content":"Hal"}}]}\n\n')
  })
  const stop = new AbortController()
  const heard: MessageChunk[] = []
  const listen = async (): Promise<void> => {
    for await (const chunk of model.stream([hi], { signal: stop.signal })) {
      heard.push(chunk)
      stop.abort(new Error('stopped'))
    }
  }
  await expect(listen()).rejects.toThrow('stopped')
  expect(heard).toEqual([{ content: 'Hal' }])
  await closed
})

test('an abort before the first byte throws its reason', async () => {
  const stop = new AbortController()
  const model = await serve(() => stop.abort(new Error('stopped')))
  await expect(collect(model.stream([hi], { signal: stop.signal }))).rejects.toThrow('stopped')
})
