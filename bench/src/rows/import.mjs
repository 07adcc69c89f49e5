import { bytesHeld } from '../heap.mjs'
import { coreUrl } from '../production.mjs'
import { atMost } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */

const MIB = 1024 * 1024

/** The least that can be imported to run a graph. */
const sketchUrl = new URL('../sketch/engine.mjs', import.meta.url)

/**
 * @param {string} module
 * @returns {Promise<number>} ms of CPU that the first import takes
 */
async function cpu(module) {
  const from = process.cpuUsage()
  await import(module)
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1_000
}

/**
 * @param {string} module
 * @returns {Promise<number>} MiB of heap that stay
 */
async function heap(module) {
  const before = bytesHeld()
  await import(module)
  return (bytesHeld() - before) / MIB
}

/**
 * @param {(module: string) => Promise<number>} measure
 * @returns {Row['subjects']}
 */
const subjects = (measure) => ({
  sketch: () => measure(sketchUrl.href),
  ours: () => measure(coreUrl.href),
  peer: () => measure('@langchain/langgraph'),
})

/** @type {Row[]} */
export const rows = [
  {
    name: 'import/cpu',
    unit: 'ms CPU',
    size: 1,
    smokeSize: 1,
    kind: 'gauge',
    subjects: subjects(cpu),
    targets: [atMost('35 ms', () => 35)],
  },
  {
    name: 'import/heap',
    unit: 'MiB of heap',
    size: 1,
    smokeSize: 1,
    kind: 'gauge',
    subjects: subjects(heap),
    targets: [atMost('1.3 MiB', () => 1.3)],
  },
]
