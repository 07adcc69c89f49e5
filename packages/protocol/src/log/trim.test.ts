import { expect, test } from 'vitest'
import type { RivuletEvent } from '../events/event.ts'
import { memoryLog } from './memory-log.ts'
import { readLog } from './reader.ts'
import { createTrimmer } from './trim.ts'

const run = 'r'

function delta(seq: number, at: number, text: string, part = 0): RivuletEvent {
  return { type: 'message.delta', run, id: 'm', part, at, text, seq }
}

test('what a reader has of a part is not sent again', () => {
  const trim = createTrimmer()
  trim({ type: 'message.start', run, id: 'm', role: 'assistant', seq: 1 })
  expect(trim(delta(2, 0, 'Hel'))).toEqual(delta(2, 0, 'Hel'))
  expect(trim(delta(9, 0, 'Hello'))).toEqual(delta(9, 3, 'lo'))
  expect(trim(delta(10, 0, 'Hello'))).toEqual(delta(10, 5, ''))
  expect(trim(delta(11, 0, 'other part', 1))).toEqual(delta(11, 0, 'other part', 1))
})

test('a message that starts again is sent from its beginning', () => {
  const trim = createTrimmer()
  trim({ type: 'message.start', run, id: 'm', role: 'assistant', seq: 1 })
  trim(delta(2, 0, 'first try'))
  trim({ type: 'message.start', run, id: 'm', role: 'assistant', attempt: 2, seq: 4 })
  expect(trim(delta(5, 0, 'second'))).toEqual(delta(5, 0, 'second'))
})

test('a message whose start was not sent here is left as it is', () => {
  expect(createTrimmer()(delta(7, 0, 'whole text'))).toEqual(delta(7, 0, 'whole text'))
})

test('a reader that is behind when a run ends is sent only what it lacks of a long answer', async () => {
  const log = memoryLog()
  const reader = readLog(log, { after: 0 }, new AbortController().signal)[Symbol.asyncIterator]()
  const words = Array.from({ length: 50 }, (_, i) => `word${i} `)
  await log.append([
    { type: 'run.start', run, protocol: 1 },
    { type: 'message.start', run, id: 'm', role: 'assistant' },
  ])
  let at = 0
  const append = async (word: string) => {
    await log.append([{ type: 'message.delta', run, id: 'm', part: 0, at, text: word }])
    at += word.length
  }
  for (const word of words.slice(0, 40)) await append(word)
  const received: RivuletEvent[] = []
  const next = async () => {
    const { value } = await reader.next()
    if (value?.type === 'events') received.push(...value.events)
  }
  await next()
  await next()
  for (const word of words.slice(40)) await append(word)
  await log.append([
    { type: 'message.end', run, id: 'm', lengths: [at] },
    { type: 'run.end', run, status: 'done' },
  ])
  while (!received.some(({ type }) => type === 'run.end')) await next()
  const texts = received.flatMap((event) => (event.type === 'message.delta' ? [event.text] : []))
  expect(texts.join('')).toBe(words.join(''))
})
