import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** What the compiler says of a mistake names the key or the node: that an error is there is checked beside this file. */

const mistakes: Record<string, { code: string; says: RegExp }> = {
  'an unknown key': {
    code: `graph.addNode('plan', () => ({ topik: 'x' }))`,
    says: /is not assignable to type '"unknown state key \\"topik\\""'/,
  },
  'an unknown key of an async node': {
    code: `graph.addNode('plan', async () => ({ topik: 'x' }))`,
    says: /is not assignable to type '"unknown state key \\"topik\\""'/,
  },
  'an unknown key of a generator': {
    code: `graph.addNode('plan', async function* () { yield { topik: 'x' } })`,
    says: /is not assignable to type '"unknown state key \\"topik\\""'/,
  },
  'an unknown key in a command': {
    code: `graph.addNode('plan', () => new Command({ update: { topik: 'x' } }))`,
    says: /is not assignable to type '"unknown state key \\"topik\\""'/,
  },
  'an unknown key in a command of the context': {
    code: `graph.addNode('plan', (_s, ctx) => ctx.command({ update: { topik: 'x' } }))`,
    says: /'topik' does not exist in type .* Did you mean to write 'topic'\?/,
  },
  'an unknown key beside a command': {
    code: `graph.addNode('plan', ({ n }) => (n > 1 ? new Command({ update: { topik: 'x' } }) : { n: 1 })).compile()`,
    says: /'this' of type '"unknown state key \\"topik\\""'/,
  },
  'a wrong value': {
    code: `graph.addNode('plan', () => ({ topic: 1 }))`,
    says: /Type 'number' is not assignable to type 'string'/,
  },
  'an unknown goto, with the names declared': {
    code: `new StateGraph(schema, { nodes: ['plan', 'act'] }).addNode('plan', () => new Command({ goto: 'akt' }))`,
    says: /Type '"akt"' is not assignable to type '"__end__" \| "act" \| "plan"'/,
  },
  'an unknown goto, at compile()': {
    code: `graph.addNode('plan', () => new Command({ goto: 'akt' })).compile()`,
    says: /'this' of type '"node \\"akt\\" is a goto target but was never added"'/,
  },
  'a router to an unknown node': {
    code: `graph.addNode('plan', () => ({})).addConditionalEdges('plan', () => 'akt')`,
    says: /Type '"akt"' is not assignable to type .*"plan"/,
  },
  'a map to an unknown node': {
    code: `graph.addNode('plan', () => ({})).addConditionalEdges('plan', () => 'yes', { yes: 'akt' })`,
    says: /Type '"akt"' is not assignable to type '"__end__" \| "plan"'/,
  },
  'an edge to an unknown node': {
    code: `graph.addNode('plan', () => ({})).addEdge('plan', 'akt')`,
    says: /Argument of type '"akt"' is not assignable to parameter of type '"__end__" \| "plan"'/,
  },
}

const core = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
const base = fileURLToPath(new URL('../../../../tsconfig.base.json', import.meta.url))
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

let folder = ''
/** What the compiler says, by the name of the mistake. */
const said = new Map<string, string>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rivulet-types-'))
  const files = Object.entries(mistakes).map(([, { code }], i) => [`mistake-${i}.ts`, source(code)] as const)
  const options = {
    noEmit: true,
    composite: false,
    incremental: false,
    isolatedDeclarations: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    lib: ['ES2023', 'DOM'],
    noErrorTruncation: true,
  }
  const config = { extends: base, compilerOptions: options, files: files.map(([name]) => name) }
  for (const [name, text] of [
    ...files,
    ['tsconfig.json', JSON.stringify(config)] as const,
    ['package.json', '{ "type": "module" }'] as const,
  ])
    await writeFile(join(folder, name), text)
  // It fails, as it should: the text is on its standard output.
  const run = promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { cwd: folder })
  const output = await run.then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
  for (const [i, name] of Object.keys(mistakes).entries()) {
    const [, ...parts] = output.split(`mistake-${i}.ts(`)
    said.set(name, parts.map((part) => part.split(/^\S+\.ts\(/m)[0]).join(''))
  }
}, 60_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

function source(code: string): string {
  const path = relative(folder, core).replaceAll('\\', '/')
  return [
    `import { Command, state, StateGraph, value } from '${path}'`,
    'export const schema = state({ topic: value<string>(), n: value<number>() })',
    'export const graph = new StateGraph(schema)',
    'export { Command }',
    code,
  ].join('\n')
}

test.each(Object.keys(mistakes))('%s', (name) => {
  expect(said.get(name)).toMatch(mistakes[name]!.says)
})
