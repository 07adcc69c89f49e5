import { expect, test } from 'vitest'
import { numberText } from '../contract/number-text.ts'

test.each([
  [0, '0'],
  [-0, '0'],
  [1234567, '1,234,567'],
  [-12.5, '-12.5'],
  [1234.5678, '1,234.57'],
  [2.71449265, '2.7145'],
  [0.00012345, '0.00012345'],
  [0.00001234567, '1.23457E-5'],
  [1e21, '1E21'],
  [2 ** 64, '1.84467E19'],
  [-1e308, '-1E308'],
])('%d is written as %s', (value, text) => {
  expect(numberText(value)).toBe(text)
})
