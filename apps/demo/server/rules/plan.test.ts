import type { Message } from '@rivulet/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CsvAnalysis } from '../../contract/csv-analysis.ts'
import { planTurn } from './plan.ts'
import type { PlannedCall } from './planned-call.ts'
import { readTurn, type AnsweredCall } from './turn.ts'

const user = (content: string, ...files: string[]): Message => ({
  id: `u${content}`,
  role: 'user',
  content,
  ...(files.length > 0 && { parts: files.map((name) => ({ kind: 'file' as const, mediaType: 'text/csv', name })) }),
})

/** A conversation in which one call was made and answered, then something else was typed. */
const after = (
  call: Omit<AnsweredCall, 'content'> & { answer: unknown },
  text: string,
  ...files: string[]
): Message[] => [
  user('before', ...files),
  { id: 'a1', role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: call.name, args: call.args }] },
  { id: 't1', role: 'tool', toolCallId: 'c1', content: JSON.stringify(call.answer) },
  { id: 'a2', role: 'assistant', content: 'Done.' },
  user(text),
]

const callsFor = (...messages: Message[]): PlannedCall[] => {
  const plan = planTurn(readTurn(messages))
  return plan.kind === 'call' ? plan.calls : []
}

const saysTo = (...messages: Message[]): string => {
  const plan = planTurn(readTurn(messages))
  return plan.kind === 'say' ? plan.text : `calls ${JSON.stringify(plan.calls)}`
}

describe('one question', () => {
  test('arithmetic is calculated', () => {
    expect(callsFor(user('What is 2^10?'))).toEqual([{ name: 'calculate', args: { expression: '2^10' } }])
  })

  test.each([
    ['How do I resume a stream?', 'How do I resume a stream'],
    ['explain checkpoints', 'checkpoints'],
    ['please search the docs for interrupts', 'interrupts'],
    ['useStream', 'useStream'],
    ['What is the capital of France?', 'What is the capital of France'],
    ['¿Cómo reanudo un stream?', '¿Cómo reanudo un stream'],
  ])('%s is searched in the documentation', (text, query) => {
    expect(callsFor(user(text))).toEqual([{ name: 'search_docs', args: { query } }])
  })

  test('a file is analyzed, with or without words', () => {
    const calls = [{ name: 'analyze_csv', args: { file: 'a.csv' } }]
    expect(callsFor(user('', 'a.csv'))).toEqual(calls)
    expect(callsFor(user('what does this stream of data say?', 'a.csv'))).toEqual(calls)
  })
})

describe('several questions at once', () => {
  test('arithmetic and documentation', () => {
    expect(callsFor(user('what is 2^10 and how do I resume a stream?'))).toEqual([
      { name: 'calculate', args: { expression: '2^10' } },
      { name: 'search_docs', args: { query: 'how do I resume a stream' } },
    ])
  })

  test('a file and arithmetic', () => {
    expect(callsFor(user('analyze this, and what is 12 inch to cm?', 'a.csv'))).toEqual([
      { name: 'calculate', args: { expression: '12 inch to cm' } },
      { name: 'analyze_csv', args: { file: 'a.csv' } },
    ])
  })

  test('two questions are two searches', () => {
    expect(callsFor(user('How do I stop a run? And what is a checkpoint?'))).toEqual([
      { name: 'search_docs', args: { query: 'How do I stop a run' } },
      { name: 'search_docs', args: { query: 'what is a checkpoint' } },
    ])
  })

  test('the sentence before the calls names each', () => {
    const plan = planTurn(readTurn([user('what is 2^10 and how do I resume a stream?')]))
    expect(plan.kind === 'call' && plan.lead).toBe(
      'I will work out `2^10` and search the documentation for *how do I resume a stream*.',
    )
  })
})

describe('what no rule fits gets an answer in words', () => {
  test.each(['tell me a joke', '今日はいい天気ですね', 'asdf', '!!!', '🙂', 'Ich hätte gern einen Kaffee'])(
    '%s',
    (text) => {
      expect(saysTo(user(text))).toMatch(/^I am rule-based/)
    },
  )

  test('an empty message is called empty', () => {
    expect(saysTo(user('  '))).toMatch(/^That message was empty/)
  })

  test('greetings and thanks are answered', () => {
    expect(saysTo(user('Hello!'))).toMatch(/^Hello!/)
    expect(saysTo(user('thanks'))).toMatch(/^You are welcome/)
  })

  test('it says what it is when asked', () => {
    expect(saysTo(user('are you an LLM?'))).toMatch(/I am not a language model/)
    expect(saysTo(user('what can you do?'))).toMatch(/rule-based/)
  })

  test('a question about a CSV without one asks for it', () => {
    expect(saysTo(user('analyze my csv'))).toMatch(/no file in this chat yet/)
  })

  test('a conversation without any message is answered', () => {
    expect(saysTo()).toMatch(/empty/)
  })
})

