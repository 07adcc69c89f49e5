import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { splitSections, type Section } from './sections.ts'

/** Files that are read from the root itself; a missing one is left out. */
const ROOT_FILES = ['README.md', 'CONTRIBUTING.md']

/** All sections of a repository's own Markdown: the files above and everything under `docs`, in the order of paths. */
export async function readDocs(root: string): Promise<Section[]> {
  const files = [...ROOT_FILES, ...(await markdownUnder(root, 'docs'))]
  const sections = await Promise.all(files.map((file) => sectionsOf(root, file)))
  return sections.flat()
}

async function markdownUnder(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(ifMissing([]))
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return markdownUnder(root, path)
      return entry.isFile() && entry.name.endsWith('.md') ? [path] : []
    }),
  )
  return nested.flat().sort()
}

async function sectionsOf(root: string, file: string): Promise<Section[]> {
  return splitSections(file, await readFile(join(root, file), 'utf8').catch(ifMissing('')))
}

function ifMissing<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return otherwise
    throw error
  }
}
