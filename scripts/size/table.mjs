/** @typedef {import('./measure.mjs').Measured} Measured */

/**
 * The measured sizes as lines of a table, each fault below its line, and what weighs most below what is too heavy.
 *
 * @param {readonly Measured[]} measured
 * @returns {string}
 */
export function table(measured) {
  const width = Math.max(...measured.map(({ name }) => name.length))
  return measured.flatMap((one) => [row(one, width), ...explain(one).map((line) => `     ${line}`)]).join('\n')
}

/** @type {(one: Measured) => string[]} */
function explain({ faults, parts, gzipBytes, budgetBytes }) {
  if (gzipBytes <= budgetBytes) return faults
  return [
    ...faults,
    'heaviest, in KiB before gzip:',
    ...parts.slice(0, 10).map(({ path, bytes }) => `${kib(bytes)}  ${path}`),
  ]
}

/** @type {(one: Measured, width: number) => string} */
function row({ name, gzipBytes, budgetBytes, targetBytes, faults }, width) {
  const share = Math.round((100 * gzipBytes) / budgetBytes)
  const mark = faults.length === 0 ? 'ok  ' : 'FAIL'
  const goal =
    targetBytes === undefined || gzipBytes <= targetBytes ? '' : `; still to reach: ${kib(targetBytes).trim()} KiB`
  return `${mark} ${name.padEnd(width)}  ${kib(gzipBytes)} of ${kib(budgetBytes)} KiB gzipped (${share} %)${goal}`
}

/** @type {(bytes: number) => string} */
function kib(bytes) {
  return (bytes / 1024).toFixed(2).padStart(6)
}
