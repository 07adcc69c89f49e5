import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesByRow, root, rowsIn } from './reliability/tests-of-rows.mjs'
import { matrixTable, withMatrix } from './reliability/table.mjs'

/**
 * `pnpm reliability`: runs the tests that name a row of the fault matrix, and writes what came of them into
 * docs/reliability.md. Exits with 1 when one fails.
 */
const files = filesByRow()
const folder = mkdtempSync(join(tmpdir(), 'rivulet-'))
const report = join(folder, 'report.json')
const tests = [...new Set([...files.values()].flat())]
const args = ['run', '--project', 'node', '-t', String.raw`\[rows? \d`, '--reporter=json', '--outputFile', report]
spawnSync(join(root, 'node_modules/.bin/vitest'), [...args, ...tests], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
})

/** @type {{ testResults: { assertionResults: { fullName: string, status: string }[] }[] }} */
const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
rmSync(folder, { recursive: true })
/** @type {Map<number, { passed: number, failed: number }>} */
const results = new Map()
for (const { fullName, status } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
  if (status !== 'passed' && status !== 'failed') continue
  for (const row of rowsIn(fullName)) {
    const result = results.get(row) ?? { passed: 0, failed: 0 }
    result[status]++
    results.set(row, result)
  }
}
const path = join(root, 'docs/reliability.md')
const table = matrixTable(files, (row) => results.get(row) ?? { passed: 0, failed: 0 })
writeFileSync(path, withMatrix(readFileSync(path, 'utf8'), table))
const failed = [...results].filter(([, result]) => result.failed > 0).map(([row]) => row)
console.log(
  `${results.size} rows were tried; ${failed.length === 0 ? 'all held' : `these failed: ${failed.join(', ')}`}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
