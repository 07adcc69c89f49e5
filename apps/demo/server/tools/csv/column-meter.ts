import type { Column } from '../../../contract/csv-analysis.ts'
import { kindOf, numberIn, type CellKind } from './cell.ts'
import { histogram } from './histogram.ts'

/** A column is of a type when at least this share of its filled cells is. */
const LIKE_SHARE = 0.9
/** Distinct values that are counted one by one. */
const MAX_DISTINCT = 1000
/** How many of the most frequent values are named, and how long each may be. */
const TOP_VALUES = 5
const MAX_VALUE_LENGTH = 60

/** Measures one column, a cell at a time. */
export interface ColumnMeter {
  /** Takes the next cell; `undefined` is a cell that a short row does not have. */
  add(cell: string | undefined): void
  /** What the cells so far add up to. */
  result(): Column
}

/** A meter for the column called `name`. It holds the column's numbers and up to 1,000 of its distinct texts. */
export function columnMeter(name: string): ColumnMeter {
  let missing = 0
  const kinds: Record<CellKind, number> = { integer: 0, number: 0, boolean: 0, date: 0, text: 0 }
  const numbers: number[] = []
  const texts = textMeter()

  return {
    add(cell) {
      const text = cell?.trim() ?? ''
      if (text === '') {
        missing += 1
        return
      }
      const kind = kindOf(text)
      kinds[kind] += 1
      const value = kind === 'integer' || kind === 'number' ? numberIn(text) : undefined
      if (value !== undefined) numbers.push(value)
      texts.add(text, kind)
    },
    result() {
      const filled = Object.values(kinds).reduce((sum, count) => sum + count, 0)
      const type = typeOfColumn(kinds, filled)
      const counts = { name, filled, missing }
      if (type === 'integer' || type === 'number') {
        return { ...counts, type, unlike: filled - numbers.length, ...numericFigures(numbers, type === 'integer') }
      }
      const unlike = type === 'date' || type === 'boolean' ? filled - kinds[type] : 0
      return { ...counts, type, unlike, ...texts.figures(type === 'date') }
    },
  }
}

function typeOfColumn(kinds: Readonly<Record<CellKind, number>>, filled: number): Column['type'] {
  if (filled === 0) return 'empty'
  const enough = filled * LIKE_SHARE
  if (kinds.integer + kinds.number >= enough) return kinds.number === 0 ? 'integer' : 'number'
  if (kinds.date >= enough) return 'date'
  return kinds.boolean >= enough ? 'boolean' : 'text'
}

function numericFigures(numbers: readonly number[], whole: boolean) {
  let min = Infinity
  let max = -Infinity
  let mean = 0
  let count = 0
  let rounded = false
  for (const value of numbers) {
    count += 1
    if (value < min) min = value
    if (value > max) max = value
    mean += value / count - mean / count // A running mean: the sum of large numbers could overflow.
    if (whole && !Number.isSafeInteger(value)) rounded = true
  }
  return { min, max, mean, rounded, histogram: histogram(numbers, { min, max, whole }) }
}

/** Counts distinct texts up to a bound, and keeps the first and last date. */
function textMeter() {
  const distinct = new Map<string, number>()
  let distinctIsBound = false
  let first: string | undefined
  let last: string | undefined
  return {
    add(text: string, kind: CellKind): void {
      if (kind === 'date') {
        if (first === undefined || text < first) first = text
        if (last === undefined || text > last) last = text
      }
      const known = distinct.get(text)
      if (known !== undefined) distinct.set(text, known + 1)
      else if (distinct.size < MAX_DISTINCT) distinct.set(text, 1)
      else distinctIsBound = true
    },
    figures(isDate: boolean) {
      const range =
        isDate && first !== undefined && last !== undefined ? { range: [first, last] as [string, string] } : {}
      const top = [...distinct].sort(([, a], [, b]) => b - a).slice(0, TOP_VALUES)
      return {
        distinct: distinct.size,
        distinctIsBound,
        top: top.map(([value, count]) => ({ value: shorten(value), count })),
        ...range,
      }
    },
  }
}

function shorten(value: string): string {
  return value.length > MAX_VALUE_LENGTH ? `${value.slice(0, MAX_VALUE_LENGTH - 1)}…` : value
}
