/** A number for people: `12,345.68`, `0.000123`, `1.2E21`. At most five or six significant digits behind whole numbers. */
export function numberText(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e15 || size < 1e-4) return scientific.format(value)
  if (Number.isInteger(value)) return grouped.format(value)
  return size >= 1000 ? rounded.format(value) : precise.format(value)
}

const grouped = new Intl.NumberFormat('en-US')
const rounded = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })
const precise = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 5 })
const scientific = new Intl.NumberFormat('en-US', { notation: 'scientific', maximumSignificantDigits: 6 })
