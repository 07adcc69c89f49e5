import { spawn } from 'node:child_process'
import { programOf } from './program.mjs'

/**
 * `pnpm fuzz [schedules] [first seed]`: that many random conversations through the whole stack with faults on the way,
 * by default 5,000, and twenty times as many random splits of streams, in two processes. Exits with 1 and the seeds
 * when one of them fails.
 */
const PROCESSES = 2
const schedules = Number(process.argv[2] ?? 5000)
const first = Number(process.argv[3] ?? 1)

const program = await programOf('fuzz/child.ts')
const began = performance.now()
const results = await Promise.all(Array.from({ length: PROCESSES }, (_, i) => run(first + i)))
const seconds = ((performance.now() - began) / 1000).toFixed(1)
const sum = (/** @type {string} */ name) => results.reduce((total, result) => total + result[name], 0)
const failures = results.flatMap((result) => result.failures)
console.log(
  `${sum('schedules')} fault schedules with ${sum('exchanges')} exchanges, ${sum('events')} events and ${sum('states')} ` +
    `states held against the log, ${sum('splits')} splits of streams: ${failures.length} failures in ${seconds} s`,
)
console.log(`errors that pages were told: ${JSON.stringify(results.map(({ errors }) => errors))}`)
for (const failure of failures) console.error(failure)
process.exitCode = failures.length === 0 ? 0 : 1

/**
 * @param {number} seed
 * @returns {Promise<{ failures: string[], errors: Record<string, number> } & Record<string, any>>}
 */
function run(seed) {
  const share = Math.ceil(schedules / PROCESSES)
  const args = ['--enable-source-maps', '--unhandled-rejections=strict', program, seed, PROCESSES, share, share * 20]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`a process ended with ${code}: ${output}`)),
    )
  })
}
