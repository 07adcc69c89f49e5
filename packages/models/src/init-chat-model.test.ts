import Anthropic from '@anthropic-ai/sdk'
import { RivuletError } from '@rivulet/protocol'
import OpenAI from 'openai'
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { providerServer, sse, writeJson, writeStream } from '../test/provider-server.ts'
import {
  anthropic,
  initChatModel,
  openai,
  type AnthropicClient,
  type AnthropicOptions,
  type OpenAiClient,
} from './index.ts'
import type { InitOptions } from './init-chat-model.ts'
import { missingPeer } from './missing-peer.ts'

afterEach(() => vi.unstubAllEnvs())

const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
})

describe('a model by its name', () => {
  test('is the one of its provider, with the options of that', async () => {
    const server = await providerServer((response, { path }) =>
      path.endsWith('/chat/completions')
        ? writeStream(response, sse([chunk({ content: 'chat' }, 'stop')]))
        : path.endsWith('/responses')
          ? writeStream(
              response,
              sse([{ type: 'response.output_text.delta', delta: 'responses' }, { type: 'response.completed' }]),
            )
          : writeJson(response, { content: [{ type: 'text', text: 'messages' }] }),
    )
    const options = { apiKey: 'k', baseURL: server.url, tags: ['joke'] }
    const chat = initChatModel('openai:gpt-test:free', options)
    expect([chat.name, (await chat.invoke('hi')).content]).toEqual(['gpt-test:free', 'chat'])
    expect((await initChatModel('openai-responses:o-test', options).invoke('hi')).content).toBe('responses')
    const claude = initChatModel('anthropic:claude-test', { ...options, maxTokens: 9, streaming: false })
    expect((await claude.invoke('hi')).content).toBe('messages')
    expect(server.requests.map(({ body }) => [body['model'], body['max_tokens']])).toEqual([
      ['gpt-test:free', undefined],
      ['o-test', undefined],
      ['claude-test', 9],
    ])
    await server.close()
  })

  test.each(['gpt-4o', 'openai:', ':x', 'acme:x', 'constructor:x'])(
    'that is "%s" is refused with what it may be',
    (name) => {
      expect(() => initChatModel(name)).toThrow(RivuletError)
      expect(() => initChatModel(name)).toThrow(/openai, openai-responses, anthropic/)
    },
  )

  test('takes the options of its provider', () => {
    expectTypeOf<InitOptions<'anthropic:x'>>().toEqualTypeOf<AnthropicOptions>()
    // @ts-expect-error -- that is an option of the other provider
    expect(initChatModel('openai:x', { maxTokens: 1 }).name).toBe('x')
  })
})

test('without a key the call fails with a sentence, and the next one looks again', async () => {
  vi.stubEnv('OPENAI_API_KEY', undefined)
  const model = openai('gpt-test', { baseURL: 'http://127.0.0.1:9' })
  await expect(model.invoke('hi')).rejects.toMatchObject({ code: 'INVALID_INPUT', message: /OPENAI_API_KEY/ })
  vi.stubEnv('OPENAI_API_KEY', 'k')
  await expect(model.invoke('hi')).rejects.toMatchObject({ code: 'PROVIDER_FAILED' })
})

test('a client of your own is used as it is', async () => {
  const asked: unknown[] = []
  const completions = {
    create: async (body: unknown) => {
      asked.push(body)
      return { choices: [{ message: { content: 'mine' } }] }
    },
  }
  const client = { chat: { completions }, responses: completions }
  const message = await openai('m', { client, streaming: false }).invoke('hi')
  expect([message.content, asked.length]).toEqual(['mine', 1])
  const messages = { create: async () => ({ content: [{ type: 'text', text: 'mine too' }] }) }
  expect((await anthropic('m', { client: { messages }, streaming: false }).invoke('hi')).content).toBe('mine too')
})

test('clients of the providers are clients that are taken', () => {
  expectTypeOf<OpenAI>().toExtend<OpenAiClient>()
  expectTypeOf<Anthropic>().toExtend<AnthropicClient>()
  const client = new OpenAI({ apiKey: 'k' })
  expect(openai('m', { client }).name).toBe('m')
  expect(anthropic('m', { client: new Anthropic({ apiKey: 'k' }) }).name).toBe('m')
})

test('a package that is missing, or broken, is named with how to install it', () => {
  const missing = Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' })
  const load = missingPeer('openai', 'openai()')
  expect(() => load(missing)).toThrow('openai() needs the package "openai", which is not installed: npm install openai')
  expect(() => load(new Error('boom'))).toThrow('could not be loaded (boom)')
})
