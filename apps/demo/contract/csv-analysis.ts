import { z } from 'zod'

/** One bar of a histogram: values from `from` up to `to`; the last bar holds its upper end too. */
const bin = z.object({ from: z.number(), to: z.number(), count: z.number() })

const counts = {
  name: z.string(),
  /** Cells with a value. */
  filled: z.number(),
  /** Empty cells, and cells that a short row does not have. */
  missing: z.number(),
  /** Filled cells that are not of the column's type. */
  unlike: z.number(),
}

/** A column of numbers: figures are over the cells that hold one. */
const numericColumn = z.object({
  ...counts,
  type: z.enum(['integer', 'number']),
  mean: z.number(),
  min: z.number(),
  max: z.number(),
  /** Some integers are beyond 2^53, where figures are rounded. */
  rounded: z.boolean(),
  histogram: z.array(bin),
})

/** A column of anything else. `distinct` stops counting at its bound and then says so. */
const otherColumn = z.object({
  ...counts,
  type: z.enum(['text', 'date', 'boolean', 'empty']),
  distinct: z.number(),
  distinctIsBound: z.boolean(),
  /** The most frequent values, most frequent first. */
  top: z.array(z.object({ value: z.string(), count: z.number() })),
  /** First and last day of a `date` column, as written. */
  range: z.tuple([z.string(), z.string()]).optional(),
})

/** A column and what is known of it. */
const column = z.discriminatedUnion('type', [numericColumn, otherColumn])

/** What `analyze_csv` answers, or in one sentence why it cannot. */
export const csvAnalysis = z.union([
  z.object({
    file: z.string(),
    /** Rows below the header; blank lines do not count. */
    rows: z.number(),
    /** Rows with more or fewer cells than the header. */
    ragged: z.number(),
    /** The first row was data, so columns were given names. */
    unnamed: z.boolean(),
    columns: z.array(column),
    /** Columns beyond the bound, which were not measured. */
    omitted: z.number(),
  }),
  z.object({ file: z.string(), problem: z.string() }),
])

/** One bar of a histogram. */
export type Bin = z.infer<typeof bin>

/** A column of numbers, with its figures. */
export type NumericColumn = z.infer<typeof numericColumn>

/** A column of anything else, with its most frequent values. */
export type OtherColumn = z.infer<typeof otherColumn>

/** A column and what is known of it; {@link isNumeric} tells the two apart. */
export type Column = z.infer<typeof column>

/** See {@link csvAnalysis}. */
export type CsvAnalysis = z.infer<typeof csvAnalysis>

/** An analysis that succeeded. */
export type CsvFigures = Exclude<CsvAnalysis, { problem: string }>

/** Whether a column is one of numbers, with figures and a histogram. */
export function isNumeric(column: Column): column is NumericColumn {
  return column.type === 'integer' || column.type === 'number'
}
