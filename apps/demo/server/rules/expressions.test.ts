import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isExpression } from '../tools/calculate.ts'
import { findExpressions } from './expressions.ts'

test.each([
  ['what is 2^10 and how do I resume a stream?', ['2^10']],
  ['2+2', ['2+2']],
  ['2 + 2 = ?', ['2 + 2']],
  ['Calculate (1 + 2) * 3, please.', ['(1 + 2) * 3']],
  ['12 inch to cm', ['12 inch to cm']],
  ['12 in to cm', ['12 in to cm']],
  ['how much is 5 Miles in km?', ['5 miles to km']],
  ['convert 100 fahrenheit into celsius', ['100 fahrenheit to celsius']],
  ['20 °C in °F', ['20 degC to degF']],
  ['20 C to F', ['20 degC to degF']],
  ['What is 15% of 80?', ['15% * 80']],
  ['15 percent of 80', ['15% * 80']],
  ['the square root of 16 and 3 squared', ['sqrt(16)', '3^2']],
  ['2 to the power of 8', ['2 ^ 8']],
  ['7 times 6', ['7 * 6']],
  ['100 divided by 8', ['100 / 8']],
  ['3 x 4', ['3 * 4']],
  ['10 mod 3', ['10 mod 3']],
  ['3 hours plus 20 minutes to minutes', ['3 hours + 20 minutes to minutes']],
  ['how many feet are there in 3 miles?', ['3 miles to feet']],
  ['how many minutes in a day', ['1 day to minutes']],
  ['90 km/h to m/s', ['90 km/h to m/s']],
  ['1,200 + 1,300', ['1200 + 1300']],
  ['max(1,200)', ['max(1,200)']],
  ['sqrt(2) and sin(45 deg)', ['sqrt(2)', 'sin(45 deg)']],
  ['2 * pi', ['2 * pi']],
  ['3 × 4 ÷ 2', ['3 * 4 / 2']],
  ['what is 5!', ['5!']],
  ['what is 10-4', ['10-4']],
  ['¿cuánto es 3 * 4?', ['3 * 4']],
  ['(2 + 3', ['2 + 3']],
  ['1/0', ['1/0']],
  ['10!', ['10!']],
  [' 24/7 ', ['24/7']],
])('%s', (text, expressions) => {
  expect(findExpressions(text).expressions).toEqual(expressions)
})

test.each([
  '',
  'hello',
  'I have 3 cats',
  'open 24/7',
  'on 2026-11-21',
  '2026-11-21',
  '21/11/2026',
  'pages 3-4',
  'version 1.2.3',
  'I bought 5!',
  '5 km',
  'it runs at 5 km/h',
  'three of a kind',
  'how do I stream to 3 clients in React?',
  'log and max and min',
  'what is the mean of level?',
  'C++ and a/b',
  '今日は',
  '3 times a week',
])('%j is no arithmetic', (text) => {
  expect(findExpressions(text)).toEqual({ expressions: [], rest: text })
})

test('what is left is the sentence without its arithmetic', () => {
  expect(findExpressions('what is 2^10 and how do I resume a stream?').rest.replace(/\s+/g, ' ')).toBe(
    'what is and how do I resume a stream?',
  )
})

test('at most three expressions are taken', () => {
  expect(findExpressions('1+1, 2+2, 3+3, 4+4').expressions).toEqual(['1+1', '2+2', '3+3'])
})

test('a very long text is looked through in good time', () => {
  const started = performance.now()
  findExpressions('1 + ('.repeat(20_000))
  findExpressions('how many a in a '.repeat(20_000))
  expect(performance.now() - started).toBeLessThan(5000)
})

test('whatever is typed, what is found is an expression', () => {
  const word = fc.constantFrom(
    'what is',
    '2',
    '3.5',
    '1,000',
    '+',
    '-',
    '^',
    '(',
    ')',
    'in',
    'to',
    'cm',
    'miles',
    'and',
    'sqrt',
    '%',
    'of',
    '!',
    'e',
    'pi',
    '?',
    ',',
  )
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 14 }).map((words) => words.join(' ')),
      (text) => {
        for (const expression of findExpressions(text).expressions) expect(isExpression(expression)).toBe(true)
      },
    ),
    { numRuns: 300 },
  )
})
