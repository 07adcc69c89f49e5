import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  callSegment,
  formatNamespace,
  isCallSegment,
  isWithin,
  parseNamespace,
  parseSegment,
  ROOT,
  sameNamespace,
  taskSegment,
} from './namespace.ts'

const segment = fc.string({ minLength: 1 }).filter((text) => !text.includes('|'))

test('a namespace is read as it was written', () => {
  expect(formatNamespace(ROOT)).toBe('')
  expect(parseNamespace('')).toBe(ROOT)
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1 }), (ns) => {
      expect(parseNamespace(formatNamespace(ns))).toEqual(ns)
    }),
  )
})

test.each([[['']], [['a', '']], [['a|b']]])('%j is no namespace', (ns) => {
  expect(() => formatNamespace(ns)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
})

test.each(['|', 'a|', '|a', 'a||b'])('%j names no namespace', (text) => {
  expect(() => parseNamespace(text)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
})

test('a segment names its node and task, also where the node has colons', () => {
  expect(parseSegment(taskSegment('a:b', '7'))).toEqual({ node: 'a:b', task: '7' })
  expect(parseSegment('alone')).toEqual({ node: 'alone', task: '' })
})

test('a call’s id stands in a namespace whatever is in it', () => {
  expect(parseNamespace(formatNamespace(['n:1', callSegment('a|b%c')]))).toEqual(['n:1', 'call:a%7Cb%25c'])
})

test('a namespace lies within itself and what is above it', () => {
  expect([isWithin(['a', 'b'], ['a']), isWithin(['a'], ROOT), isWithin(['a'], ['a'])]).toEqual([true, true, true])
  expect([isWithin(['a'], ['a', 'b']), isWithin(['b', 'c'], ['a'])]).toEqual([false, false])
  expect([sameNamespace(['a'], ['a']), sameNamespace(ROOT, ROOT), sameNamespace(['a'], ['b'])]).toEqual([
    true,
    true,
    false,
  ])
  expect(sameNamespace(['a'], ['a', 'b'])).toBe(false)
})

test('a call is told from a task', () => {
  expect(['7', callSegment('a|b')].every(isCallSegment)).toBe(true)
  expect([taskSegment('a', '7'), 'alone', '7a'].some(isCallSegment)).toBe(false)
})
