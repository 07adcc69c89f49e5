import type { CsvAnalysis } from '../../../contract/csv-analysis.ts'
import type { CsvFile } from '../../../contract/csv-file.ts'
import { numberIn } from './cell.ts'
import { columnMeter, type ColumnMeter } from './column-meter.ts'
import { readRows, unifyLines } from './rows.ts'

/** Columns that are measured; what a wider table has beyond is only counted. */
export const MAX_COLUMNS = 60
/** A file is worked through in at most this many pieces of at least this many lines. */
const MAX_PIECES = 40
const MIN_LINES_A_PIECE = 100

/** How far the analysis is, in rows. Until the last row is read, `total` is what the number of lines lets expect. */
export interface CsvProgress {
  done: number
  total: number
  message: string
}

/** What the analysis needs from outside. */
export interface AnalyzeOptions {
  /** Stops the work between two pieces: the promise rejects with its reason. */
  signal: AbortSignal
  /** Hears of each piece. */
  onProgress: (progress: CsvProgress) => void
  /** Waited for between two pieces, at most 40 times a file. */
  breathe: (signal: AbortSignal) => Promise<void>
  /** Names of the columns to measure; all when left out. Case does not count. */
  columns?: readonly string[] | undefined
}

/**
 * Types, counts, figures and a histogram for each column of a CSV file. Short rows count as missing cells and long ones
 * lose what has no column; both are counted as ragged. What is no table comes back as a `problem` in one sentence.
 */
export async function analyzeCsv(file: CsvFile, options: AnalyzeOptions): Promise<CsvAnalysis> {
  const { signal, onProgress, breathe } = options
  if (file.text.includes('\0')) return problem(file, 'is not a text file, so it cannot be read as CSV.')
  const text = unifyLines(file.text)
  const expected = countRows(text)
  const table = tableMeter()
  onProgress({ done: 0, total: expected, message: 'Reading rows' })
  await readRows(text, {
    pieces: Math.min(MAX_PIECES, Math.max(1, Math.floor(expected / MIN_LINES_A_PIECE))),
    signal,
    breathe,
    onRows(rows) {
      for (const row of rows) table.add(row)
      onProgress({ done: Math.min(table.rows(), expected), total: expected, message: 'Reading rows' })
    },
  })
  const rows = table.rows()
  if (!table.hasHeader()) return problem(file, 'is empty.')
  const { columns, ...counts } = table.result()
  const chosen = options.columns ? chooseColumns(columns, options.columns) : columns
  if (chosen.length === 0) {
    const known = columns.map(({ name }) => JSON.stringify(name)).join(', ')
    return problem(file, `has no such column. Its columns are ${known}.`)
  }
  onProgress({ done: rows, total: rows, message: 'Done' })
  return { file: file.name, rows, ...counts, columns: chosen }
}

function problem(file: CsvFile, sentence: string): CsvAnalysis {
  return { file: file.name, problem: `${file.name} ${sentence}` }
}

function chooseColumns<T extends { name: string }>(columns: readonly T[], names: readonly string[]): T[] {
  const wanted = new Set(names.map((name) => name.trim().toLowerCase()))
  return columns.filter(({ name }) => wanted.has(name.toLowerCase()))
}

/** Collects rows: the first is the header, or data under made-up names when every cell of it is a number. */
function tableMeter() {
  let meters: ColumnMeter[] | undefined
  let width = 0
  let rows = 0
  let ragged = 0
  let unnamed = false

  const addRow = (row: readonly string[], columns: readonly ColumnMeter[]): void => {
    rows += 1
    if (row.length !== width) ragged += 1
    columns.forEach((meter, index) => meter.add(row[index]))
  }
  return {
    add(row: readonly string[]): void {
      if (meters) return addRow(row, meters)
      unnamed = row.every((cell) => numberIn(cell.trim()) !== undefined)
      width = row.length
      meters = columnNames(row, unnamed).slice(0, MAX_COLUMNS).map(columnMeter)
      if (unnamed) addRow(row, meters)
    },
    hasHeader: () => meters !== undefined,
    rows: () => rows,
    result() {
      const columns = (meters ?? []).map((meter) => meter.result())
      return { ragged, unnamed, columns, omitted: Math.max(0, width - MAX_COLUMNS) }
    },
  }
}

/** A name for each cell of the header: what it says, or `column 3`; one that is taken gets a number. */
function columnNames(header: readonly string[], unnamed: boolean): string[] {
  const taken = new Set<string>()
  return header.map((cell, index) => {
    const wanted = unnamed || cell.trim() === '' ? `column ${index + 1}` : cell.trim()
    let name = wanted
    for (let n = 2; taken.has(name); n += 1) name = `${wanted} (${n})`
    taken.add(name)
    return name
  })
}

/** Rows below the header, if no line is blank and no quote is left open. */
function countRows(text: string): number {
  let count = text.endsWith('\n') ? -1 : 0
  let isQuoted = false
  for (const [mark] of text.matchAll(/["\n]/g)) {
    if (mark === '"') isQuoted = !isQuoted
    else if (!isQuoted) count += 1
  }
  return Math.max(0, count)
}
