import type { Bin } from '../../../contract/csv-analysis.ts'

/** Most bars of one histogram: more do not fit a phone. */
export const MAX_BINS = 20

/**
 * Counts values into bins of one width. `min` and `max` are those of the values. About as many bins as Sturges' rule
 * says, at most {@link MAX_BINS}, with round numbers for edges; whole numbers in a small range get one bin each. No
 * values give no bins, equal values give one.
 */
export function histogram(values: readonly number[], { min, max, whole }: HistogramRange): Bin[] {
  if (values.length === 0) return []
  const { width, first, bins } = gridOf(values.length, { min, max, whole })
  if (width === 0) return [{ from: min, to: max, count: values.length }]
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of values) {
    const index = Math.min(bins - 1, Math.max(0, Math.floor(value / width + ROUNDING) - first))
    counts[index] = counts[index]! + 1
  }
  const edge = (index: number): number => Number(((first + index) * width).toPrecision(12))
  return counts.map((count, index) => ({ from: edge(index), to: edge(index + 1), count }))
}

/** Bounds of the values, and whether all of them are whole. */
export interface HistogramRange {
  min: number
  max: number
  whole: boolean
}

/** Values that division puts this little below an edge belong above it: 0.3 / 0.1 is 2.9999999999999996. */
const ROUNDING = 1e-9

/** Bins that begin at whole multiples of their width; the first at `first` times it. Width 0: there is nothing to part. */
function gridOf(count: number, { min, max, whole }: HistogramRange): { width: number; first: number; bins: number } {
  if (whole && max - min < MAX_BINS && max > min) return { width: 1, first: min, bins: max - min + 1 }
  const wanted = Math.min(MAX_BINS - 2, Math.ceil(Math.log2(count)) + 1)
  // Divided before subtracting: the distance between two numbers can be more than a number can hold.
  const width = roundUp(max / wanted - min / wanted, whole)
  const first = Math.floor(min / width + ROUNDING)
  // Numbers that differ only in their last digits, or are next to zero, have no round edges between them.
  if (!Number.isFinite(width * wanted) || width === 0 || Math.abs(first) > 2 ** 30)
    return { width: 0, first: 0, bins: 1 }
  return { width, first, bins: Math.max(1, Math.ceil(max / width - ROUNDING) - first) }
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten; whole numbers get whole widths. */
function roundUp(width: number, whole: boolean): number {
  if (!(width > 0)) return 0
  const power = 10 ** Math.floor(Math.log10(width))
  const steps = whole && power < 10 ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]
  const step = steps.find((candidate) => candidate * power >= width) ?? 10
  return whole ? Math.max(1, step * power) : step * power
}
