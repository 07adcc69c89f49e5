import { mkdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const suite = new URL('../../../packages/testing/test/cuts/', import.meta.url)
const bundled = new URL('../node_modules/.cache/ours.mjs', import.meta.url)

/**
 * Our client over this machine's sockets: the sessions of the test suite, more of them.
 *
 * @param {'sse' | 'web-socket'} wire
 * @param {{ bytes: number, lanes: number }} sample
 * @returns {Promise<import('./table.mjs').Scores>}
 */
export async function scoreOurs(wire, { bytes, lanes }) {
  mkdirSync(new URL('./', bundled), { recursive: true })
  await build({
    stdin: {
      contents: `export { loadRecordings } from './recordings.ts'; export { scoreOverSockets } from './score.ts'`,
      resolveDir: new URL('.', suite).pathname,
    },
    outfile: bundled.pathname,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@rivulet/source'],
    // Packages that the suite's own files reach for only in tests.
    external: ['vitest', 'msw', 'fast-check'],
    // The recordings lie beside the file that reads them; what is required is Node's own.
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(new URL('recordings.ts', suite).pathname).href) },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(process.cwd() + '/');" },
    logLevel: 'error',
  })
  const { loadRecordings, scoreOverSockets } = await import(bundled.href)
  return scoreOverSockets(await loadRecordings(), wire, { bytes, borders: Infinity, kinds: 'each' }, lanes)
}
