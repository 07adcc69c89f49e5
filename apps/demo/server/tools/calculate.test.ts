import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calculate, isExpression, MAX_EXPRESSION } from './calculate.ts'

const valueOf = (expression: string): string => {
  const result = calculate(expression)
  if ('problem' in result) throw new Error(result.problem)
  return result.value
}

const problemOf = (expression: string): string => {
  const result = calculate(expression)
  if (!('problem' in result)) throw new Error(`unexpected value ${result.value}`)
  return result.problem
}

test.each([
  ['2^10', '1024'],
  ['0.1 + 0.2', '0.3'],
  ['2^100', '1267650600228229401496703205376'],
  ['1/3', '0.333333333333'],
  ['sqrt(2)', '1.41421356237'],
  ['sin(pi)', '0'],
  ['15% * 80', '12'],
  ['20!', '2432902008176640000'],
  ['mean(1, 2, 6)', '3'],
  ['10 mod 3', '1'],
  [' (1 + 2) * 3 ', '9'],
])('%s is %s', (expression, value) => {
  expect(valueOf(expression)).toBe(value)
})

test.each([
  ['12 inch to cm', '30.48 cm'],
  ['100 fahrenheit to celsius', '37.7777777778 celsius'],
  ['60 mph to km/h', '96.56064 km / h'],
  ['3 pounds to kg', '1.36077711 kg'],
  ['5 kilometres to miles', '3.10685596119 miles'],
  ['3 hours + 20 minutes to minutes', '200 minutes'],
])('units convert: %s is %s', (expression, value) => {
  expect(valueOf(expression)).toBe(value)
})

test.each(['1/0', '9^9^9^9', '-1/0'])('%s has no value', (expression) => {
  expect(problemOf(expression)).toBe('It has no value, or one that is too large to work out.')
})

test('a calculation says what it worked out', () => {
  expect(calculate('  1 + 1 ')).toEqual({ expression: '1 + 1', value: '2' })
})

describe('what cannot be worked out is a sentence', () => {
  test.each([
    ['', /nothing to work out/],
    ['1 +', /cannot be worked out/],
    ['5 kg to m', /Units do not match/],
    ['colour + 1', /do not know "colour"/],
    ['sqrt', /needs its numbers/],
    ['"text"', /not with text/],
    ['1+'.repeat(MAX_EXPRESSION), /longer than 300 characters/],
    [Array.from({ length: 140 }, () => '1').join('+'), /more than 150 parts/],
  ])('%s', (expression, sentence) => {
    expect(problemOf(expression)).toMatch(sentence)
  })
})

describe('nothing but arithmetic runs', () => {
  test.each([
    'import({ a: 1 })',
    'createUnit("x")',
    'evaluate("1 + 1")',
    'parse("1 + 1")',
    'compile("1")',
    'simplify("x + x")',
    'derivative("x^2", "x")',
    'config({})',
    'x = 1',
    'f(x) = x',
    '{ a: 1 }',
    '[1, 2, 3]',
    '1:1000000000',
    'ones(10000, 10000)',
    'zeros(1e5, 1e5)',
    'cos.constructor("return process")()',
    'constructor',
    '__proto__',
    'toString()',
    'map([1], f)',
    '1; 2',
    '1 ? 2 : 3',
    'unit("5 cm")',
    'random()',
  ])('%s', (expression) => {
    expect(problemOf(expression)).not.toBe('')
    expect(isExpression(expression)).toBe(false)
  })
})

test('an expression that would run for ever is stopped', () => {
  expect(problemOf('combinations(1e9, 5e8)')).toMatch(/longer than 1000 ms/)
  expect(valueOf('1 + 1')).toBe('2')
})

test('any text gives a value or a sentence and never an exception', () => {
  const pieces = fc.constantFrom(
    '1',
    '2.5',
    '+',
    '-',
    '*',
    '/',
    '^',
    '(',
    ')',
    'cm',
    'to',
    'pi',
    'sqrt',
    '!',
    '%',
    ' ',
    ',',
    'é',
    '"',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      ),
      (text) => {
        const result = calculate(text)
        expect('problem' in result ? result.problem : result.value).toEqual(expect.any(String))
      },
    ),
    { numRuns: 300 },
  )
})
