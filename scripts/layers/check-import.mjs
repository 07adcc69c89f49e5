import { posix } from 'node:path'
import { below, layers, level } from './table.mjs'
import { isTest } from './source-files.mjs'

/** @typedef {import('./read-imports.mjs').Import} Import */

/**
 * A package or an app as its files and its package.json describe it.
 *
 * @typedef {object} Unit
 * @property {'packages' | 'apps'} group
 * @property {string} name folder name
 * @property {string} npmName
 * @property {readonly string[]} exports keys of `exports`, e.g. `.` and `./query`
 * @property {readonly string[]} dependencies names in `dependencies` and `peerDependencies`
 * @property {readonly string[]} devDependencies
 */

/**
 * Why this import may not stand here, as one sentence; `undefined` when it may.
 *
 * @param {Unit} unit whose file it is
 * @param {string} file path inside the unit, e.g. `src/fold/fold.ts`
 * @param {Import} found
 * @param {ReadonlyMap<string, Unit>} units every package, by npm name
 * @returns {string | undefined}
 */
export function whyNot(unit, file, found, units) {
  const { specifier } = found
  if (specifier.startsWith('.')) return relative(unit, file, specifier)
  if (specifier.startsWith('/') || specifier.startsWith('file:')) return 'names a place on one machine'
  if (specifier.startsWith('#') || specifier.startsWith('virtual:')) return undefined
  const target = units.get(packageName(specifier))
  if (target) return ours(unit, file, specifier, target)
  if (unit.group === 'apps' || isTest(file)) return undefined
  return external(unit, file, found)
}

/** @type {(unit: Unit, file: string, specifier: string) => string | undefined} */
function relative(unit, file, specifier) {
  const to = posix.normalize(posix.join(posix.dirname(file), specifier))
  if (to.startsWith('..')) return 'leaves its package: import the published name instead'
  if (isTest(file)) return undefined
  if (isTest(to)) return 'is a test: sources do not import tests'
  const entry = entryOf(unit, to)
  if (entry !== undefined && entry !== entryOf(unit, file)) {
    return `belongs to the entry ${unit.npmName}/${entry}: only that entry's own files import it`
  }
  return undefined
}

/** @type {(unit: Unit, file: string, specifier: string, target: Unit) => string | undefined} */
function ours(unit, file, specifier, target) {
  const entry = `.${specifier.slice(target.npmName.length)}`
  if (!target.exports.includes(entry)) return `is no published entry of ${target.npmName}`
  if (target === unit) return isTest(file) ? undefined : 'is its own package: import the file instead'
  if (unit.group === 'packages') {
    const direction = isTest(file) ? wrongForTest(unit, target) : wrongForSource(unit, target)
    if (direction) return direction
  }
  const declared = isTest(file) ? [...unit.dependencies, ...unit.devDependencies] : unit.dependencies
  if (declared.includes(target.npmName)) return undefined
  return `is not in the ${isTest(file) ? 'dependencies or devDependencies' : 'dependencies'} of ${unit.npmName}`
}

/** @type {(unit: Unit, target: Unit) => string | undefined} */
function wrongForSource(unit, target) {
  const allowed = layers[unit.name]?.packages ?? []
  if (allowed.includes(target.name)) return undefined
  const way = level(target.name) > level(unit.name) ? 'up' : 'sideways'
  return `goes ${way}: ${unit.name} may import ${allowed.length > 0 ? allowed.join(', ') : 'no package of ours'}`
}

/**
 * Tests may go to any lower level, and to `testing` where that makes no circle.
 *
 * @type {(unit: Unit, target: Unit) => string | undefined}
 */
function wrongForTest(unit, target) {
  if (level(target.name) < level(unit.name)) return undefined
  if (target.name === 'testing' && !below('testing').has(unit.name)) return undefined
  return `goes ${level(target.name) > level(unit.name) ? 'up' : 'sideways'}: tests may import lower packages only`
}

/** @type {(unit: Unit, file: string, found: Import) => string | undefined} */
function external(unit, file, { specifier, kind }) {
  const layer = layers[unit.name]
  if (!layer) return 'stands in a package that scripts/layers/table.mjs does not know'
  const entry = entryOf(unit, file)
  const allowed = [...layer.externals, ...((entry !== undefined && layer.entries?.[entry]) || [])]
  const known = allowed.some((name) =>
    name.endsWith(':') ? specifier.startsWith(name) : packageName(specifier) === name,
  )
  // What only exists in Node may be asked for at run time, where its absence can be handled.
  if (known || (kind === 'dynamic' && specifier.startsWith('node:'))) return undefined
  return `is not among what ${unit.npmName} may import here: ${allowed.length > 0 ? allowed.join(', ') : 'nothing from npm or Node'}`
}

/** @type {(unit: Unit, file: string) => string | undefined} */
function entryOf(unit, file) {
  const folder = /^src\/([^/]+)\//.exec(file)?.[1]
  return folder !== undefined && layers[unit.name]?.entries?.[folder] ? folder : undefined
}

/** @type {(specifier: string) => string} */
function packageName(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
