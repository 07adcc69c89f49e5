/** @typedef {import('./rows/row.mjs').Work} Work */

/**
 * How long one cell is measured, in µs of CPU. `patienceUs` bounds it where a single run takes longer than a sample.
 *
 * @typedef {{ warmUs: number, sampleUs: number, samples: number, patienceUs: number }} Effort
 */

/** @type {Effort} */
export const FULL = { warmUs: 400_000, sampleUs: 100_000, samples: 5, patienceUs: 3_000_000 }

/** Each work once. @type {Effort} */
export const SMOKE = { warmUs: 0, sampleUs: 0, samples: 1, patienceUs: 0 }

/** Counts CPU of this process, user and system, all threads: the garbage collector's work belongs to who made it. */
class Clock {
  /** @type {NodeJS.CpuUsage | undefined} */
  #from
  countedUs = 0

  start() {
    this.countedUs = 0
    this.#from = process.cpuUsage()
  }

  stop() {
    if (this.#from === undefined) return
    const { user, system } = process.cpuUsage(this.#from)
    this.countedUs = user + system
    this.#from = undefined
  }
}

/**
 * @param {Work} work
 * @param {number} units what a run must answer
 * @returns {Promise<number>} µs that counted
 */
async function once(work, units) {
  const clock = new Clock()
  clock.start()
  const done = await work(clock)
  clock.stop()
  if (done !== units) throw new Error(`${done} units arrived, not ${units}`)
  return clock.countedUs
}

/**
 * Runs until the code is warm: at least once.
 *
 * @param {Work} work
 * @param {number} units
 * @param {Effort} effort
 */
export async function warmUp(work, units, { warmUs }) {
  const from = process.cpuUsage()
  do await once(work, units)
  while (spentSince(from) < warmUs)
}

/**
 * @param {Work} work
 * @param {number} units
 * @param {Effort} effort
 * @returns {Promise<number[]>} µs of CPU a unit, one value a sample; at least one
 */
export async function sample(work, units, { sampleUs, samples, patienceUs }) {
  /** @type {number[]} */
  const values = []
  const from = process.cpuUsage()
  do {
    let counted = 0
    let runs = 0
    do {
      counted += await once(work, units)
      runs++
    } while (counted < sampleUs && spentSince(from) < patienceUs)
    values.push(counted / (runs * units))
  } while (values.length < samples && spentSince(from) < patienceUs)
  return values
}

/** @param {NodeJS.CpuUsage} from */
function spentSince(from) {
  const { user, system } = process.cpuUsage(from)
  return user + system
}
