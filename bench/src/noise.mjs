import { availableParallelism, cpus, loadavg } from 'node:os'

/**
 * µs of CPU that a fixed piece of work takes now: arithmetic, allocation, maps. It is always the same, so what differs
 * from round to round is the machine.
 *
 * @returns {number}
 */
export function probe() {
  const from = process.cpuUsage()
  const map = new Map()
  let sum = 0
  for (let i = 0; i < 300_000; i++) {
    map.set(`key${i % 5_000}`, { i })
    sum += map.get(`key${(i * 7) % 5_000}`)?.i ?? 1
  }
  const { user, system } = process.cpuUsage(from)
  return sum > 0 ? user + system : NaN
}

/** @returns {string} */
export function machine() {
  const load = loadavg()[0] ?? 0
  const cores = availableParallelism()
  return `Node ${process.versions.node}, ${cores} cores of ${cpus()[0]?.model.trim() ?? 'an unknown model'}, load ${load.toFixed(1)}`
}
