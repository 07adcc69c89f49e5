import { parseSync, Visitor } from 'oxc-parser'

/**
 * One import as written. `type` covers `import type`, `export type` and `import('x').T`; `star` is `export * from`.
 *
 * @typedef {object} Import
 * @property {string} specifier
 * @property {'value' | 'type' | 'dynamic' | 'star'} kind
 * @property {number} line counted from 1
 */

/**
 * Every import of a TypeScript or JavaScript source, type imports included, in order of appearance. `import()` of a
 * computed name cannot be read and is left out. Throws when the source does not parse.
 *
 * @param {string} file decides by its ending how to parse
 * @param {string} source
 * @returns {Import[]}
 */
export function readImports(file, source) {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`)
  /** @type {Import[]} */
  const imports = []
  const lineAt = lineCounter(source)
  /** @type {(from: unknown, kind: Import['kind']) => void} */
  const add = (from, kind) => {
    if (isStringLiteral(from)) imports.push({ specifier: from.value, kind, line: lineAt(from.start) })
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type' ? 'type' : 'value'),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type' ? 'type' : 'value'),
    ExportAllDeclaration: (node) => add(node.source, node.exported === null ? 'star' : 'value'),
    ImportExpression: (node) => add(node.source, 'dynamic'),
    TSImportType: (node) => add(node.source, 'type'),
    TSExternalModuleReference: (node) => add(node.expression, 'value'),
    TSModuleDeclaration: (node) => add(node.id, 'type'),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(node.arguments[0], 'value')
    },
  }).visit(program)
  return imports.toSorted((a, b) => a.line - b.line)
}

/**
 * @param {unknown} node
 * @returns {node is { type: 'Literal', value: string, start: number }}
 */
function isStringLiteral(node) {
  return typeof node === 'object' && node !== null && 'value' in node && typeof node.value === 'string'
}

/**
 * @param {string} source
 * @returns {(offset: number) => number}
 */
function lineCounter(source) {
  return (offset) => source.slice(0, offset).split('\n').length
}
