import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)

/**
 * Builds what is measured, so that nobody compares with yesterday's. Throws with what the build said when it fails.
 *
 * @param {string} name package to build, with what it needs
 */
export function build(name = '@rivulet/core') {
  const { packageManager } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  const turbo = ['exec', 'turbo', 'run', 'build', `--filter=${name}`]
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
  execFileSync('npx', ['-y', packageManager, ...turbo], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** @returns {boolean} whether the peers are there to be measured */
export function hasPeers() {
  return existsSync(new URL('node_modules/@langchain/langgraph', new URL('../', import.meta.url)))
}
