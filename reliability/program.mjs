import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const FOLDER = join(import.meta.dirname, 'node_modules/.programs')

/**
 * Makes a program of one of the sources here, on the packages' sources, as Node cannot run them as they are.
 *
 * @param {string} entry
 * @returns {Promise<string>} its path
 */
export async function programOf(entry) {
  await mkdir(FOLDER, { recursive: true })
  const outfile = join(FOLDER, `${entry.replaceAll(/\W/g, '-')}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    conditions: ['@rivulet/source'],
    external: ['@libsql/client'],
    // `ws` is CommonJS and asks for Node's modules by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    logLevel: 'error',
  })
  return outfile
}
