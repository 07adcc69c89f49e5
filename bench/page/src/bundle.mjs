import { build } from 'esbuild'
import { gzipSync } from 'node:zlib'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const here = join(import.meta.dirname, '..')
const packages = join(here, '../../packages')

/**
 * Builds the pages as they would be deployed, over our packages as they are published. One React for all of a page.
 *
 * @param {readonly string[]} subjects
 * @param {string} folder
 * @returns {Promise<Map<string, number>>} size of each page in KiB, gzipped, React included
 */
export async function bundle(subjects, folder) {
  await build({
    entryPoints: subjects.map((name) => join(here, 'pages', `${name}.jsx`)),
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: {
      '@rivulet/react': join(packages, 'react/dist/index.js'),
      react: join(here, 'node_modules/react'),
      'react-dom': join(here, 'node_modules/react-dom'),
    },
    logLevel: 'error',
  })
  const sizes = await Promise.all(
    subjects.map(async (name) => gzipSync(await readFile(join(folder, `${name}.js`))).length / 1024),
  )
  return new Map(subjects.map((name, i) => [name, sizes[i] ?? 0]))
}
