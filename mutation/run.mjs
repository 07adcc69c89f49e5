import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

/**
 * `pnpm mutation [part] [file]`: changes the code of a part, or of one of its files, in every way that Stryker knows, one
 * at a time, and runs its tests on each. Fails when fewer than 85 % of the changes are noticed. Parts: `connection` (the
 * default), `fold`.
 */
const PARTS = { connection: 'packages/client/src/connection', fold: 'packages/protocol/src/fold' }
const part = /** @type {keyof typeof PARTS} */ (process.argv[2] ?? 'connection')
const files = process.argv[3] ?? '*.ts'
const root = resolve(import.meta.dirname, '..')
const { resolve: locate } = createRequire(import.meta.url)
const config = {
  mutate: [`${PARTS[part]}/${files}`, `!${PARTS[part]}/*.test.ts`],
  testRunner: 'vitest',
  plugins: [locate('@stryker-mutator/vitest-runner')],
  vitest: { configFile: 'mutation/vitest.config.ts', related: true },
  coverageAnalysis: 'perTest',
  // The tests say what is right; what does not compile, they say as well.
  checkers: [],
  ignoreStatic: true,
  // What Stryker would do to the project's own is not for this TypeScript.
  tsconfigFile: 'mutation/none.json',
  inPlace: false,
  concurrency: Number(process.env['MUTATION_WORKERS'] ?? 2),
  timeoutMS: 20_000,
  thresholds: { high: 95, low: 90, break: 85 },
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `mutation/reports/${part}.json` },
  tempDirName: 'mutation/.stryker',
  ignorePatterns: ['bench', 'compat', 'docs', 'apps', '**/dist', '**/.types'],
  allowConsoleColors: false,
  warnings: false,
}
const file = join(root, 'mutation/stryker.generated.json')
writeFileSync(file, JSON.stringify(config))
const stryker = join(import.meta.dirname, 'node_modules/.bin/stryker')
// Random logs find what is wrong in a few cases, or in none.
const env = { FOLD_RUNS: '20', ...process.env }
const { status } = spawnSync(stryker, ['run', file], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
rmSync(file)
process.exitCode = status ?? 1
