import type { Row } from '@libsql/client/sqlite3'
import { RivuletError } from '@rivulet/protocol'

/** The text in a column. Throws `INTERNAL` where there is none. */
export function textIn(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw new RivuletError('INTERNAL', `the database is damaged: ${column} is no text`)
}

/** The text in a column that may be empty. */
export function optionalTextIn(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textIn(row, column)
}
