/**
 * What one package may import. The table of docs/architecture.md, as data.
 *
 * @typedef {object} Layer
 * @property {readonly string[]} packages our own packages its sources may import, by folder name
 * @property {readonly string[]} externals packages from npm its sources may import; a trailing `:` allows a scheme (`node:`)
 * @property {Readonly<Record<string, readonly string[]>>} [entries] folders of `src` that are entries of their own, with
 *   what they may import beyond `externals`. Nothing outside such a folder may import from it.
 */

/** @type {Readonly<Record<string, Layer>>} */
export const layers = {
  protocol: { packages: [], externals: ['eventsource-parser'] },
  core: { packages: ['protocol'], externals: [] },
  client: { packages: ['protocol'], externals: [] },
  react: { packages: ['client', 'protocol'], externals: ['react'], entries: { query: ['@tanstack/react-query'] } },
  models: { packages: ['core', 'protocol'], externals: ['openai', '@anthropic-ai/sdk'] },
  server: {
    packages: ['core', 'protocol'],
    externals: ['hono'],
    entries: {
      node: ['node:', '@hono/node-server', 'ws'],
      sqlite: ['node:', '@libsql/client'],
      opentelemetry: ['@opentelemetry/api'],
    },
  },
  testing: {
    packages: ['protocol', 'core', 'client'],
    externals: [],
    entries: {
      conformance: ['fast-check'],
      model: [],
      msw: ['msw'],
      node: ['node:', 'ws'],
      react: ['react', '@testing-library/react'],
      vitest: ['vitest'],
    },
  },
}

/**
 * Every package below `name`, by folder name: what it may import, and what those may.
 *
 * @param {string} name
 * @returns {ReadonlySet<string>}
 */
export function below(name) {
  const found = new Set(layers[name]?.packages)
  for (const lower of found) for (const next of layers[lower]?.packages ?? []) found.add(next)
  return found
}

/**
 * How high a package stands: 0 imports nothing of ours, each other is one above the highest it imports.
 *
 * @param {string} name
 * @returns {number}
 */
export function level(name) {
  return Math.max(-1, ...(layers[name]?.packages ?? []).map(level)) + 1
}
