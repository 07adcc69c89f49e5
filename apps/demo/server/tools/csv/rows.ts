import Papa from 'papaparse'

/** How {@link readRows} goes through a text. */
export interface ReadRowsOptions {
  /** Into how many pieces of about one size the text is cut; each is handed over, then others may run. */
  pieces: number
  /** Stops between two pieces: the promise rejects with its reason. */
  signal: AbortSignal
  /** Waited for between two pieces, so that other work of the process gets its turn. */
  breathe: (signal: AbortSignal) => Promise<void>
  /** Called once a piece with its rows. A row is a list of cells; blank lines are left out. */
  onRows: (rows: readonly (readonly string[])[]) => void
}

/** The text without a byte order mark and with `\n` at the end of each line: papaparse takes one line end for all. */
export function unifyLines(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
}

/**
 * Reads a CSV text, as {@link unifyLines} gives it, row by row: RFC 4180 quoting; the delimiter is found by papaparse.
 * Resolves after the last piece; rejects when the signal aborts or `onRows` throws.
 */
export function readRows(text: string, { pieces, signal, breathe, onRows }: ReadRowsOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    Papa.parse<string[]>(text, {
      chunkSize: Math.max(1, Math.ceil(text.length / pieces)),
      skipEmptyLines: 'greedy',
      chunk({ data }: Papa.ParseResult<string[]>, parser: Papa.Parser) {
        parser.pause()
        const piece = async (): Promise<void> => {
          onRows(data)
          await breathe(signal)
          signal.throwIfAborted()
        }
        piece().then(
          () => parser.resume(),
          (error: unknown) => {
            reject(error)
            parser.abort()
          },
        )
      },
      complete: () => resolve(),
    })
  })
}
