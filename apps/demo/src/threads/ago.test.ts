import { expect, test } from 'vitest'
import { ago } from './ago.ts'
import { threadTitle } from './thread-title.ts'

test.each([
  [0, 'just now'],
  [-5000, 'just now'],
  [59_999, 'just now'],
  [60_000, '1 minute ago'],
  [7_200_000, '2 hours ago'],
  [86_400_000, 'yesterday'],
  [864_000_000, '10 days ago'],
])('%i ms ago is %s', (past, words) => {
  expect(ago(1_000_000_000_000 - past, 1_000_000_000_000)).toBe(words)
})

test('a title is the beginning of the first question, in one line', () => {
  expect(threadTitle('  How do\n I resume? ')).toBe('How do I resume?')
  expect(threadTitle('a'.repeat(100))).toBe(`${'a'.repeat(79)}…`)
})

test('a file alone is a title, and so is nothing', () => {
  expect(threadTitle('', 'a.csv')).toBe('a.csv')
  expect(threadTitle(' ')).toBe('Chat')
})
