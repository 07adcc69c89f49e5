import { isBuiltin } from 'node:module'
import { gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'

/**
 * What one import may cost.
 *
 * @typedef {object} Budget
 * @property {string} name
 * @property {string} source a module that imports what is measured
 * @property {string} [beside] a module that the page has anyway: only what comes to it is counted
 * @property {number} budgetBytes of the minified, gzipped bundle: what must not be exceeded now
 * @property {number | undefined} [targetBytes] what is to be reached; told until it is
 * @property {readonly string[]} external packages the page brings itself: not counted
 * @property {readonly string[]} packages packages from npm that may be in the bundle
 */

/**
 * @typedef {object} Measured
 * @property {string} name
 * @property {number} budgetBytes
 * @property {number | undefined} [targetBytes]
 * @property {number} gzipBytes 0 when the bundle could not be built
 * @property {string[]} faults why it fails, one sentence each; empty when it is within its budget
 * @property {{ path: string, bytes: number }[]} parts what the bundle is made of, minified, heaviest first
 */

/**
 * Bundles for the browser, as a production build of a page would, from sources, and weighs the result. Never throws:
 * a bundle that cannot be built is a fault.
 *
 * @param {Budget} budget
 * @param {string} resolveDir folder whose dependencies the source sees
 * @returns {Promise<Measured>}
 */
export async function measure({ name, source, beside, budgetBytes, targetBytes, external, packages }, resolveDir) {
  /** @type {string[]} */
  const faults = []
  const sources = beside === undefined ? [source] : [`${beside}\n${source}`, beside]
  const bundles = await Promise.all(sources.map((one) => bundle(one, resolveDir, external))).catch((error) => {
    faults.push(`cannot be bundled: ${error instanceof Error ? error.message : String(error)}`)
  })
  const result = bundles?.[0]
  if (!result) return { name, budgetBytes, targetBytes, gzipBytes: 0, faults, parts: [] }
  const [whole = 0, before = 0] = bundles.map(({ code }) => gzipSync(code, { level: 9 }).length)
  const gzipBytes = whole - before
  if (gzipBytes > budgetBytes) faults.push(`is ${gzipBytes - budgetBytes} bytes over its budget`)
  faults.push(...leaks(result.output, [...external, ...packages]))
  return { name, budgetBytes, targetBytes, gzipBytes, faults, parts: parts(result.output) }
}

/**
 * @param {import('esbuild').Metafile['outputs'][string]} output
 * @returns {{ path: string, bytes: number }[]}
 */
function parts({ inputs }) {
  return Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => ({ path: path.replace(/^(\.\.\/)+/, ''), bytes: bytesInOutput }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((a, b) => b.bytes - a.bytes)
}

/**
 * @param {string} source
 * @param {string} resolveDir
 * @param {readonly string[]} external
 * @returns {Promise<{ code: Uint8Array, output: import('esbuild').Metafile['outputs'][string] }>}
 */
async function bundle(source, resolveDir, external) {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: source, resolveDir, loader: 'js' },
    absWorkingDir: resolveDir,
    bundle: true,
    minify: true,
    treeShaking: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['@rivulet/source', 'production', 'module'],
    define: { 'process.env.NODE_ENV': '"production"' },
    external: [...external, 'node:*'],
    plugins: [nodeBuiltinsAreExternal],
    outfile: 'bundle.js',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const output = metafile.outputs['bundle.js']
  const code = outputFiles[0]?.contents
  if (!output || !code) throw new Error('esbuild made no bundle')
  return { code, output }
}

/** @type {import('esbuild').Plugin} Left in place, so that they can be found and named. */
const nodeBuiltinsAreExternal = {
  name: 'node-builtins-are-external',
  setup(build) {
    build.onResolve({ filter: /^[a-z_]+(\/[a-z_]+)*$/ }, ({ path }) =>
      isBuiltin(path) ? { path, external: true } : undefined,
    )
  },
}

/**
 * What must not be in the bundle: Node's modules, unless asked for at run time, and packages nobody allowed.
 *
 * @param {import('esbuild').Metafile['outputs'][string]} output
 * @param {readonly string[]} allowed
 * @returns {string[]}
 */
function leaks(output, allowed) {
  const imported = output.imports
    .filter(({ path, kind }) => !(isBuiltin(path) && kind === 'dynamic-import'))
    .map(({ path }) => (isBuiltin(path) ? path : packageOf(`node_modules/${path}`)))
  const bundled = Object.entries(output.inputs)
    .filter(([path, { bytesInOutput }]) => path.includes('node_modules/') && bytesInOutput > 0)
    .map(([path]) => packageOf(path))
  const found = new Set([...imported, ...bundled].filter((name) => !allowed.includes(name)))
  return [...found].map((name) => `lets ${name} into the page`)
}

/**
 * The package a bundled file belongs to: what follows the last `node_modules/`.
 *
 * @param {string} path
 * @returns {string}
 */
function packageOf(path) {
  const inside = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  return inside.split('/', inside.startsWith('@') ? 2 : 1).join('/')
}
