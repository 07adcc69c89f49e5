import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/events/event.ts'
import { emptyState, foldAll, messagesOf, type ThreadState } from '../../src/index.ts'
import { createAiSdkDecoder, createAiSdkEncoder } from '../../src/wires/ai-sdk/index.ts'
import type { ChatDecoder } from '../../src/wires/chat-writer.ts'
import { createPlainDecoder, createPlainEncoder } from '../../src/wires/plain/index.ts'
import { randomChat } from './random-chat.ts'
import { foldRun, readStream, shown, stampedFrom, written } from './shown.ts'

const run = 'r'

/** What these blocks of data fold to. */
function read(decoder: ChatDecoder, ...blocks: readonly (string | object)[]): ReturnType<typeof shown> {
  const events = blocks.flatMap((block) => decoder.push(typeof block === 'string' ? block : JSON.stringify(block)))
  return shown(foldRun([...events, ...decoder.end()]))
}

/** What a wire that has no graph can carry of a thread. */
function said(state: ThreadState): object {
  const { messages, tools, custom, status, error } = shown(state) as Record<string, unknown> & {
    messages: { role: string }[]
  }
  return { messages: messages.filter(({ role }) => role !== 'tool'), tools, custom, status, error }
}

function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** Reads what was written of a run, cut anywhere. */
function readBack(texts: readonly string[], decoder: ChatDecoder, pieceBytes: number): ThreadState {
  const events: RunEvent[] = []
  readStream(written(texts.map((text) => ({ text }))), (_event, data) => events.push(...decoder.push(data)), pieceBytes)
  return foldRun([...events, ...decoder.end()])
}

function questionOf(events: readonly RunEvent[]) {
  return events.flatMap((event) => (event.type === 'message' && event.message.role === 'user' ? [event.message] : []))
}

