import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The repository's own documents with their text: Markdown in its root and in docs, and what stands beside each package
 * and app.
 *
 * @param {string} root
 * @returns {Promise<{ path: string, text: string }[]>}
 */
export async function readDocuments(root) {
  const top = (await readdir(root)).filter(isMarkdown)
  const docs = (await readdir(join(root, 'docs'), { recursive: true })).filter(isMarkdown).map((path) => `docs/${path}`)
  const beside = await Promise.all(['packages', 'apps'].map((folder) => documentsBelow(root, folder)))
  const paths = [...top, ...docs, ...beside.flat()].toSorted((a, b) => (a < b ? -1 : 1))
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })))
}

/**
 * The documents that stand in the folders of a folder.
 *
 * @param {string} root
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
async function documentsBelow(root, folder) {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => (await readdir(join(root, folder, name))).map((file) => `${folder}/${name}/${file}`)),
  )
  return found.flat().filter(isMarkdown)
}

/** @type {(path: string) => boolean} */
function isMarkdown(path) {
  return path.endsWith('.md')
}
