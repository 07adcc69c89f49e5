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

test('the largest value falls into the last bin', () => {
  const bins = histogram([0, 0.5, 1], { min: 0, max: 1, whole: false })
  expect(bins.at(-1)).toMatchObject({ to: 1, count: 1 })
})

test('every value is counted once and bins are finite, whatever the values', () => {
  const value = fc.double({ noNaN: true, noDefaultInfinity: true })
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
      const bins = histogram(values, { min: Math.min(...values), max: Math.max(...values), whole: false })
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length)
      expect(bins.length).toBeLessThanOrEqual(MAX_BINS)
      expect(bins.every(({ from, to }) => Number.isFinite(from) && Number.isFinite(to))).toBe(true)
    }),
  )
})
