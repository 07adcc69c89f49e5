/** @typedef {import('./row.mjs').Row} Row */

/** Modules of rows, in the order of the report. A child loads only the one it measures: imports are measured too. */
const runtime = ['superstep', 'fan-out', 'messages', 'custom', 'append', 'checkpoints', 'import']
const wire = ['fold', 'sse', 'log', 'rebuild', 'foreign', 'wire']

/**
 * @param {string} module
 * @returns {Promise<readonly Row[]>}
 */
export async function rowsOf(module) {
  const { rows } = await import(new URL(`${module}.mjs`, import.meta.url).href)
  return rows
}

/**
 * @returns {Promise<{ title: string, module: string, row: Row }[]>}
 */
export async function allRows() {
  const sections = [
    ...runtime.map((module) => ({ title: 'runtime', module })),
    ...wire.map((module) => ({ title: 'protocol', module })),
  ]
  const found = await Promise.all(
    sections.map(async (section) => (await rowsOf(section.module)).map((row) => ({ ...section, row }))),
  )
  return found.flat()
}
