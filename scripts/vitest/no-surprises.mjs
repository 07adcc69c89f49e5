import { afterEach, beforeEach } from 'vitest'

/**
 * Every test fails that is warned of something it did not expect. One that expects it replaces `console.error` or
 * `console.warn` for itself.
 *
 * @type {string[]}
 */
const surprises = []

/** @param {string} how */
const note =
  (how) =>
  /** @param {unknown[]} said */
  (...said) =>
    void surprises.push(`${how}: ${said.map(String).join(' ')}`)

// What Node thinks of its own parts differs from version to version.
const OF_NODE = ['ExperimentalWarning', 'DeprecationWarning']
process.on('warning', (warning) => {
  if (!OF_NODE.includes(warning.name)) note('process warning')(warning)
})

beforeEach(() => {
  console.warn = note('console.warn')
  console.error = note('console.error')
})

afterEach(() => {
  const said = surprises.splice(0)
  if (said.length > 0) throw new Error(`nobody expected this:\n${said.join('\n')}`)
})
