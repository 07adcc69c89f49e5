import { readFile, readdir } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { whyNot } from './check-import.mjs'
import { findCycles } from './find-cycles.mjs'
import { readImports } from './read-imports.mjs'
import { isTest, sourceFiles } from './source-files.mjs'
import { layers } from './table.mjs'

/** @typedef {import('./check-import.mjs').Unit} Unit */

const VAGUE_FOLDERS = new Set(['util', 'utils', 'helper', 'helpers', 'common'])

/**
 * Every violation of the layers in the repository at `root`, one line each, as `<file>:<line>  <what>`. Empty when all
 * is well.
 *
 * @param {string} root
 * @returns {Promise<{ violations: string[], files: number }>}
 */
export async function checkRepository(root) {
  const units = [...(await readUnits(root, 'packages')), ...(await readUnits(root, 'apps'))]
  const packages = new Map(units.filter((unit) => unit.group === 'packages').map((unit) => [unit.npmName, unit]))
  const results = await Promise.all(units.map((unit) => checkUnit(root, unit, packages)))
  return {
    violations: results.flatMap(({ violations }) => violations),
    files: results.reduce((sum, { files }) => sum + files, 0),
  }
}

/** @type {(root: string, unit: Unit, packages: ReadonlyMap<string, Unit>) => Promise<{ violations: string[], files: number }>} */
async function checkUnit(root, unit, packages) {
  const place = `${unit.group}/${unit.name}`
  const { folders, files } = await sourceFiles(join(root, place))
  const inside = files.map((file) => posix.relative(posix.join(root, place), file))
  const violations = folders
    .filter((folder) => VAGUE_FOLDERS.has(basename(folder)))
    .map(
      (folder) => `${posix.relative(root, folder)}  says nothing of what is in it: name the folder after its concept`,
    )
  if (unit.group === 'packages' && !layers[unit.name]) violations.push(`${place}  is not in scripts/layers/table.mjs`)

  /** @type {Map<string, string[]>} */
  const graph = new Map()
  for (const file of inside) {
    const imports = readImports(file, await readFile(join(root, place, file), 'utf8'))
    graph.set(
      file,
      imports.map(({ specifier }) => resolve(file, specifier)).filter((to) => inside.includes(to)),
    )
    for (const found of imports) {
      const reason = whyNot(unit, file, found, packages)
      if (reason) violations.push(`${place}/${file}:${found.line}  import of '${found.specifier}' ${reason}`)
      if (found.kind === 'star' && basename(file).startsWith('index.') && !isTest(file)) {
        violations.push(`${place}/${file}:${found.line}  export * hides what is public: list the names`)
      }
    }
  }
  for (const cycle of findCycles(graph)) violations.push(`${place}/${cycle[0]}  imports itself: ${cycle.join(' -> ')}`)
  return { violations, files: inside.length }
}

/** @type {(file: string, specifier: string) => string} */
function resolve(file, specifier) {
  return specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(file), specifier)) : ''
}

/** @type {(root: string, group: Unit['group']) => Promise<Unit[]>} */
async function readUnits(root, group) {
  const entries = await readdir(join(root, group), { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const units = await Promise.all(names.map((name) => readUnit(root, group, name)))
  return units.filter((unit) => unit !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** @type {(root: string, group: Unit['group'], name: string) => Promise<Unit | undefined>} */
async function readUnit(root, group, name) {
  const text = await readFile(join(root, group, name, 'package.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const manifest = JSON.parse(text)
  return {
    group,
    name,
    npmName: manifest.name,
    exports: Object.keys(manifest.exports ?? {}),
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
  }
}
