import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** What names the rows that a test proves. */
const NAMED = /\[rows? (\d+(?:, \d+)*)\]/g

/**
 * The rows that this name of a test, or of a group of tests, names.
 *
 * @param {string} name
 * @returns {number[]}
 */
export function rowsIn(name) {
  return [...name.matchAll(NAMED)].flatMap(([, numbers = '']) => numbers.split(', ').map(Number))
}

/**
 * The test files that name each row, by their text.
 *
 * @returns {Map<number, string[]>}
 */
export function filesByRow() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  const tests = listed
    .toString()
    .split('\n')
    .filter((file) => /^(packages|apps|reliability)\/.*\.test\.tsx?$/.test(file))
  /** @type {Map<number, string[]>} */
  const files = new Map()
  for (const file of tests.toSorted()) {
    for (const row of new Set(rowsIn(readFileSync(join(root, file), 'utf8')))) {
      files.set(row, [...(files.get(row) ?? []), file])
    }
  }
  return files
}
