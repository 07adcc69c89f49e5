import { readFile, rm } from 'node:fs/promises'
import { relative } from 'node:path'
import * as esbuild from 'esbuild'

/**
 * `node scripts/bundle-for-node.mjs`, in a package after its build: writes what its exports name under `node`, all
 * entries together and what they share once, so that Node opens a few files instead of one a module (each costs about
 * 0.6 ms of CPU at start). Whoever bundles for a page gets the modules and pays for what is imported. Packages stay
 * imports: an error's class must be the same one for everybody.
 */
const { exports } = JSON.parse(await readFile('package.json', 'utf8'))
/** @type {{ node?: string, default: string }[]} */
const entries = Object.values(exports)
const folder = 'dist/node'

await rm(folder, { recursive: true, force: true })
await esbuild.build({
  entryPoints: entries.flatMap(({ node, default: module }) =>
    node === undefined ? [] : [{ in: module, out: relative(folder, node).replace(/\.js$/, '') }],
  ),
  outdir: folder,
  chunkNames: 'shared-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
})
