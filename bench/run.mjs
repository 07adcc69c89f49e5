import { parseArgs } from 'node:util'
import { build, hasPeers } from './src/build.mjs'
import { machine, probe } from './src/noise.mjs'
import { report } from './src/report.mjs'
import { measureRounds } from './src/rounds.mjs'
import { allRows } from './src/rows/all.mjs'
import { median, spread } from './src/statistics.mjs'

/** `node run.mjs [names] [--rounds 5] [--no-peers] [--no-build] [--smoke]`: see README.md. */
const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    'no-peers': { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
})
const say = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)
const { smoke } = options
const peers = !smoke && !options['no-peers']
if (peers && !hasPeers()) throw new Error('the peers are not installed: run `npm ci` here first, or pass --no-peers')
if (!options['no-build']) build()

const rows = (await allRows()).filter(
  ({ row }) => names.length === 0 || names.some((name) => row.name.startsWith(name)),
)
if (rows.length === 0) throw new Error(`no row's name begins with ${names.join(' or ')}`)
/** @type {import('./src/rounds.mjs').Cell[]} */
const cells = rows.flatMap((entry) =>
  /** @type {const} */ (['floor', 'sketch', 'ours', 'peer']).flatMap((subject) =>
    entry.row.subjects[subject] === undefined || (subject === 'peer' && !peers)
      ? []
      : [{ entry, subject, values: [], failure: undefined }],
  ),
)

const rounds = smoke ? 1 : Number(options.rounds)
/** @type {number[]} */
const probes = []
probe()
say(`${machine()}; ${rounds} rounds of ${cells.length} cells`)
await measureRounds(
  cells,
  rounds,
  smoke ? 'smoke' : 'full',
  (round, cell) => progress(round, cell),
  () => {
    probes.push(...Array.from({ length: 3 }, probe))
  },
)
clearProgress()

const { text, verdicts } = report(cells)
const failed = cells.filter(({ failure }) => failure !== undefined)
if (smoke) {
  say(`${cells.length - failed.length} of ${cells.length} cells ran; their sizes say nothing about speed`)
  for (const { entry, subject, failure } of failed) say(`FAILED ${entry.row.name} ${subject}: ${failure}`)
} else {
  say(text)
  const count = (/** @type {string} */ outcome) => verdicts.filter((verdict) => verdict.outcome === outcome).length
  say(`\n${count('reached')} targets reached, ${count('missed')} missed, ${count('not measured')} not measured`)
  say(
    `noise: the same work took ${Math.round(median(probes) / 1000)} ms of CPU, ${Math.round(spread(probes) * 100)} % apart between rounds`,
  )
}
process.exitCode = failed.length === 0 ? 0 : 1

/**
 * @param {number} round
 * @param {import('./src/rounds.mjs').Cell} cell
 */
function progress(round, { entry, subject }) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kround ${round + 1}: ${entry.row.name} ${subject}`)
}

function clearProgress() {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}
