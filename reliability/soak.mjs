import { spawn } from 'node:child_process'
import { programOf } from './program.mjs'

/**
 * `pnpm soak [minutes] [streams] [seed]`: conversations without end over real sockets, by default 200 at once for 10
 * minutes, half of them on a server that is killed every 10 seconds or so and half on one that stays. One body in three
 * is cut. Each thread is read anew in the end and held against what was shown. Exits with 1 when one differs, when a heap
 * grows by 1 MB a minute or more after the warm-up, or when something is left open.
 */
const [minutes = '10', streams = '200', seed = '1'] = process.argv.slice(2)
const LIMIT_MB = 1

const [main, server] = [await programOf('soak/main.ts'), await programOf('soak/server.ts')]
const flags = ['--expose-gc', '--enable-source-maps', '--unhandled-rejections=strict']
const child = spawn(process.execPath, [...flags, main, server, minutes, streams, seed], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let output = ''
child.stdout.on('data', (chunk) => (output += chunk))
const code = await new Promise((resolve) => child.on('close', resolve))
if (code !== 0) throw new Error(`the soak ended with ${code}: ${output}`)

const result = JSON.parse(output)
const { clients, server: steady } = result.heap
const size = (/** @type {{ samples: { megabytes: number }[] }} */ { samples }) =>
  `${samples[0]?.megabytes.toFixed(1)} to ${samples.at(-1)?.megabytes.toFixed(1)} MB`
console.log(
  `${result.minutes} minutes, ${result.streams} streams, ${result.runs} runs, ${result.kills} kills, ${result.cuts} cuts`,
)
console.log(`errors that runs ended with: ${JSON.stringify(result.errors)}`)
console.log(`heap of the clients: ${clients.slope.toFixed(2)} MB a minute (${size(clients)})`)
console.log(`heap of the server that stays: ${steady.slope.toFixed(2)} MB a minute (${size(steady)})`)
console.log(`open handles: ${JSON.stringify(result.handles)}, open streams: ${result.openStreams}`)
console.log(`states that differ from the log: ${result.mismatches.length}`)
for (const mismatch of result.mismatches) console.error(mismatch)
const isBack = Object.entries(result.handles.after).every(
  ([kind, count]) => count <= (result.handles.before[kind] ?? 0),
)
const isFlat = clients.slope < LIMIT_MB && steady.slope < LIMIT_MB
process.exitCode = result.mismatches.length === 0 && isFlat && isBack && result.openStreams === 0 ? 0 : 1
