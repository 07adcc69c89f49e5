import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** @typedef {import('./read-examples.mjs').Example} Example */

const CONFIG = {
  extends: '../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    composite: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    jsx: 'react-jsx',
    lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    types: ['node'],
  },
  include: ['**/*'],
}

/**
 * Writes every example as a file of its own, one folder a document, beside a tsconfig for all of them. Each file begins
 * with as many empty lines as stand above the example, so that a line number means the line of the document.
 *
 * @param {string} folder emptied first
 * @param {readonly Example[]} examples
 * @returns {Promise<void>}
 */
export async function writeExamples(folder, examples) {
  await rm(folder, { recursive: true, force: true })
  for (const example of examples) {
    const path = join(folder, pathOf(example))
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, '\n'.repeat(example.line - 1) + example.code + '\n')
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG))
}

/**
 * Where an example is written, inside the folder of all.
 *
 * @param {Example} example
 * @returns {string}
 */
export function pathOf({ document, file }) {
  return `${document.replaceAll(/[^\w]/g, '-')}/${file}`
}
