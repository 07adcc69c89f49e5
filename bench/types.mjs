import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from './src/statistics.mjs'

/**
 * `node types.mjs [rounds]`: what the compiler takes to check a graph of 60 nodes, a third of them with commands and a
 * third generators, over a state of 21 keys with routers, beside a graph of one node. By the repository's compiler.
 */
const rounds = Number(process.argv[2] ?? 5)
const TARGET_S = 0.2

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const folder = here('.cache/types')
const compiler = here('../node_modules/typescript/bin/tsc')

/** @type {(count: number) => string} */
function graphOf(count) {
  const names = Array.from({ length: count }, (_, i) => `node${i}`)
  const keys = Array.from({ length: 20 }, (_, i) => `key${i}`)
  /** @type {(name: string, i: number) => string} */
  const node = (name, i) => {
    const key = keys[i % keys.length]
    if (i % 3 === 0) return `.addNode('${name}', ({ ${key} }) => ({ ${key}: ${key} + 1 }))`
    const next = names[(i + 1) % count]
    if (i % 3 === 1)
      return `.addNode('${name}', async (s, ctx) => ctx.command({ goto: '${next}', update: { ${key}: s.${key} } }))`
    return `.addNode('${name}', async function* ({ ${key} }) { yield { ${key} }; yield { messages: 'said' } })`
  }
  const edges = names.map((name, i) =>
    i % 2 === 0
      ? `.addEdge('${name}', '${names[(i + 1) % count]}')`
      : `.addConditionalEdges('${name}', (s) => (s.key0 > 1 ? '${names[0]}' : END))`,
  )
  return [
    `import { END, messages, START, state, StateGraph, value } from '@rivulet/core'`,
    `const schema = state({ messages: messages(), ${keys.map((key) => `${key}: value<number>()`).join(', ')} })`,
    `export const graph = new StateGraph(schema, { nodes: ${JSON.stringify(names)} })`,
    ...names.map(node),
    `.addEdge(START, 'node0')`,
    ...edges,
    '.compile()',
    '',
  ].join('\n')
}

/** @type {(name: string, source: string) => void} */
function write(name, source) {
  writeFileSync(`${folder}/${name}.ts`, source)
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    paths: { '@rivulet/core': [here('../packages/core/dist/index.d.ts')] },
  }
  writeFileSync(`${folder}/${name}.json`, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
}

/** @type {(name: string) => { checkS: number, totalS: number }} */
function compile(name) {
  const { stdout, status } = spawnSync(process.execPath, [
    compiler,
    '-p',
    `${folder}/${name}.json`,
    '--extendedDiagnostics',
  ])
  const text = String(stdout)
  if (status !== 0) throw new Error(`the graph does not compile:\n${text.slice(0, 2000)}`)
  const seconds = (/** @type {string} */ what) => Number(new RegExp(`^${what}:\\s+([\\d.]+)s`, 'm').exec(text)?.[1])
  return { checkS: seconds('Check time'), totalS: seconds('Total time') }
}

mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}/package.json`, '{ "type": "module" }')
for (const count of [1, 60]) {
  write(`graph${count}`, graphOf(count))
  const all = Array.from({ length: rounds }, () => compile(`graph${count}`))
  const check = median(all.map(({ checkS }) => checkS))
  const total = median(all.map(({ totalS }) => totalS))
  const verdict = count === 60 ? `; target: check in ${TARGET_S} s, ${check <= TARGET_S ? 'reached' : 'missed'}` : ''
  process.stdout.write(`${count} nodes: check ${check.toFixed(3)} s, total ${total.toFixed(3)} s${verdict}\n`)
}
