import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RivuletError } from '../errors.ts'
import type { Message } from './message.ts'
import { normalizeMessage } from './normalize.ts'

const made = (): string => 'made'
/** The message, or the typed error; anything else that is thrown fails the test. */
function attempt(input: unknown): Message | RivuletError {
  try {
    return normalizeMessage(input, made)
  } catch (error) {
    if (error instanceof RivuletError) return error
    throw error
  }
}
const read = (input: unknown): unknown => normalizeMessage(input, made)

describe('our own messages', () => {
  test('a string is what the user says', () => {
    expect(read('hello')).toEqual({ id: 'made', role: 'user', content: 'hello' })
  })

  test('a whole message comes out equal, as a copy', () => {
    const message = {
      id: 'a1',
      role: 'assistant',
      content: 'see',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'see' },
        { kind: 'image', mediaType: 'image/png', data: 'AAAA', name: 'cat.png' },
        { kind: 'file', mediaType: 'text/csv', url: 'https://example.org/a.csv' },
        { kind: 'data', name: 'chart', value: { x: [1, 2] } },
      ],
      toolCalls: [{ id: 'c1', name: 'search', args: '{"q":1' }],
      name: 'helper',
      status: 'cut',
      meta: { node: 'agent', usage: { inputTokens: 1 } },
    }
    const out = normalizeMessage(message, made)
    expect(out).toEqual(message)
    expect(out.parts?.[4]).not.toBe(message.parts[4])
    expect(out.meta).not.toBe(message.meta)
  })

  test('an id is made where there is none, and kept where there is one', () => {
    expect(read({ role: 'user', content: 'a' })).toEqual({ id: 'made', role: 'user', content: 'a' })
    expect(read({ id: 'mine', role: 'user', content: 'a' })).toMatchObject({ id: 'mine' })
  })

  test('content is read from the parts when it is missing', () => {
    const parts = [
      { kind: 'reasoning', text: 'hm' },
      { kind: 'text', text: 'so' },
    ]
    expect(read({ role: 'assistant', parts })).toMatchObject({ content: 'so', parts })
  })

  test('parts that are only text are left out', () => {
    expect(read({ role: 'user', parts: [{ kind: 'text', text: 'a' }] })).toEqual({
      id: 'made',
      role: 'user',
      content: 'a',
    })
  })

  test('a message that was streaming when it was kept is whole now', () => {
    expect(read({ id: 'a', role: 'assistant', content: 'x', status: 'streaming' })).not.toHaveProperty('status')
  })
})

