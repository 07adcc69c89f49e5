import { expect, test } from 'vitest'
import { hiddenSides } from './side-scroll.tsx'

const box = (scrollLeft: number, scrollWidth: number) => ({ scrollLeft, scrollWidth, clientWidth: 300 })

test('what fits hides nothing', () => {
  expect(hiddenSides(box(0, 300))).toBe('none')
  expect(hiddenSides(box(0.4, 300.6))).toBe('none')
})

test('what is wider hides its end, then both sides, then its start', () => {
  expect([0, 100, 400].map((left) => hiddenSides(box(left, 700)))).toEqual(['end', 'both', 'start'])
})

test('text from right to left scrolls the other way', () => {
  expect([0, -100, -400].map((left) => hiddenSides(box(left, 700)))).toEqual(['end', 'both', 'start'])
})
