import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The repository's own documents with their text: Markdown in its root and in docs.
 *
 * @param {string} root
 * @returns {Promise<{ path: string, text: string }[]>}
 */
export async function readDocuments(root) {
  const top = (await readdir(root)).filter(isMarkdown)
  const docs = (await readdir(join(root, 'docs'), { recursive: true })).filter(isMarkdown).map((path) => `docs/${path}`)
  const paths = [...top, ...docs].toSorted((a, b) => (a < b ? -1 : 1))
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })))
}

/** @type {(path: string) => boolean} */
function isMarkdown(path) {
  return path.endsWith('.md')
}