describe('OpenAI chat messages', () => {
  test('the developer is the system', () => {
    expect(read({ role: 'developer', content: 'be brief' })).toEqual({
      id: 'made',
      role: 'system',
      content: 'be brief',
    })
  })

  test('calls keep their arguments as text, and content may be null', () => {
    expect(
      read({
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a": 1}' } }],
      }),
    ).toEqual({ id: 'made', role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'add', args: '{"a": 1}' }] })
  })

  test('a tool answers its call', () => {
    expect(read({ role: 'tool', tool_call_id: 'c1', content: '3' })).toEqual({
      id: 'made',
      role: 'tool',
      content: '3',
      toolCallId: 'c1',
    })
  })

  test('content parts become parts', () => {
    expect(
      read({
        role: 'user',
        content: [
          { type: 'text', text: 'what is ' },
          { type: 'text', text: 'this?' },
          { type: 'image_url', image_url: { url: 'https://example.org/cat.png' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'input_audio', input_audio: { data: 'BBBB', format: 'wav' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,CCCC', filename: 'a.pdf' } },
          { type: 'file', file: { file_id: 'file-1' } },
        ],
      }),
    ).toEqual({
      id: 'made',
      role: 'user',
      content: 'what is this?',
      parts: [
        { kind: 'text', text: 'what is ' },
        { kind: 'text', text: 'this?' },
        { kind: 'image', mediaType: 'image/*', url: 'https://example.org/cat.png' },
        { kind: 'image', mediaType: 'image/png', data: 'AAAA' },
        { kind: 'audio', mediaType: 'audio/wav', data: 'BBBB' },
        { kind: 'file', mediaType: 'application/pdf', data: 'CCCC', name: 'a.pdf' },
        { kind: 'data', name: 'file', value: { file_id: 'file-1' } },
      ],
    })
  })
})

describe('LangChain messages', () => {
  /** As LangChain's classes look from outside. */
  class Instance {
    readonly kind: string
    readonly lc_namespace = ['langchain_core', 'messages']
    readonly content: unknown
    constructor(kind: string, fields: object) {
      this.kind = kind
      Object.assign(this, fields)
    }
    getType(): string {
      return this.kind
    }
  }

  test('an instance is known by its type', () => {
    expect(read(new Instance('human', { content: 'hi', id: 'h1' }))).toEqual({ id: 'h1', role: 'user', content: 'hi' })
  })

  test('an instance of an older version is known too', () => {
    expect(read({ _getType: () => 'system', content: 'be brief' })).toMatchObject({ role: 'system' })
  })

  test('a dict with calls, usage and model', () => {
    expect(
      read({
        type: 'ai',
        id: 'run-1',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'calling' },
          { type: 'tool_use', id: 'c1', name: 'add', input: { a: 1 } },
        ],
        tool_calls: [{ id: 'c1', name: 'add', args: { a: 1 }, type: 'tool_call' }],
        invalid_tool_calls: [{ id: 'c2', name: 'sub', args: '{"a"', error: 'bad' }],
        usage_metadata: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
        response_metadata: { model_name: 'm', finish_reason: 'tool_calls' },
      }),
    ).toEqual({
      id: 'run-1',
      role: 'assistant',
      content: 'calling',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'calling' },
      ],
      toolCalls: [
        { id: 'c1', name: 'add', args: '{"a":1}' },
        { id: 'c2', name: 'sub', args: '{"a"' },
      ],
      meta: {
        model: 'm',
        usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
        finishReason: 'tool_calls',
      },
    })
  })

  test('calls that only the raw form names, and reasoning beside the content', () => {
    expect(
      read({
        type: 'AIMessageChunk',
        content: 'x',
        tool_calls: [],
        additional_kwargs: {
          reasoning_content: 'because',
          tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{}' } }],
        },
      }),
    ).toMatchObject({
      parts: [
        { kind: 'reasoning', text: 'because' },
        { kind: 'text', text: 'x' },
      ],
      toolCalls: [{ id: 'c', name: 'f', args: '{}' }],
    })
  })

  test('a tool message with an artifact', () => {
    expect(read({ type: 'tool', tool_call_id: 'c1', name: 'add', content: '3', artifact: { raw: 3 } })).toEqual({
      id: 'made',
      role: 'tool',
      content: '3',
      toolCallId: 'c1',
      name: 'add',
      parts: [
        { kind: 'text', text: '3' },
        { kind: 'data', name: 'artifact', value: { raw: 3 } },
      ],
    })
  })

  test('the serialised and the stored form', () => {
    const kwargs = { content: 'hi', id: 'h1' }
    expect(read({ lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'HumanMessage'], kwargs })).toEqual({
      id: 'h1',
      role: 'user',
      content: 'hi',
    })
    expect(read({ type: 'human', data: kwargs })).toEqual({ id: 'h1', role: 'user', content: 'hi' })
  })

  test('a generic message says who speaks', () => {
    expect(read({ type: 'generic', role: 'developer', content: 'x' })).toMatchObject({ role: 'system' })
  })

  test('one that removes another is no message', () => {
    expect(() => read({ type: 'remove', id: 'a' })).toThrow('message removes a message; use removeMessage(id) for that')
  })
})

