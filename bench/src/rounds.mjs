import { fork } from 'node:child_process'

/** @typedef {import('./rows/row.mjs').Row} Row */
/** @typedef {import('./rows/row.mjs').Subject} Subject */
/** @typedef {{ title: string, module: string, row: Row }} Entry */
/** @typedef {{ entry: Entry, subject: Subject, values: number[], failure: string | undefined }} Cell */

const childPath = new URL('child.mjs', import.meta.url).pathname

/** Only what a process needs: tracing of a peer, or a loader of somebody's shell, would be measured as well. */
const env = { PATH: process.env['PATH'], NODE_ENV: 'production', LANGSMITH_TRACING: 'false' }

/**
 * Measures every cell once a round, each time in a process of its own, one after the other. Subjects of a row follow
 * each other, so that they meet the same machine, and another one comes first each round.
 *
 * @param {readonly Cell[]} cells those of a row side by side
 * @param {number} rounds
 * @param {'full' | 'smoke'} effort
 * @param {(round: number, cell: Cell) => void} onCell before it is measured
 * @param {(round: number) => void} onRound before a round
 */
export async function measureRounds(cells, rounds, effort, onCell, onRound) {
  for (let round = 0; round < rounds; round++) {
    onRound(round)
    for (const row of byRow(cells)) {
      for (const cell of rotated(row, round)) {
        if (cell.failure !== undefined) continue
        onCell(round, cell)
        try {
          cell.values.push(await measure(cell, effort))
        } catch (error) {
          cell.failure = error instanceof Error ? error.message : String(error)
        }
      }
    }
  }
}

/** @param {readonly Cell[]} cells */
function byRow(cells) {
  /** @type {Map<Entry, Cell[]>} */
  const rows = new Map()
  for (const cell of cells) rows.set(cell.entry, [...(rows.get(cell.entry) ?? []), cell])
  return rows.values()
}

/**
 * @param {readonly Cell[]} cells
 * @param {number} round
 */
function rotated(cells, round) {
  const first = round % cells.length
  return [...cells.slice(first), ...cells.slice(0, first)]
}

/**
 * @param {Cell} cell
 * @param {'full' | 'smoke'} effort
 * @returns {Promise<number>}
 */
function measure({ entry, subject }, effort) {
  return new Promise((resolve, reject) => {
    const child = fork(childPath, [entry.module, entry.row.name, subject, effort], {
      execArgv: ['--expose-gc', '--max-old-space-size=4096'],
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    /** @type {unknown} */
    let answer
    let complaint = ''
    child.on('message', (value) => (answer = value))
    child.stderr?.on('data', (text) => (complaint += String(text)))
    child.on('error', reject)
    child.on('exit', (code) => {
      if (typeof answer === 'number' && code === 0) resolve(answer)
      else reject(new Error(firstError(complaint) ?? `the process ended with code ${code} and no value`))
    })
  })
}

/** @param {string} complaint what Node writes when it dies: the place, the code, the error, the stack */
function firstError(complaint) {
  return complaint.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? complaint.trim().split('\n')[0]
}
