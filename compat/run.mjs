import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** `npm test`: builds the client, then drives the servers of others with it. */
const root = new URL('../', import.meta.url)
const { packageManager } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
execFileSync('npx', ['-y', packageManager, 'exec', 'turbo', 'run', 'build', '--filter=@rivulet/client'], {
  cwd: root,
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const { status } = spawnSync(process.execPath, ['--test', 'langgraph'], {
  cwd: new URL('.', import.meta.url),
  stdio: ['ignore', 'inherit', 'inherit'],
})
process.exitCode = status ?? 1
