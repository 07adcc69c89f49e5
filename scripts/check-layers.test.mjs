import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkRepository } from './layers/check-repository.mjs'

/**
 * What the check says of a small repository with the real package names and these files in it.
 *
 * @param {Record<string, string>} files
 * @returns {Promise<string[]>}
 */
async function violationsOf(files) {
  const root = await mkdtemp(join(tmpdir(), 'layers-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const manifests = {
    'packages/protocol/package.json': manifest('protocol', { dependencies: { 'eventsource-parser': '4' } }),
    'packages/core/package.json': manifest('core', { dependencies: { '@rivulet/protocol': '*' } }),
    'packages/client/package.json': manifest('client', { dependencies: { '@rivulet/protocol': '*' } }),
    'packages/react/package.json': manifest('react', {
      exports: { '.': './src/index.ts', './query': './src/query/index.ts' },
      dependencies: { '@rivulet/client': '*', '@rivulet/protocol': '*' },
      peerDependencies: { react: '19', '@tanstack/react-query': '5' },
      devDependencies: { '@rivulet/core': '*', '@rivulet/server': '*' },
    }),
    'packages/server/package.json': manifest('server', {
      dependencies: { '@rivulet/core': '*', '@rivulet/protocol': '*', hono: '4' },
    }),
    'apps/demo/package.json': manifest('demo', { dependencies: { '@rivulet/react': '*' } }),
  }
  for (const [path, text] of Object.entries({ ...manifests, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return (await checkRepository(root)).violations
}

/** @type {(name: string, rest: object) => string} */
function manifest(name, rest) {
  return JSON.stringify({ name: `@rivulet/${name}`, exports: { '.': './src/index.ts' }, ...rest })
}

test('imports that go down are in order', async () => {
  const violations = await violationsOf({
    'packages/protocol/src/parse.ts': `import { createParser } from 'eventsource-parser'\nexport const parse = createParser`,
    'packages/core/src/run.ts': `import type { RunEvent } from '@rivulet/protocol'\nexport type Emit = (event: RunEvent) => void`,
    'packages/react/src/use.ts': `import { useState } from 'react'\nexport { createClient } from '@rivulet/client'\nexport const use = useState`,
    'packages/react/src/query/list.ts': `export { useQuery } from '@tanstack/react-query'\nexport { use } from '../use.ts'`,
    'packages/server/src/node/serve.ts': `export { createServer } from 'node:http'`,
    'apps/demo/src/main.ts': `import { useStream } from '@rivulet/react'\nimport Papa from 'papaparse'\nexport const a = [useStream, Papa]`,
  })
  expect(violations).toEqual([])
})

test.each([
  ['a value import', `import { createApp } from '@rivulet/server'`],
  ['a type import', `import type { App } from '@rivulet/server'`],
  ['a type in place', `export type App = import('@rivulet/server').App`],
  ['a re-export', `export { createApp } from '@rivulet/server'`],
  ['a re-export of everything', `export * from '@rivulet/server'`],
  ['an import at run time', `export const load = () => import('@rivulet/server')`],
  ['a module augmentation', `declare module '@rivulet/server' { interface App { more: true } }\nexport {}`],
  ['an import for its effect', `import '@rivulet/server'`],
  ['a require', `export const server = require('@rivulet/server')`],
])('%s that goes up is a violation', async (_, source) => {
  const violations = await violationsOf({ 'packages/core/src/run.ts': source })
  expect(violations).toEqual([
    `packages/core/src/run.ts:1  import of '@rivulet/server' goes up: core may import protocol`,
  ])
})

test('an import that goes sideways is a violation', async () => {
  const violations = await violationsOf({
    'packages/client/src/in-process.ts': `\nimport type { Graph } from '@rivulet/core'`,
  })
  expect(violations).toEqual([
    `packages/client/src/in-process.ts:2  import of '@rivulet/core' goes sideways: client may import protocol`,
  ])
})

test('a package may not go down by a way that its own package.json does not name', async () => {
  const violations = await violationsOf({
    'packages/core/package.json': manifest('core', { devDependencies: { '@rivulet/protocol': '*' } }),
    'packages/core/src/run.ts': `import '@rivulet/protocol'`,
  })
  expect(violations).toEqual([
    `packages/core/src/run.ts:1  import of '@rivulet/protocol' is not in the dependencies of @rivulet/core`,
  ])
})

test('a path out of the package is a violation, also from an app and from a test', async () => {
  const violations = await violationsOf({
    'packages/core/src/run.test.ts': `import '../../protocol/src/errors.ts'`,
    'apps/demo/src/main.ts': `import '../../../packages/react/src/index.ts'`,
  })
  expect(violations).toEqual([
    `packages/core/src/run.test.ts:1  import of '../../protocol/src/errors.ts' leaves its package: import the published name instead`,
    `apps/demo/src/main.ts:1  import of '../../../packages/react/src/index.ts' leaves its package: import the published name instead`,
  ])
})

test('what is not published cannot be imported by name', async () => {
  const violations = await violationsOf({ 'apps/demo/src/main.ts': `import '@rivulet/react/src/use.ts'` })
  expect(violations).toEqual([
    `apps/demo/src/main.ts:1  import of '@rivulet/react/src/use.ts' is no published entry of @rivulet/react`,
  ])
})

test('a package from npm that the table does not name is a violation', async () => {
  const violations = await violationsOf({ 'packages/core/src/check.ts': `import { z } from 'zod'` })
  expect(violations).toEqual([
    `packages/core/src/check.ts:1  import of 'zod' is not among what @rivulet/core may import here: nothing from npm or Node`,
  ])
})

test("Node's modules are for Node's entries; elsewhere they may be asked for at run time", async () => {
  const violations = await violationsOf({
    'packages/core/src/context.ts': `import 'node:async_hooks'\nexport const load = () => import('node:async_hooks')`,
    'packages/server/src/app.ts': `import 'node:http'`,
  })
  expect(violations).toEqual([
    `packages/core/src/context.ts:1  import of 'node:async_hooks' is not among what @rivulet/core may import here: nothing from npm or Node`,
    `packages/server/src/app.ts:1  import of 'node:http' is not among what @rivulet/server may import here: hono`,
  ])
})

test('an optional entry stays out of the main one', async () => {
  const violations = await violationsOf({
    'packages/react/src/query/list.ts': `export { useQuery } from '@tanstack/react-query'`,
    'packages/react/src/index.ts': `export { useQuery } from './query/list.ts'`,
    'packages/react/src/use.ts': `export { useQuery } from '@tanstack/react-query'`,
  })
  expect(violations).toEqual([
    `packages/react/src/index.ts:1  import of './query/list.ts' belongs to the entry @rivulet/react/query: only that entry's own files import it`,
    `packages/react/src/use.ts:1  import of '@tanstack/react-query' is not among what @rivulet/react may import here: react`,
  ])
})

test('tests may import what is lower and declared, and any tool', async () => {
  const violations = await violationsOf({
    'packages/react/src/use.test.tsx': `import '@rivulet/core'\nimport 'msw'\nimport 'node:http'\nimport '@rivulet/react'`,
    'packages/react/test/far.ts': `import '@rivulet/server'`,
    'packages/client/src/store.test.ts': `import '@rivulet/core'`,
    'packages/server/src/app.test-d.ts': `import '@rivulet/client'`,
  })
  expect(violations).toEqual([
    `packages/client/src/store.test.ts:1  import of '@rivulet/core' goes sideways: tests may import lower packages only`,
    `packages/react/test/far.ts:1  import of '@rivulet/server' goes sideways: tests may import lower packages only`,
    `packages/server/src/app.test-d.ts:1  import of '@rivulet/client' is not in the dependencies or devDependencies of @rivulet/server`,
  ])
})

test('a test may use the testing package where that makes no circle', async () => {
  const testing = { '@rivulet/testing': '*' }
  const violations = await violationsOf({
    'packages/testing/package.json': manifest('testing', { dependencies: { '@rivulet/core': '*' } }),
    'packages/server/package.json': manifest('server', { devDependencies: testing }),
    'packages/core/package.json': manifest('core', { devDependencies: testing }),
    'packages/server/src/app.test.ts': `import '@rivulet/testing'`,
    'packages/server/src/app.ts': `import '@rivulet/testing'`,
    'packages/core/src/run.test.ts': `import '@rivulet/testing'`,
  })
  expect(violations).toEqual([
    `packages/core/src/run.test.ts:1  import of '@rivulet/testing' goes up: tests may import lower packages only`,
    `packages/server/src/app.ts:1  import of '@rivulet/testing' goes sideways: server may import core, protocol`,
  ])
})

test('sources do not import tests', async () => {
  const violations = await violationsOf({
    'packages/core/test/graphs.ts': 'export const graph = 1',
    'packages/core/src/run.ts': `export { graph } from '../test/graphs.ts'`,
    'packages/core/src/run.test.ts': `export { graph } from '../test/graphs.ts'`,
  })
  expect(violations).toEqual([
    `packages/core/src/run.ts:1  import of '../test/graphs.ts' is a test: sources do not import tests`,
  ])
})

test('a cycle of files is a violation, type imports included, told once by its shortest way', async () => {
  const violations = await violationsOf({
    'packages/core/src/a.ts': `import type { B } from './b.ts'\nexport interface A { b: B }`,
    'packages/core/src/b.ts': `import type { C } from './c.ts'\nexport interface B { c: C }`,
    'packages/core/src/c.ts': `import type { A } from './a.ts'\nimport type { B } from './b.ts'\nexport interface C { a: A; b: B }`,
    'packages/core/src/d.ts': `import type { A } from './a.ts'\nexport interface D { a: A }`,
  })
  expect(violations).toEqual(['packages/core/src/a.ts  imports itself: src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts'])
})

test('folders that say nothing of their content are violations', async () => {
  const violations = await violationsOf({
    'packages/core/src/utils/a.ts': 'export const a = 1',
    'packages/core/src/graph/helpers/b.ts': 'export const b = 1',
    'apps/demo/src/common/c.ts': 'export const c = 1',
  })
  expect(violations.map((violation) => violation.split('  ')[0])).toEqual([
    'packages/core/src/graph/helpers',
    'packages/core/src/utils',
    'apps/demo/src/common',
  ])
})

test('an index that re-exports everything is a violation', async () => {
  const violations = await violationsOf({
    'packages/core/src/a.ts': 'export const a = 1',
    'packages/core/src/index.ts': `export * from './a.ts'`,
  })
  expect(violations).toEqual(['packages/core/src/index.ts:1  export * hides what is public: list the names'])
})

test('a package that the table does not know is a violation', async () => {
  const violations = await violationsOf({ 'packages/extra/package.json': manifest('extra', {}) })
  expect(violations).toEqual(['packages/extra  is not in scripts/layers/table.mjs'])
})