const figures: CsvAnalysis = {
  file: 'a.csv',
  rows: 100,
  ragged: 0,
  unnamed: false,
  omitted: 0,
  columns: [
    {
      name: 'water_level',
      type: 'number',
      filled: 98,
      missing: 2,
      unlike: 0,
      mean: 1.5,
      min: 0.25,
      max: 3,
      rounded: false,
      histogram: [],
    },
    { name: 'site', type: 'text', filled: 100, missing: 0, unlike: 0, distinct: 2, distinctIsBound: false, top: [] },
  ],
}

const analyzed = { name: 'analyze_csv', args: '{"file":"a.csv"}', answer: figures }

describe('follow-up questions', () => {
  test.each([
    ["what's the mean of water level?", '**water\\_level**: mean **1.5**, over 98 values.'],
    ['min and max of water_level', '**water\\_level**: minimum **0.25**, maximum **3**, over 98 values.'],
    ['how many are missing in water level?', '**water\\_level** has 2 missing values in 100 rows.'],
    ['average site', '**site** is a column of type text: it has no mean, minimum or maximum.'],
  ])('%s is answered from what was measured', (text, answer) => {
    expect(saysTo(...after(analyzed, text, 'a.csv'))).toBe(answer)
  })

  test('a histogram of one column measures that column', () => {
    expect(callsFor(...after(analyzed, 'show a histogram of water level', 'a.csv'))).toEqual([
      { name: 'analyze_csv', args: { file: 'a.csv', columns: ['water_level'] } },
    ])
  })

  test('a question about the file goes to the last one', () => {
    expect(callsFor(...after(analyzed, 'analyze the file again', 'a.csv', 'b.csv'))).toEqual([
      { name: 'analyze_csv', args: { file: 'b.csv' } },
    ])
    expect(callsFor(...after(analyzed, 'and a.csv?', 'a.csv', 'b.csv'))).toEqual([
      { name: 'analyze_csv', args: { file: 'a.csv' } },
    ])
  })

  test('the documentation can still be asked when there is a file', () => {
    expect(callsFor(...after(analyzed, 'how do I resume a stream?', 'a.csv'))).toEqual([
      { name: 'search_docs', args: { query: 'how do I resume a stream' } },
    ])
  })

  const searched = { name: 'search_docs', args: '', answer: { query: 'resume', total: 9, skipped: 3, hits: [] } }
  test('more goes on where the last search ended', () => {
    expect(callsFor(...after(searched, 'tell me more'))).toEqual([
      { name: 'search_docs', args: { query: 'resume', skip: 6 } },
    ])
  })

  test('what about something else is searched too', () => {
    expect(callsFor(...after(searched, 'and what about Kafka?'))).toEqual([
      { name: 'search_docs', args: { query: 'Kafka' } },
    ])
  })

  const converted = { name: 'calculate', args: '', answer: { expression: '12 inch to cm', value: '30.48 cm' } }
  test.each([
    ['and in mm?', '12 inch to mm'],
    ['times 3', '(30.48 cm) * 3'],
    ['/ 2', '(30.48 cm) / 2'],
  ])('%s goes on with the last value', (text, expression) => {
    expect(callsFor(...after(converted, text))).toEqual([{ name: 'calculate', args: { expression } }])
  })
})

test('whatever is typed, there is a plan, and each call has what it needs', () => {
  const word = fc.constantFrom(
    'what',
    'is',
    '2',
    '+',
    'file',
    'csv',
    'mean',
    'of',
    'stream',
    'how',
    'and',
    '?',
    '今日',
    '*',
    '`',
    'more',
    'in',
    'cm',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(text, fc.boolean(), (typed, attach) => {
      const plan = planTurn(readTurn([...after(analyzed, 'x', 'a.csv'), user(typed, ...(attach ? ['b.csv'] : []))]))
      const said = plan.kind === 'say' ? [plan.text] : plan.calls.flatMap(({ args }) => Object.values(args))
      expect(said).not.toEqual([])
      expect(said).not.toContain('')
    }),
    { numRuns: 300 },
  )
})
