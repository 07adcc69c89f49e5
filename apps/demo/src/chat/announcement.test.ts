import { expect, test } from 'vitest'
import { announcement } from './announcement.ts'

test('the beginning of an answer is announced once', () => {
  expect(announcement('idle', 'connecting', '')).toBe('The agent is answering.')
  expect(announcement('connecting', 'streaming', '')).toBeUndefined()
  expect(announcement('streaming', 'streaming', 'more')).toBeUndefined()
})

test('an answer that somebody else asked for is announced too', () => {
  expect(announcement('idle', 'streaming', '')).toBe('The agent is answering.')
})

test('a complete answer is read out as a whole', () => {
  expect(announcement('streaming', 'idle', 'Forty-two.')).toBe('The answer is complete. Forty-two.')
})

test('of a long answer the beginning is read out', () => {
  expect(announcement('streaming', 'idle', 'a'.repeat(700))).toBe(`The answer is complete. ${'a'.repeat(600)} …`)
})

test('opening a chat and failing say nothing here', () => {
  expect(announcement('loading', 'idle', 'old')).toBeUndefined()
  expect(announcement('streaming', 'error', 'half')).toBeUndefined()
})
