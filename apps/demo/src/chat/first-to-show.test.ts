import { expect, test } from 'vitest'
import { firstToShow } from './first-to-show.ts'

test('a long conversation begins with its end', () => {
  expect(firstToShow(200, 0)).toBe(176)
})

test('once there was time, it is shown from its beginning', () => {
  expect(firstToShow(200, 200)).toBe(0)
  expect(firstToShow(202, 200)).toBe(0)
})

test('a short conversation, and one after a longer one, is shown as a whole', () => {
  expect(firstToShow(24, 0)).toBe(0)
  expect(firstToShow(10, 200)).toBe(0)
})
