import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { histogram, MAX_BINS } from './histogram.ts'

test('no values give no bins', () => {
  expect(histogram([], { min: Infinity, max: -Infinity, whole: false })).toEqual([])
})

test('equal values give one bin', () => {
  expect(histogram([3, 3], { min: 3, max: 3, whole: true })).toEqual([{ from: 3, to: 3, count: 2 }])
})

test('whole numbers in a small range get a bin each', () => {
  expect(histogram([1, 2, 2, 4], { min: 1, max: 4, whole: true })).toEqual([
    { from: 1, to: 2, count: 1 },
    { from: 2, to: 3, count: 2 },
    { from: 3, to: 4, count: 0 },
    { from: 4, to: 5, count: 1 },
  ])
})

test('the edges of bins are round numbers', () => {
  const bins = histogram([0.23, 1, 2, 3, 4.07], { min: 0.23, max: 4.07, whole: false })
  expect(bins.map(({ from }) => from)).toEqual([0, 1, 2, 3, 4])
  expect(bins.at(-1)?.to).toBe(5)
})

test('whole numbers in a wide range get whole edges', () => {
  const values = Array.from({ length: 100 }, (_, index) => index)
  const bins = histogram(values, { min: 0, max: 99, whole: true })
  expect(bins.every(({ from, to }) => Number.isInteger(from) && Number.isInteger(to))).toBe(true)
  expect(bins[0]).toEqual({ from: 0, to: 20, count: 20 })
})

test('a value on an edge falls into the bin that begins there, and the largest into the last', () => {
  const bins = histogram([0, 0.1, 0.2, 0.3, 0.4], { min: 0, max: 0.4, whole: false })
  expect(bins.map(({ from, count }) => [from, count])).toEqual([
    [0, 1],
    [0.1, 1],
    [0.2, 1],
    [0.3, 2],
  ])
})

test('numbers too far apart or too near to each other for round edges fall into one bin', () => {
  expect(histogram([-1e308, 1e308], { min: -1e308, max: 1e308, whole: false })).toHaveLength(1)
  expect(histogram([1, 1 + 2e-16], { min: 1, max: 1 + 2e-16, whole: false })).toHaveLength(1)
  expect(histogram([0, 5e-324], { min: 0, max: 5e-324, whole: false })).toHaveLength(1)
})

test('every value is counted once, between finite edges that hold it, whatever the values', () => {
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.double({ min: -100, max: 100, noNaN: true }),
  )
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
      const [min, max] = [Math.min(...values), Math.max(...values)]
      const bins = histogram(values, { min, max, whole: values.every(Number.isInteger) })
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length)
      expect(bins.length).toBeLessThanOrEqual(MAX_BINS)
      expect(bins.every(({ from, to }) => Number.isFinite(from) && Number.isFinite(to))).toBe(true)
      const slack = (Math.abs(min) + Math.abs(max)) * 1e-8
      expect(bins[0]!.from).toBeLessThanOrEqual(min + slack)
      expect(bins.at(-1)!.to).toBeGreaterThanOrEqual(max - slack)
    }),
    { numRuns: 500 },
  )
})
