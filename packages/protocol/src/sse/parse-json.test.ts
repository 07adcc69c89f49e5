import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from './parse-json.ts'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

test('what is nested as deep as allowed is read, one level more is refused', () => {
  expect(parseJson(nested(8), 'custom', 8)).toEqual(JSON.parse(nested(8)))
  expect(() => parseJson(nested(9), 'custom', 8)).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED', message: 'a custom event is nested deeper than 8 levels' }),
  )
  expect(() => parseJson(nested(100_000), 'custom')).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
})

test('brackets in text are no levels', () => {
  const value = { text: '[{'.repeat(50), quote: '"[[[[[[[[[[', slash: '\\', more: '[['.repeat(20) }
  expect(parseJson(JSON.stringify(value), 'custom', 2)).toEqual(value)
})

test('whatever is not deeper than allowed arrives whole', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify(value)
      expect(parseJson(text, 'custom', 5)).toEqual(JSON.parse(text))
    }),
  )
})

test('what is not JSON is another protocol', () => {
  expect(() => parseJson('[DONE]', 'message')).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISMATCH' }))
})
