import { expect, test } from 'vitest'
import { slopeOf } from '../soak/slope.ts'

test('the slope of sizes is their growth a minute', () => {
  expect(slopeOf([0, 1, 2, 3].map((minutes) => ({ minutes, megabytes: 20 + 2 * minutes })))).toBeCloseTo(2)
  expect(slopeOf([1, 2, 3].map((minutes) => ({ minutes, megabytes: 20 })))).toBe(0)
  expect(slopeOf([])).toBe(0)
})
