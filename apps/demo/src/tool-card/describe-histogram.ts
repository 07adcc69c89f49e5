import type { NumericColumn } from '../../contract/csv-analysis.ts'
import { numberText } from '../../contract/number-text.ts'

/** A histogram in one sentence, for those who do not see it: its extent and its tallest bar. */
export function describeHistogram({ name, histogram, min, max }: NumericColumn): string {
  const [first, ...rest] = histogram
  if (!first) return `Histogram of ${name}: no values.`
  const tallest = rest.reduce((best, bin) => (bin.count > best.count ? bin : best), first)
  return (
    `Histogram of ${name} from ${numberText(min)} to ${numberText(max)}. ` +
    `Most values, ${numberText(tallest.count)}, lie between ${numberText(tallest.from)} and ${numberText(tallest.to)}.`
  )
}