const anyBlocks = fc.array(
  fc.oneof(
    fc.string(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .record(
        {
          type: fc.constantFrom(
            'token',
            'error',
            'custom',
            'start',
            'text-delta',
            'tool-input-delta',
            'tool-input-available',
            'finish',
            'file',
            'data-x',
          ),
          id: fc.jsonValue(),
          delta: fc.jsonValue(),
          toolCallId: fc.constantFrom<unknown>('c', 1),
          content: fc.jsonValue(),
          messageId: fc.jsonValue(),
          input: fc.jsonValue(),
        },
        { requiredKeys: ['type'] },
      )
      .map((value) => JSON.stringify(value)),
  ),
)

describe('plain', () => {
  test('tokens are a message, and [DONE] is its end', () => {
    const messages = [{ id: 'u', role: 'user' as const, content: 'hi' }]
    expect(
      read(
        createPlainDecoder({ run, messages }),
        { type: 'token', content: 'Hel' },
        { type: 'token', content: 'lo' },
        '[DONE]',
      ),
    ).toMatchObject({
      messages: [
        { id: 'u', content: 'hi' },
        { role: 'assistant', content: 'Hello', status: 'done' },
      ],
      status: 'done',
    })
  })

  test('an error before the end is an error, and the text stays', () => {
    expect(
      read(
        createPlainDecoder({ run }),
        { type: 'token', content: 'Hel' },
        { type: 'error', message: 'model is out' },
        '[DONE]',
      ),
    ).toMatchObject({ messages: [{ content: 'Hel', status: 'cut' }], status: 'error', error: 'model is out' })
  })

  test('a body that ends without saying so was cut, unless that is how it ends', () => {
    const token = { type: 'token', content: 'Hel' }
    expect(read(createPlainDecoder({ run }), token)).toMatchObject({ status: 'error', messages: [{ status: 'cut' }] })
    expect(read(createPlainDecoder({ run, end: 'close' }), token)).toMatchObject({ status: 'done' })
  })

  test('frames of other types are custom events by their name', () => {
    expect(read(createPlainDecoder({ run }), { type: 'progress', percent: 50 }, '[DONE]')).toMatchObject({
      custom: [{ type: 'progress', percent: 50 }],
    })
  })

  test('frames of any shape are mapped', () => {
    const map = (data: string) =>
      data === 'end' ? ({ type: 'done' } as const) : ({ type: 'token', content: data } as const)
    expect(read(createPlainDecoder({ run, map }), 'a', 'b', 'end')).toMatchObject({
      messages: [{ content: 'ab' }],
      status: 'done',
    })
  })

  test('what is written and read again says the same', () => {
    fc.assert(
      fc.property(
        randomChat(run, { interrupts: false, rewinds: false, removals: false, maxAnswers: 1 }),
        fc.integer({ min: 1, max: 50 }),
        (events, pieceBytes) => {
          const encoder = createPlainEncoder()
          const read = readBack(
            events.flatMap((event) => encoder.encode(event)),
            createPlainDecoder({ run, messages: questionOf(events) }),
            pieceBytes,
          )
          const text = (state: ThreadState) =>
            messagesOf(state).flatMap(({ role, content }) => (role === 'tool' || content === '' ? [] : [content]))
          const ours = foldRun(events)
          expect(text(read)).toEqual(text(ours))
          const { custom, status, error } = shown(ours) as Record<string, unknown>
          expect(shown(read)).toMatchObject({ custom, status })
          expect((shown(read) as { error?: string }).error).toEqual(error)
        },
      ),
    )
  })
})

describe('AI SDK', () => {
  test('text, reasoning, calls with their outputs, files and data arrive in one message', () => {
    const decoder = createAiSdkDecoder({ run })
    const state = read(
      decoder,
      { type: 'start', messageId: 'm' },
      { type: 'start-step' },
      { type: 'reasoning-start', id: '1' },
      { type: 'reasoning-delta', id: '1', delta: 'hm' },
      { type: 'reasoning-end', id: '1' },
      { type: 'text-start', id: '1' },
      { type: 'text-delta', id: '1', delta: 'Let me ' },
      { type: 'text-delta', id: '1', delta: 'look.' },
      { type: 'text-end', id: '1' },
      { type: 'tool-input-start', toolCallId: 'c', toolName: 'look' },
      { type: 'tool-input-delta', toolCallId: 'c', inputTextDelta: '{"a"' },
      { type: 'tool-input-delta', toolCallId: 'c', inputTextDelta: ':1}' },
      { type: 'tool-input-available', toolCallId: 'c', toolName: 'look', input: { a: 1 } },
      { type: 'tool-output-available', toolCallId: 'c', output: 'half', preliminary: true },
      { type: 'tool-output-available', toolCallId: 'c', output: 'sun' },
      { type: 'data-weather', data: { sun: true }, transient: true },
      { type: 'finish-step' },
      { type: 'start-step' },
      { type: 'text-delta', id: '1', delta: 'Sun.' },
      { type: 'file', url: 'https://x.test/a.png', mediaType: 'image/png' },
      { type: 'finish-step' },
      { type: 'finish' },
      '[DONE]',
    )
    expect(state).toMatchObject({
      messages: [
        {
          id: 'm',
          content: 'Let me look.Sun.',
          parts: [
            { kind: 'reasoning', text: 'hm' },
            { kind: 'text', text: 'Let me look.' },
            { kind: 'text', text: 'Sun.' },
            { kind: 'file', url: 'https://x.test/a.png' },
          ],
          toolCalls: [{ id: 'c', name: 'look', args: '{"a":1}' }],
        },
      ],
      tools: [{ id: 'c', name: 'look', status: 'done', output: 'sun' }],
      custom: ['half', { sun: true }],
      status: 'done',
    })
  })

  test('a step that is reset takes back what it said, and nothing of the steps before', () => {
    const text = (id: string, delta: string) => [
      { type: 'text-start', id },
      { type: 'text-delta', id, delta },
      { type: 'text-end', id },
    ]
    const ghost = [...text('1', 'no'), { type: 'reasoning-delta', id: '2', delta: 'nor this' }, { type: 'reset-step' }]
    expect(
      read(
        createAiSdkDecoder({ run }),
        { type: 'start', messageId: 'm' },
        { type: 'start-step' },
        ...text('1', 'first '),
        { type: 'tool-input-available', toolCallId: 'c', toolName: 'f', input: {} },
        { type: 'finish-step' },
        { type: 'start-step' },
        ...ghost,
        ...ghost,
        ...text('1', 'second'),
        { type: 'finish' },
        '[DONE]',
      ),
    ).toMatchObject({
      messages: [{ id: 'm', content: 'first second', toolCalls: [{ id: 'c', name: 'f', args: '{}' }], status: 'done' }],
      status: 'done',
      ignored: 0,
    })
  })

  test('a call whose input comes whole has it as its arguments', () => {
    const input = { type: 'tool-input-available', toolCallId: 'c', toolName: 'look', input: { a: 1 } }
    expect(read(createAiSdkDecoder({ run }), { type: 'start' }, input, { type: 'finish' }, '[DONE]')).toMatchObject({
      messages: [{ toolCalls: [{ id: 'c', name: 'look', args: '{"a":1}' }] }],
    })
  })

  test.each<[string, (string | object)[], object]>([
    ['an error', [{ type: 'error', errorText: 'no' }, '[DONE]'], { status: 'error', error: 'no' }],
    ['an abort', [{ type: 'abort' }], { status: 'cancelled', messages: [{ status: 'cut' }] }],
    ['a cut', [], { status: 'error', messages: [{ status: 'cut' }] }],
    ['a close after the finish', [{ type: 'finish' }], { status: 'done' }],
    [
      'a question',
      [{ type: 'tool-approval-request', approvalId: 'i', toolCallId: 'c' }, { type: 'finish' }, '[DONE]'],
      { status: 'interrupted', interrupts: [{ id: 'i', value: { toolCallId: 'c' } }] },
    ],
  ])('%s ends the run as what it is', (_what, blocks, expected) => {
    const text = [
      { type: 'start', messageId: 'm' },
      { type: 'text-delta', id: '1', delta: 'a' },
    ]
    expect(read(createAiSdkDecoder({ run }), ...text, ...blocks)).toMatchObject(expected)
  })

  test('what is written and read again says the same', () => {
    fc.assert(
      fc.property(
        randomChat(run, { interrupts: false, removals: false, maxAnswers: 1 }),
        fc.integer({ min: 1, max: 50 }),
        (events, pieceBytes) => {
          const encoder = createAiSdkEncoder()
          const texts = events.flatMap((event) => encoder.encode(event))
          const decoder = createAiSdkDecoder({ run, messages: questionOf(events) })
          const read = said(readBack(texts, decoder, pieceBytes))
          // A message keeps the id that the wire began it with, also when that attempt was withdrawn.
          expect(JSON.parse(JSON.stringify(read).replaceAll('-ghost', ''))).toEqual(jsonOf(said(foldRun(events))))
        },
      ),
    )
  })
})

test.each<[string, () => ChatDecoder]>([
  ['plain', () => createPlainDecoder({ run })],
  ['AI SDK', () => createAiSdkDecoder({ run })],
])('%s: nothing that may arrive makes it throw, leaves a gap, or leaves the run open', (_name, create) => {
  fc.assert(
    fc.property(anyBlocks, (blocks) => {
      const decoder = create()
      const state = foldAll(
        emptyState(),
        stampedFrom([...blocks.flatMap((block) => decoder.push(block)), ...decoder.end()]),
      )
      expect(state.gap).toBeUndefined()
      expect(state.runs.get(run)?.status).not.toBe('running')
    }),
  )
})
