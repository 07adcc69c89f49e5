import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, spread } from './statistics.mjs'

void test('the median is the middle value, whatever the order', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([10, 9, 100]), 10)
})

void test('an even number of values has its median between the two in the middle', () => {
  assert.equal(median([4, 1, 2, 100]), 3)
})

void test('no values have no median', () => {
  assert.equal(median([]), NaN)
})

void test('the spread is the distance of the extremes as a share of the median', () => {
  assert.equal(spread([8, 10, 13]), 0.5)
  assert.equal(spread([7, 7]), 0)
})
