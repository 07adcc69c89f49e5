import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const SKIPPED = new Set(['node_modules', 'dist', '.types', '.turbo', 'coverage'])
const SOURCE = /\.(ts|tsx|mts|js|jsx|mjs)$/

/**
 * The folders and source files below `folder`, as paths with `/`, in a stable order. Build output and installed
 * packages are left out; a folder that does not exist is empty.
 *
 * @param {string} folder
 * @returns {Promise<{ folders: string[], files: string[] }>}
 */
export async function sourceFiles(folder) {
  /** @type {string[]} */
  const folders = []
  /** @type {string[]} */
  const files = []
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (SKIPPED.has(entry.name)) continue
    const path = join(folder, entry.name).replaceAll('\\', '/')
    if (entry.isDirectory()) {
      const below = await sourceFiles(path)
      folders.push(path, ...below.folders)
      files.push(...below.files)
    } else if (SOURCE.test(entry.name)) {
      files.push(path)
    }
  }
  return { folders, files }
}

/**
 * Whether a file belongs to a package's tests, by its path inside the package.
 *
 * @param {string} path
 * @returns {boolean}
 */
export function isTest(path) {
  return path.startsWith('test/') || /\.(test|test-d)\.[a-z]+$/.test(path)
}
