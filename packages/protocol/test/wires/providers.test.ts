import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emptyState, foldAll } from '../../src/index.ts'
import { createAgUiDecoder } from '../../src/wires/ag-ui/index.ts'
import { patched } from '../../src/wires/ag-ui/patch.ts'
import type { ChatDecoder } from '../../src/wires/chat-writer.ts'
import { createOpenAiChatDecoder, createOpenAiResponsesDecoder } from '../../src/wires/openai/index.ts'
import { foldRun, shown, stampedFrom } from './shown.ts'

const run = 'r'

function read(decoder: ChatDecoder, ...blocks: readonly (string | object)[]): ReturnType<typeof shown> {
  const events = blocks.flatMap((block) => decoder.push(typeof block === 'string' ? block : JSON.stringify(block)))
  return shown(foldRun([...events, ...decoder.end()]))
}

describe('OpenAI chat completions', () => {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-x',
    choices: [{ index: 0, delta, finish_reason }],
  })

  test('text, reasoning and calls in pieces are one message', () => {
    const called = (index: number, fn: object, id?: string) =>
      chunk({ tool_calls: [{ index, id, type: 'function', function: fn }] })
    expect(
      read(
        createOpenAiChatDecoder({ run, messages: [{ id: 'u', role: 'user', content: 'hi' }] }),
        chunk({ role: 'assistant', content: '' }),
        chunk({ reasoning_content: 'hm' }),
        chunk({ content: 'Let ' }),
        chunk({ content: 'me.' }),
        called(0, { name: 'look', arguments: '' }, 'c0'),
        called(1, { name: 'find', arguments: '{"b"' }, 'c1'),
        called(0, { arguments: '{"a":1}' }),
        called(1, { arguments: ':2}' }),
        chunk({}, 'tool_calls'),
        { id: 'chatcmpl-1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } },
        '[DONE]',
      ),
    ).toMatchObject({
      messages: [
        { id: 'u' },
        {
          id: 'chatcmpl-1',
          content: 'Let me.',
          toolCalls: [
            { id: 'c0', name: 'look', args: '{"a":1}' },
            { id: 'c1', name: 'find', args: '{"b":2}' },
          ],
        },
      ],
      status: 'done',
    })
  })

  test('an error, a cut and a close after the last chunk are told apart', () => {
    const error = { error: { message: 'overloaded' } }
    expect(read(createOpenAiChatDecoder({ run }), chunk({ content: 'a' }), error)).toMatchObject({
      status: 'error',
      error: 'overloaded',
    })
    expect(read(createOpenAiChatDecoder({ run }), chunk({ content: 'a' }))).toMatchObject({
      status: 'error',
      messages: [{ content: 'a', status: 'cut' }],
    })
    expect(read(createOpenAiChatDecoder({ run }), chunk({ content: 'a' }), chunk({}, 'stop'))).toMatchObject({
      status: 'done',
    })
  })
})

describe('OpenAI responses', () => {
  const response = { id: 'resp_1', model: 'gpt-x', usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } }

  test('the output of a response is one message in its order', () => {
    const item = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'look', arguments: '' }
    expect(
      read(
        createOpenAiResponsesDecoder({ run }),
        { type: 'response.created', response },
        { type: 'response.output_item.added', item: { type: 'reasoning', id: 'rs_1' } },
        { type: 'response.reasoning_summary_text.delta', item_id: 'rs_1', summary_index: 0, delta: 'hm' },
        { type: 'response.output_item.added', item: { type: 'message', id: 'msg_1' } },
        { type: 'response.output_text.delta', item_id: 'msg_1', content_index: 0, delta: 'Hel' },
        { type: 'response.output_text.delta', item_id: 'msg_1', content_index: 0, delta: 'lo' },
        { type: 'response.output_item.added', item },
        { type: 'response.function_call_arguments.delta', item_id: 'fc_1', delta: '{"a":' },
        { type: 'response.function_call_arguments.delta', item_id: 'fc_1', delta: '1}' },
        { type: 'response.output_item.done', item: { ...item, arguments: '{"a":1}' } },
        { type: 'response.completed', response },
      ),
    ).toMatchObject({
      messages: [
        {
          id: 'resp_1',
          content: 'Hello',
          parts: [{ kind: 'reasoning', text: 'hm' }, { kind: 'text' }],
          toolCalls: [{ id: 'c', name: 'look', args: '{"a":1}' }],
          status: 'done',
        },
      ],
      status: 'done',
    })
  })

  test.each<[string, object[], object]>([
    [
      'a failure',
      [{ type: 'response.failed', response: { error: { message: 'no' } } }],
      { status: 'error', error: 'no' },
    ],
    ['an error', [{ type: 'error', message: 'bad' }], { status: 'error', error: 'bad' }],
    ['an answer that was too long', [{ type: 'response.incomplete', response }], { status: 'done' }],
    ['a cut', [], { status: 'error', messages: [{ status: 'cut' }] }],
  ])('%s ends the run as what it is', (_what, blocks, expected) => {
    const text = [
      { type: 'response.created', response },
      { type: 'response.output_text.delta', item_id: 'm', content_index: 0, delta: 'a' },
    ]
    expect(read(createOpenAiResponsesDecoder({ run }), ...text, ...blocks)).toMatchObject(expected)
  })
})

