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

/** The JSON in a column. Throws `INTERNAL` where it is none. */
export function jsonIn(row: Row, column: string): unknown {
  const text = textIn(row, column)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new RivuletError('INTERNAL', `the database is damaged: ${column} is no JSON`, { cause })
  }
}

/** The JSON object in a column. Throws `INTERNAL` where there is none. */
export function objectIn(row: Row, column: string): Readonly<Record<string, unknown>> {
  const value = jsonIn(row, column)
  if (isObject(value)) return value
  throw new RivuletError('INTERNAL', `the database is damaged: ${column} is no object`)
}

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
