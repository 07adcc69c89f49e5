import type { Log } from './log-entry.ts'

/** What a terminal or a log's reader might take for more than a character, beyond what JSON escapes by itself. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g

/** Writes each entry as one line of JSON, in which no control character stands as it is. */
export function jsonLines(write: (line: string) => void): Log {
  return (entry) => write(`${JSON.stringify(entry).replace(UNSAFE, escaped)}\n`)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
