/** What one filled cell looks like by itself. */
export type CellKind = 'integer' | 'number' | 'boolean' | 'date' | 'text'

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/
const INTEGER = /^[+-]?[\d,]+$/
const BOOLEAN = /^(?:true|false|yes|no)$/i
const DATE =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/
/** No number, date or truth value is longer; longer cells are text without a closer look. */
const MAX_TYPED = 64

/** The number in a cell, thousands separated by commas or not; `undefined` when it holds none or one too large. */
export function numberIn(cell: string): number | undefined {
  if (cell.length > MAX_TYPED) return undefined
  const plain = GROUPED.test(cell) ? cell.replaceAll(',', '') : cell
  if (!PLAIN.test(plain)) return undefined
  const value = Number(plain)
  return Number.isFinite(value) ? value : undefined
}

/** The kind of a filled cell, trimmed. Dates are ISO 8601; `yes` and `no` are truth values, `0` and `1` are not. */
export function kindOf(cell: string): CellKind {
  if (cell.length > MAX_TYPED) return 'text'
  if (numberIn(cell) !== undefined) return INTEGER.test(cell) ? 'integer' : 'number'
  if (BOOLEAN.test(cell)) return 'boolean'
  return DATE.test(cell) ? 'date' : 'text'
}
