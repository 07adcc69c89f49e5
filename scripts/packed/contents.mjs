/** Paths that say a file was made for us and not for who installs the package. */
const OURS = [
  /\.(test|test-d)\.[a-z.]+$/,
  /(^|\/)test\//,
  /\.tsbuildinfo$/,
  /(^|\/)tsconfig[^/]*\.json$/,
  /(^|\/)\.types\//,
]

/**
 * What is wrong with the list of files of a packed package: tests and build leftovers in it, or no
 * licence.
 *
 * @param {readonly string[]} files paths inside the package
 * @returns {string[]} one sentence each
 */
export function faultsOfContents(files) {
  const unwanted = files.filter((file) => OURS.some((pattern) => pattern.test(file)))
  const faults = unwanted.length === 0 ? [] : [`packs what nobody needs: ${unwanted.join(', ')}`]
  if (!files.includes('LICENSE')) faults.push('packs no LICENSE')
  return faults
}

/**
 * The names by which a package's entries are imported.
 *
 * @param {{ name: string, exports?: Record<string, unknown> }} manifest
 * @returns {string[]}
 */
export function entriesOf({ name, exports = {} }) {
  return Object.keys(exports)
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry) => name + entry.slice(1))
}

/**
 * A module that imports every entry whole, so that a type or a file that is missing shows. It prints how many names
 * each entry exports, and fails when one exports none.
 *
 * @param {readonly string[]} entries
 * @returns {string}
 */
export function consumer(entries) {
  const imports = entries.map((entry, index) => `import * as entry${index} from '${entry}'`)
  const counts = entries.map((entry, index) => `['${entry}', Object.keys(entry${index}).length]`)
  return `${imports.join('\n')}
for (const [name, count] of [${counts.join(', ')}] as const) {
  if (count === 0) throw new Error(name + ' exports nothing')
  console.log(name, count)
}
`
}
