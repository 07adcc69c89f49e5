import type { Bin } from '../../../contract/csv-analysis.ts'

/** Most bars of one histogram: more do not fit a phone. */
export const MAX_BINS = 20

/**
 * Counts values into bins of one width between `min` and `max`, which must be theirs: by Sturges' rule, at most
 * {@link MAX_BINS}; whole numbers in a small range get one bin each. No values give no bins, equal values give one.
 */
export function histogram(values: readonly number[], { min, max, whole }: HistogramRange): Bin[] {
  if (values.length === 0) return []
  const perInteger = whole && max - min < MAX_BINS
  const bins = perInteger ? max - min + 1 : Math.min(MAX_BINS, Math.ceil(Math.log2(values.length)) + 1)
  // Divided before subtracting: the distance between two numbers can be more than a number can hold.
  const width = perInteger ? 1 : max / bins - min / bins
  if (min === max || width === 0) return [{ from: min, to: max, count: values.length }]
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of values) {
    const index = Math.min(bins - 1, Math.floor(value / width - min / width))
    counts[index] = counts[index]! + 1
  }
  const edge = (index: number): number => (perInteger ? min + index : min * (1 - index / bins) + max * (index / bins))
  return counts.map((count, index) => ({ from: edge(index), to: edge(index + 1), count }))
}

/** Bounds of the values, and whether all of them are whole. */
export interface HistogramRange {
  min: number
  max: number
  whole: boolean
}