describe('AI SDK messages', () => {
  test('a UI message with text, reasoning, a file and data', () => {
    expect(
      read({
        id: 'u1',
        role: 'assistant',
        metadata: { createdAt: 1 },
        parts: [
          { type: 'step-start' },
          { type: 'reasoning', text: 'hm', state: 'done' },
          { type: 'text', text: 'so' },
          { type: 'file', mediaType: 'image/png', url: 'https://example.org/a.png', filename: 'a.png' },
          { type: 'data-weather', data: { c: 20 } },
          { type: 'source-url', sourceId: 's', url: 'https://example.org' },
        ],
      }),
    ).toEqual({
      id: 'u1',
      role: 'assistant',
      content: 'so',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'so' },
        { kind: 'image', mediaType: 'image/png', url: 'https://example.org/a.png', name: 'a.png' },
        { kind: 'data', name: 'weather', value: { c: 20 } },
        { kind: 'data', name: 'source-url', value: { type: 'source-url', sourceId: 's', url: 'https://example.org' } },
      ],
      meta: { metadata: { createdAt: 1 } },
    })
  })

  test('a tool part is a call, and its output is kept beside it', () => {
    expect(
      read({
        id: 'u1',
        role: 'assistant',
        parts: [
          { type: 'tool-add', toolCallId: 'c1', state: 'output-available', input: { a: 1 }, output: 3 },
          { type: 'dynamic-tool', toolName: 'sub', toolCallId: 'c2', state: 'output-error', errorText: 'no' },
        ],
      }),
    ).toEqual({
      id: 'u1',
      role: 'assistant',
      content: '',
      toolCalls: [
        { id: 'c1', name: 'add', args: '{"a":1}' },
        { id: 'c2', name: 'sub', args: '{}' },
      ],
      parts: [
        { kind: 'data', name: 'tool-output', value: { toolCallId: 'c1', output: 3 } },
        { kind: 'data', name: 'tool-output', value: { toolCallId: 'c2', errorText: 'no' } },
      ],
    })
  })

  test('a UI message without parts is empty', () => {
    expect(read({ id: 'u1', role: 'user', parts: [] })).toEqual({ id: 'u1', role: 'user', content: '' })
  })

  test('model messages: a call, its result and files', () => {
    expect(
      read({ role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'add', input: { a: 1 } }] }),
    ).toMatchObject({ toolCalls: [{ id: 'c1', name: 'add', args: '{"a":1}' }] })
    expect(
      read({
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'c1', toolName: 'add', output: { type: 'json', value: { s: 3 } } },
        ],
      }),
    ).toEqual({ id: 'made', role: 'tool', content: '{"s":3}', toolCallId: 'c1' })
    expect(
      read({
        role: 'user',
        content: [
          { type: 'image', image: new URL('https://example.org/a.png') },
          { type: 'image', image: 'AAAA', mediaType: 'image/png' },
        ],
      }),
    ).toMatchObject({
      parts: [
        { kind: 'image', mediaType: 'image/*', url: 'https://example.org/a.png' },
        { kind: 'image', mediaType: 'image/png', data: 'AAAA' },
      ],
    })
  })
})

describe('Anthropic blocks', () => {
  test('an image with its source, and a result of blocks', () => {
    expect(
      read({
        role: 'user',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' } }],
      }),
    ).toMatchObject({ parts: [{ kind: 'image', mediaType: 'image/jpeg', data: 'AAAA' }] })
    expect(
      read({
        role: 'tool',
        content: [{ type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: 'ok' }] }],
      }),
    ).toEqual({ id: 'made', role: 'tool', content: 'ok', toolCallId: 'c1' })
  })
})

describe('what is no message is refused with a sentence', () => {
  test.each([
    [42, 'message must be text or a message object, not number'],
    [null, 'message must be text or a message object, not null'],
    [[], 'message must be text or a message object, not a list'],
    [{ content: 'x' }, 'message.role is missing'],
    [{ role: 'bot', content: 'x' }, 'message.role must be user, assistant, system, developer or tool, not "bot"'],
    [{ role: 'toString', content: 'x' }, 'message.role must be user, assistant, system, developer or tool'],
    [{ role: 'user', content: 5 }, 'message.content must be text or a content block with a type'],
    [{ role: 'user', content: [5] }, 'message.content[0] must be text or a content block with a type'],
    [{ role: 'user', id: 5, content: '' }, 'message.id must be a text that is not empty'],
    [{ role: 'user', id: '', content: '' }, 'message.id must be a text that is not empty'],
    [{ role: 'user', parts: 'x' }, 'message.parts must be a list'],
    [{ role: 'user', parts: [{ kind: 'sculpture' }] }, 'message.parts[0].kind must be'],
    [{ role: 'assistant', content: '', toolCalls: 1 }, 'message.toolCalls must be a list'],
    [{ role: 'assistant', content: '', tool_calls: [{}] }, 'message.tool_calls[0] must have an id and a name'],
    [{ role: 'user', content: '', meta: 'x' }, 'message.meta must be an object'],
    [{ role: 'user', parts: [{ type: 'text' }, {}] }, 'message.parts[1].type is missing'],
  ])('%j', (input, sentence) => {
    expect(() => read(input)).toThrow(sentence)
  })

  test('the place is named as the caller names it', () => {
    expect(() => normalizeMessage(1, made, 'input.messages[3]')).toThrow('input.messages[3] must be text')
  })

  test('whatever comes in, a message or a typed error comes out', () => {
    const field = fc.oneof(fc.string(), fc.constant('ai'), fc.constant('tool'), fc.jsonValue())
    const keys = ['id', 'role', 'type', 'content', 'parts', 'tool_calls', 'toolCalls', 'meta', 'kwargs', 'data', 'name']
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), field), (input) => {
        const outcome = attempt(input)
        const ok =
          outcome instanceof RivuletError
            ? outcome.code === 'INVALID_INPUT'
            : typeof outcome.content === 'string' && isDeepStrictEqual(normalizeMessage(outcome, made), outcome)
        expect(ok).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
