import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { build } from '../src/build.mjs'
import { median } from '../src/statistics.mjs'
import { bundle } from './src/bundle.mjs'
import { OLD, TOKENS, TOKENS_A_SECOND } from './src/conversation.mjs'
import { measure } from './src/measure.mjs'
import { serve } from './src/server.mjs'

/** `node run.mjs [subjects] [--rounds 5] [--no-build]`: see ../README.md. */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, 'no-build': { type: 'boolean', default: false } },
})
const OURS = 'rivulet'
const all = [OURS, 'langchain-react', 'langgraph-legacy', 'ai-sdk', 'tanstack']
const subjects = positionals.length === 0 ? all : all.filter((name) => positionals.includes(name))
const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
)
if (executablePath === undefined) throw new Error('no Chromium found: install it, or set CHROMIUM_PATH')
const say = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)

if (!options['no-build']) build('@rivulet/react')
const folder = await mkdtemp(join(tmpdir(), 'bench-page-'))
const sizes = await bundle(subjects, folder)
const server = await serve(folder)
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
/** @type {Map<string, import('./src/measure.mjs').Measured[]>} */
const measured = new Map(subjects.map((name) => [name, []]))
try {
  say(`${TOKENS} tokens at ${TOKENS_A_SECOND} a second below ${OLD} rows; Chromium ${browser.version()}`)
  for (let round = 0; round < Number(options.rounds); round++) {
    // Another one first each round, so that none always has the warmest machine.
    const order = subjects.map((_, i) => subjects[(i + round) % subjects.length] ?? OURS)
    for (const name of order) measured.get(name)?.push(await measure(browser, `${server.url}/${name}.html`))
  }
} finally {
  await browser.close()
  server.close()
  await rm(folder, { recursive: true })
}

/** @typedef {keyof import('./src/measure.mjs').Measured} Field */
const of = (/** @type {string} */ name, /** @type {Field} */ field) =>
  median((measured.get(name) ?? []).map((one) => one[field]))
/** @type {readonly Field[]} */
const fields = ['scriptMs', 'taskMs', 'list', 'live', 'old', 'lateMs']
say(`\n${'medians'.padEnd(18)}${[...fields, 'page KiB gz'].map((name) => name.padStart(12)).join('')}`)
for (const name of subjects) {
  const cells = [...fields.map((field) => of(name, field).toFixed(0)), (sizes.get(name) ?? 0).toFixed(0)]
  say(`${name.padEnd(18)}${cells.map((cell) => cell.padStart(12)).join('')}`)
}
const peers = subjects.filter((name) => name !== OURS)
if (peers.length > 0 && subjects.includes(OURS)) {
  const best = Math.min(...peers.map((name) => of(name, 'scriptMs')))
  const frames = (TOKENS / TOKENS_A_SECOND) * 60
  /** @type {readonly [string, number, number][]} */
  const targets = [
    ['script, of the best peer’s', of(OURS, 'scriptMs') / best, 0.25],
    ['list renders', of(OURS, 'list'), 5],
    ['live row renders', of(OURS, 'live'), frames + 10],
    ['old row renders', of(OURS, 'old'), 0],
    ['last token late by ms', of(OURS, 'lateMs'), 50],
  ]
  say('\ntargets')
  for (const [name, value, limit] of targets) {
    say(`${value <= limit ? 'reached' : 'MISSED '} ${name}: ${value.toFixed(2)} of ${limit}`)
  }
}
