import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** `npm test`: builds what others meet, then drives their servers and clients with it and lets their suites judge it. */
const root = new URL('../', import.meta.url)
const { packageManager } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
const built = ['--filter=@rivulet/client', '--filter=@rivulet/server']
execFileSync('npx', ['-y', packageManager, 'exec', 'turbo', 'run', 'build', ...built], {
  cwd: root,
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const cwd = new URL('.', import.meta.url)
for (const args of [['checkpoint-validation/run.mjs'], ['--test', 'langgraph', 'clients']]) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) process.exitCode = status ?? 1
}
