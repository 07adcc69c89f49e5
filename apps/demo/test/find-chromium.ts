import { existsSync } from 'node:fs'

const USUAL = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/**
 * Path of the system's Chromium: `CHROMIUM_PATH`, else where it usually is. `undefined` when there is none, which is
 * said in one line; with `REQUIRE_BROWSER=1` it throws instead.
 */
export function findChromium(
  env: Readonly<Record<string, string | undefined>> = process.env,
  usual: readonly string[] = USUAL,
): string | undefined {
  const path = [env['CHROMIUM_PATH'], ...usual].find((candidate) => candidate && existsSync(candidate))
  if (path) return path
  const advice = 'No Chromium found: install the package "chromium" or set CHROMIUM_PATH to run the test in a browser.'
  if (env['REQUIRE_BROWSER'] === '1') throw new Error(advice)
  process.stdout.write(`${advice}\n`)
  return undefined
}
