import type { MessageChunk } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { speakByRules, tokens } from './speak.ts'

const ask = (content: string): Message => ({ id: 'u', role: 'user', content })

interface Spoken {
  chunks: MessageChunk[]
  pauses: number[]
}

async function speak(messages: Message[], signal: AbortSignal = new AbortController().signal): Promise<Spoken> {
  const pauses: number[] = []
  let calls = 0
  const chunks: MessageChunk[] = []
  const pause = async (delayMs: number): Promise<void> => void pauses.push(delayMs)
  for await (const chunk of speakByRules(messages, { signal, pause, makeId: () => `call_${++calls}` }))
    chunks.push(chunk)
  return { chunks, pauses }
}

const textOf = ({ chunks }: Spoken): string => chunks.map(({ content = '' }) => content).join('')

test('a question is answered with a sentence and then the calls, their arguments last', async () => {
  const spoken = await speak([ask('what is 2^10 and what is a run?')])
  expect(textOf(spoken)).toBe('I will work out `2^10` and search the documentation for *what is a run*.')
  expect(spoken.chunks.flatMap(({ toolCallChunks = [] }) => toolCallChunks)).toEqual([
    { index: 0, id: 'call_1', name: 'calculate', args: '' },
    { index: 0, args: '{"expression":"2^10"}' },
    { index: 1, id: 'call_2', name: 'search_docs', args: '' },
    { index: 1, args: '{"query":"what is a run"}' },
  ])
  expect(spoken.chunks.at(-1)).toEqual({ finishReason: 'tool_calls' })
})

const answered: Message[] = [
  ask('2^10'),
  { id: 'a', role: 'assistant', content: 'I will.', toolCalls: [{ id: 'c', name: 'calculate', args: '{}' }] },
  { id: 't', role: 'tool', toolCallId: 'c', content: '{"expression":"2^10","value":"1024"}' },
]

test('what the tools found is written word by word', async () => {
  const spoken = await speak(answered)
  expect(textOf(spoken)).toBe('`2^10` = **1024**')
  expect(spoken.chunks.map(({ content }) => content)).toEqual(['`2^10`', ' =', ' **1024**', undefined])
  expect(spoken.chunks.at(-1)).toEqual({ finishReason: 'stop' })
})

test('a call that a stopped run left unanswered is planned again', async () => {
  const spoken = await speak(answered.slice(0, 2))
  expect(spoken.chunks.at(-1)).toEqual({ finishReason: 'tool_calls' })
})

describe('the pace', () => {
  test('each piece waits a few milliseconds', async () => {
    const { chunks, pauses } = await speak([ask('hello')])
    expect(pauses).toHaveLength(chunks.length - 1)
    expect(pauses.every((delayMs) => delayMs > 0 && delayMs <= 14)).toBe(true)
  })

  test('a long answer takes no more than four seconds', async () => {
    const content = JSON.stringify({
      query: 'x',
      total: 1,
      skipped: 0,
      hits: [{ file: 'a.md', trail: [], quote: 'word '.repeat(5000) }],
    })
    const { pauses } = await speak([...answered.slice(0, 2), { id: 't', role: 'tool', toolCallId: 'c', content }])
    expect(pauses.length).toBeGreaterThan(4000)
    expect(pauses.reduce((sum, delayMs) => sum + delayMs, 0)).toBeLessThanOrEqual(4001)
  })
})

test('an abort at any pause ends the writing with its reason', async () => {
  const { chunks: all } = await speak([ask('what is 2^10 and what is a run?')])
  for (let stopAt = 0; stopAt < all.length - 1; stopAt += 1) {
    const stop = new AbortController()
    const heard: MessageChunk[] = []
    let pauses = 0
    const pause = async (): Promise<void> => {
      if (pauses === stopAt) stop.abort(new Error('stopped'))
      pauses += 1
    }
    const listen = async (): Promise<void> => {
      const spoken = speakByRules([ask('what is 2^10 and what is a run?')], {
        signal: stop.signal,
        pause,
        makeId: () => 'c',
      })
      for await (const chunk of spoken) heard.push(chunk)
    }
    await expect(listen()).rejects.toThrow('stopped')
    expect(heard).toHaveLength(stopAt)
  }
})

test.each(['a b', '  a\n\nb  ', 'averyveryverylongword', '今日はいい天気ですね今日はいい天気ですね', '👩‍👩‍👧 🙂', '', ' '])(
  'the tokens of %j add up to it',
  (text) => {
    expect(tokens(text).join('')).toBe(text)
  },
)
