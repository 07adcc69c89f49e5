import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from './reliability/rows.mjs'
import { filesInMatrix, matrixTable, withMatrix } from './reliability/table.mjs'
import { filesByRow, root, rowsIn } from './reliability/tests-of-rows.mjs'

const document = readFileSync(join(root, 'docs/reliability.md'), 'utf8')

test('every row of the fault matrix is a test, and no test names a row that there is not', () => {
  expect([...filesByRow().keys()].toSorted((a, b) => a - b)).toEqual(Object.keys(rows).map(Number))
})

test('the matrix in the docs names the tests there are, and none has failed', () => {
  const sorted = (/** @type {Map<number, string[]>} */ files) => [...files].toSorted(([a], [b]) => a - b)
  expect(sorted(filesInMatrix(document))).toEqual(sorted(filesByRow()))
  expect(document).not.toMatch(/ of \d+ failed\*\*|\| 0 passed/)
})

test('a name may name one row or several', () => {
  expect(rowsIn('[row 4] one')).toEqual([4])
  expect(rowsIn('[row 4] a group [rows 7, 8] several')).toEqual([4, 7, 8])
  expect(rowsIn('row 4 [4]')).toEqual([])
})

test('a table is written over the one before, and says what failed', () => {
  const place = '<!-- the matrix: written by `pnpm reliability` -->stale<!-- end of the matrix -->'
  const table = matrixTable(new Map([[2, ['a/b.test.ts']]]), (row) => ({ passed: 2, failed: row === 2 ? 1 : 0 }))
  const text = withMatrix(`before ${place} after`, table)
  expect(text).toContain('[b](../a/b.test.ts) | **1 of 3 failed** |')
  expect(text).not.toContain('stale')
  expect(text.endsWith('<!-- end of the matrix --> after')).toBe(true)
  expect(filesInMatrix(text).get(2)).toEqual(['a/b.test.ts'])
  expect(() => withMatrix('nothing', table)).toThrow('no place')
})
