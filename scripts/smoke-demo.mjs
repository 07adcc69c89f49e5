import { spawn } from 'node:child_process'
import { servedPage } from './demo/served-page.mjs'

/**
 * `node scripts/smoke-demo.mjs '<command>'`: starts the demo as the README says, waits for the address it prints, asks
 * for the page and what the page loads, and ends the demo with everything it started.
 */
const command = process.argv[2]
if (!command) throw new Error("Say how to start the demo: node scripts/smoke-demo.mjs '<command>'")
// A process group of its own: turbo and vite below it end with it.
const demo = spawn(command, { shell: true, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
const ended = new Promise((resolve) => demo.once('close', resolve))
process.once('SIGTERM', () => void endDemo().then(() => process.exit(1)))
try {
  const page = await servedPage([demo.stdout, demo.stderr], AbortSignal.timeout(150_000))
  console.log(`${page.url} serves a page of ${page.bytes} bytes and ${page.scripts} of its own scripts`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await endDemo()
}

/** Ends the whole group, by id, and waits until it is gone; what ignores a polite end is killed. */
async function endDemo() {
  signalGroup('SIGTERM')
  const impatient = setTimeout(() => signalGroup('SIGKILL'), 10_000)
  await ended
  clearTimeout(impatient)
}

/** @type {(signal: NodeJS.Signals) => void} */
function signalGroup(signal) {
  try {
    if (demo.pid !== undefined) process.kill(-demo.pid, signal)
  } catch {
    // ESRCH: the group is gone, which is what was asked for.
  }
}
