import { rows } from './rows.mjs'

const BEGIN = '<!-- the matrix: written by `pnpm reliability` -->'
const END = '<!-- end of the matrix -->'

/**
 * How often a row was tried, and how often it held.
 *
 * @typedef {{ passed: number, failed: number }} Result
 */

/**
 * The matrix as Markdown.
 *
 * @param {ReadonlyMap<number, readonly string[]>} files
 * @param {(row: number) => Result} resultOf
 */
export function matrixTable(files, resultOf) {
  const lines = Object.entries(rows).map(([number, { where, fault, holds }]) => {
    const links = (files.get(Number(number)) ?? []).map((file) => `[${nameOf(file)}](../${file})`)
    const { passed, failed } = resultOf(Number(number))
    const result = failed > 0 ? `**${failed} of ${passed + failed} failed**` : `${passed} passed`
    return `| ${number} | ${where} | ${fault} | ${holds} | ${links.join(', ')} | ${result} |`
  })
  return ['| row | where | fault | what holds | tests | result |', '|---|---|---|---|---|---|', ...lines].join('\n')
}

/**
 * The document with this table in place of the one it has. Throws when it has no place for one.
 *
 * @param {string} text
 * @param {string} table
 */
export function withMatrix(text, table) {
  const [from, to] = placeOf(text)
  return `${text.slice(0, from)}\n\n${table}\n\n${text.slice(to)}`
}

/**
 * The files that the document's table names for each row.
 *
 * @param {string} text
 * @returns {Map<number, string[]>}
 */
export function filesInMatrix(text) {
  const lines = text.slice(...placeOf(text)).split('\n')
  const told = lines.flatMap((line) => {
    const [, number] = /^\| (\d+) \|/.exec(line) ?? []
    return number === undefined ? [] : [[Number(number), linksIn(line)]]
  })
  return new Map(/** @type {[number, string[]][]} */ (told))
}

/** @param {string} line */
function linksIn(line) {
  return [...line.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file]) => file)
}

/** @param {string} text @returns {[number, number]} */
function placeOf(text) {
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)]
  if (from < BEGIN.length || to < from) throw new Error('the document has no place for the matrix')
  return [from, to]
}

/** @param {string} file */
function nameOf(file) {
  return file.replace(/^.*\//, '').replace(/\.test\.tsx?$/, '')
}
