import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { measure } from './size/measure.mjs'
import { table } from './size/table.mjs'

/** `node scripts/size.mjs`: weighs what size-budgets.json names and fails when something is over or let in too much. */
const here = dirname(fileURLToPath(import.meta.url))
/** @type {import('./size/measure.mjs').Budget[]} */
const budgets = JSON.parse(await readFile(new URL('../size-budgets.json', import.meta.url), 'utf8'))
const measured = await Promise.all(budgets.map((budget) => measure(budget, here)))
console.log(table(measured))
process.exitCode = measured.every(({ faults }) => faults.length === 0) ? 0 : 1