describe('AG-UI', () => {
  test('messages, calls with results, state and custom events arrive', () => {
    expect(
      read(
        createAgUiDecoder({ run }),
        { type: 'RUN_STARTED', threadId: 't', runId: 'x' },
        { type: 'STATE_SNAPSHOT', snapshot: { topic: 'cats', list: [1] } },
        { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' },
        { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'Let ' },
        { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'me.' },
        { type: 'TEXT_MESSAGE_END', messageId: 'm' },
        { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'look', parentMessageId: 'm' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: '{"a"' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: ':1}' },
        { type: 'TOOL_CALL_END', toolCallId: 'c' },
        { type: 'TOOL_CALL_RESULT', messageId: 'o', toolCallId: 'c', content: 'sun' },
        {
          type: 'STATE_DELTA',
          delta: [
            { op: 'replace', path: '/topic', value: 'dogs' },
            { op: 'add', path: '/list/-', value: 2 },
          ],
        },
        { type: 'CUSTOM', name: 'hint', value: 1 },
        { type: 'TEXT_MESSAGE_START', messageId: 'n', role: 'assistant' },
        { type: 'TEXT_MESSAGE_CONTENT', messageId: 'n', delta: 'Sun.' },
        { type: 'TEXT_MESSAGE_END', messageId: 'n' },
        { type: 'RUN_FINISHED', threadId: 't', runId: 'x' },
      ),
    ).toMatchObject({
      messages: [
        { id: 'm', content: 'Let me.', toolCalls: [{ id: 'c', name: 'look', args: '{"a":1}' }], status: 'done' },
        { id: 'o', role: 'tool', content: 'sun', toolCallId: 'c' },
        { id: 'n', content: 'Sun.' },
      ],
      values: { topic: 'dogs', list: [1, 2] },
      tools: [{ id: 'c', name: 'look', output: 'sun' }],
      custom: [1],
      status: 'done',
    })
  })

  test('chunks need no start, a snapshot brings what was not streamed', () => {
    expect(
      read(
        createAgUiDecoder({ run }),
        { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', role: 'assistant', delta: 'a' },
        { type: 'TEXT_MESSAGE_CHUNK', delta: 'b' },
        { type: 'TOOL_CALL_CHUNK', toolCallId: 'c', toolCallName: 'look', delta: '{}' },
        {
          type: 'MESSAGES_SNAPSHOT',
          messages: [
            { id: 'm', role: 'assistant', content: 'ab' },
            { id: 'k', role: 'user', content: 'x' },
          ],
        },
        { type: 'RUN_FINISHED' },
      ),
    ).toMatchObject({
      messages: [
        { id: 'm', content: 'ab', toolCalls: [{ id: 'c' }] },
        { id: 'k', role: 'user' },
      ],
    })
  })

  test('a message that is told as a whole while it streams grows no more; what comes then begins it anew', () => {
    expect(
      read(
        createAgUiDecoder({ run }),
        { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', delta: 'a' },
        { type: 'TOOL_CALL_RESULT', messageId: 'm', toolCallId: 'c', content: 'out' },
        { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', delta: 'b' },
        { type: 'RUN_FINISHED' },
      ),
    ).toMatchObject({ messages: [{ id: 'm', content: 'b' }], status: 'done' })
  })

  test('an outcome that interrupts asks, an error fails, a cut is an error', () => {
    const outcome = { type: 'interrupt', interrupts: [{ id: 'i', reason: 'approve' }] }
    expect(read(createAgUiDecoder({ run }), { type: 'RUN_FINISHED', outcome })).toMatchObject({
      status: 'interrupted',
      interrupts: [{ id: 'i', value: { reason: 'approve' } }],
    })
    expect(read(createAgUiDecoder({ run }), { type: 'RUN_ERROR', message: 'no' })).toMatchObject({
      status: 'error',
      error: 'no',
    })
    expect(read(createAgUiDecoder({ run }), { type: 'RUN_STARTED' })).toMatchObject({ status: 'error' })
  })

  test('a state is patched as JSON Patch says', () => {
    const value = { a: { b: [1, 2, 3] }, 'x/y': 1 }
    const at = (...operations: object[]) => patched(value, operations)
    expect(at({ op: 'remove', path: '/a/b/1' })).toEqual({ a: { b: [1, 3] }, 'x/y': 1 })
    expect(at({ op: 'add', path: '/a/b/0', value: 0 })).toEqual({ a: { b: [0, 1, 2, 3] }, 'x/y': 1 })
    expect(at({ op: 'replace', path: '/x~1y', value: 2 })).toEqual({ a: { b: [1, 2, 3] }, 'x/y': 2 })
    expect(at({ op: 'move', from: '/a/b', path: '/c' })).toEqual({ a: {}, c: [1, 2, 3], 'x/y': 1 })
    expect(at({ op: 'copy', from: '/x~1y', path: '/d' })).toEqual({ ...value, d: 1 })
    expect(at({ op: 'replace', path: '', value: 5 })).toBe(5)
    expect(at({ op: 'add', path: '/a/b/-', value: 4 })).toEqual({ a: { b: [1, 2, 3, 4] }, 'x/y': 1 })
    expect(at({ op: 'add', path: '/a/b/3', value: 4 })).toEqual({ a: { b: [1, 2, 3, 4] }, 'x/y': 1 })
    expect(at({ op: 'replace', path: '/a/b/1', value: null })).toEqual({ a: { b: [1, null, 3] }, 'x/y': 1 })
    for (const path of ['/a/b/4', '/a/b/-1', '/a/b/x', '/a/b/1.5'])
      expect(at({ op: 'add', path, value: 4 })).toEqual(value)
    for (const op of ['remove', 'replace']) expect(at({ op, path: '/a/b/3', value: 4 })).toEqual(value)
    for (const op of ['test', 'foo', undefined]) expect(at({ op, path: '/a', value: 4 })).toEqual(value)
    expect(at({ op: 'move', from: '/none', path: '/c' })).toEqual(value)
    expect(at({ op: 'add', path: '/__proto__/polluted', value: true })).toEqual(value)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(value).toEqual({ a: { b: [1, 2, 3] }, 'x/y': 1 })
  })
})

test.each<[string, () => ChatDecoder]>([
  ['OpenAI chat completions', () => createOpenAiChatDecoder({ run })],
  ['OpenAI responses', () => createOpenAiResponsesDecoder({ run })],
  ['AG-UI', () => createAgUiDecoder({ run })],
])('%s: nothing that may arrive makes it throw, leaves a gap, or leaves the run open', (_name, create) => {
  const any = fc.jsonValue({ maxDepth: 3 })
  const types = [
    'TEXT_MESSAGE_START',
    'TEXT_MESSAGE_CONTENT',
    'TOOL_CALL_START',
    'TOOL_CALL_RESULT',
    'STATE_DELTA',
    'RUN_FINISHED',
  ]
  const type = fc.constantFrom(
    ...types,
    'response.created',
    'response.output_item.added',
    'response.output_text.delta',
    'response.completed',
    'error',
  )
  const fields = {
    type,
    messageId: fc.constantFrom<unknown>('a', 'b', 3),
    toolCallId: any,
    delta: any,
    item: any,
    response: any,
    outcome: any,
    choices: fc.array(
      fc.record(
        { delta: fc.record({ content: any, tool_calls: any }, { requiredKeys: [] }), finish_reason: any },
        { requiredKeys: [] },
      ),
    ),
  }
  const block = fc.oneof(
    fc.string(),
    any.map((value) => JSON.stringify(value)),
    fc.record(fields, { requiredKeys: ['type'] }).map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(fc.array(block), (blocks) => {
      const decoder = create()
      const state = foldAll(
        emptyState(),
        stampedFrom([...blocks.flatMap((one) => decoder.push(one)), ...decoder.end()]),
      )
      expect(state.gap).toBeUndefined()
      expect(state.runs.get(run)?.status).not.toBe('running')
    }),
  )
})
