import { rowsOf } from './rows/all.mjs'
import { FULL, sample, SMOKE, warmUp } from './sampling.mjs'
import { median } from './statistics.mjs'

/** Measures one cell in a process of its own and sends its value: `child.mjs <module> <row> <subject> <full | smoke>`. */
const [module = '', name, subject = '', effort] = process.argv.slice(2)
const row = (await rowsOf(module)).find((row) => row.name === name)
const prepare = row?.subjects[/** @type {import('./rows/row.mjs').Subject} */ (subject)]
if (row === undefined || prepare === undefined) throw new Error(`there is no cell ${name} ${subject}`)
process.send?.(await (effort === 'smoke' ? smoked(row, prepare) : measured(row, prepare)))

/**
 * @typedef {import('./rows/row.mjs').Row} Row
 * @typedef {NonNullable<Row['subjects']['ours']>} Prepare
 */

/**
 * @param {Row} row
 * @param {Prepare} prepare
 */
async function measured({ size, warmSize = size }, prepare) {
  const work = await prepare(size)
  if (typeof work === 'number') return work
  await warmUp(warmSize === size ? work : workOf(await prepare(warmSize)), warmSize, FULL)
  return median(await sample(work, size, FULL))
}

/**
 * @param {Row} row
 * @param {Prepare} prepare
 */
async function smoked({ smokeSize }, prepare) {
  const work = await prepare(smokeSize)
  return typeof work === 'number' ? work : median(await sample(work, smokeSize, SMOKE))
}

/** @param {import('./rows/row.mjs').Work | number} work */
function workOf(work) {
  if (typeof work === 'number') throw new Error('a row is sampled or a gauge, not both')
  return work
}
