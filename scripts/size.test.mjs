import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { measure } from './size/measure.mjs'
import { table } from './size/table.mjs'

/**
 * Measures a source in a folder that holds these files.
 *
 * @param {string} source
 * @param {{ files?: Record<string, string>, beside?: string, budgetBytes?: number, external?: string[], packages?: string[] }} [options]
 */
async function measureSource(source, { files = {}, beside, budgetBytes = 1000, external = [], packages = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'size-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return measure({ name: 'it', source, ...(beside && { beside }), budgetBytes, external, packages }, folder)
}

const parser = {
  'node_modules/parser/package.json': '{ "name": "parser", "main": "index.js", "sideEffects": false }',
  'node_modules/parser/index.js': 'export const parse = (text) => text.split("|")\nexport const unused = "u".repeat(9)',
}

test('a small bundle is within its budget', async () => {
  const { faults, gzipBytes } = await measureSource('export const a = 1')
  expect(faults).toEqual([])
  expect(gzipBytes).toBeGreaterThan(10)
  expect(gzipBytes).toBeLessThan(100)
})

test('a bundle that weighs more than its budget fails and says by how much', async () => {
  const noise = Array.from({ length: 500 }, (_, index) => (index * 7919).toString(36)).join('')
  const { faults, gzipBytes } = await measureSource(`export const a = '${noise}'`, { budgetBytes: 200 })
  expect(faults).toEqual([`is ${gzipBytes - 200} bytes over its budget`])
})

test('what nobody uses is not counted', async () => {
  const small = await measureSource(`export { parse } from 'parser'`, { files: parser, packages: ['parser'] })
  const large = await measureSource(`export * from 'parser'`, { files: parser, packages: ['parser'] })
  expect(small.gzipBytes).toBeLessThan(large.gzipBytes)
})

test('beside what the page has anyway, only what comes to it is counted', async () => {
  const noise = Array.from({ length: 200 }, (_, index) => (index * 7919).toString(36)).join('')
  const own = `export const a = '${noise}'`
  const parse = `export { parse } from 'parser'`
  const allowed = { files: parser, packages: ['parser'] }
  const together = await measureSource(`${parse}\n${own}`, allowed)
  const more = await measureSource(own, { ...allowed, beside: parse })
  const nothing = await measureSource(parse, { ...allowed, beside: parse })
  expect(nothing.gzipBytes).toBe(0)
  expect(more.gzipBytes).toBeGreaterThan(100)
  expect(more.gzipBytes).toBeLessThan(together.gzipBytes)
})

test('a package that nobody allowed may not come along', async () => {
  const { faults } = await measureSource(`export { parse } from 'parser'`, { files: parser })
  expect(faults).toEqual(['lets parser into the page'])
})

test('a package the page brings itself is allowed and not counted', async () => {
  const { faults } = await measureSource(`export { useState } from 'react'`, { external: ['react'] })
  expect(faults).toEqual([])
})

test.each(['node:async_hooks', 'async_hooks', 'fs/promises'])('a static import of %s is a leak', async (name) => {
  const { faults } = await measureSource(`export * from '${name}'`)
  expect(faults).toEqual([`lets ${name} into the page`])
})

test("Node's modules may be asked for at run time", async () => {
  const { faults } = await measureSource(`export const load = () => import('node:async_hooks')`)
  expect(faults).toEqual([])
})

test('an import that does not exist is a fault, not a crash', async () => {
  const { faults, gzipBytes } = await measureSource(`export { missing } from 'parser'`, { files: parser })
  expect(gzipBytes).toBe(0)
  expect(faults).toEqual([expect.stringContaining('cannot be bundled')])
})

test('the heaviest part of a bundle comes first', async () => {
  const files = { 'big.js': `export const big = '${'b'.repeat(300)}'`, 'small.js': 'export const small = 1' }
  const { parts } = await measureSource(`export * from './small.js'\nexport * from './big.js'`, { files })
  expect(parts.map(({ path }) => path)).toEqual(['big.js', 'small.js'])
  expect(parts[0]?.bytes).toBeGreaterThan(300)
})

test('the table shows size, budget and faults, and what is heavy in what is too heavy', () => {
  const parts = [{ path: 'packages/client/src/store.ts', bytes: 3072 }]
  const lines = table([
    { name: 'one', budgetBytes: 2048, gzipBytes: 1024, faults: [], parts },
    { name: 'three', budgetBytes: 1024, gzipBytes: 2048, faults: ['is 1024 bytes over its budget'], parts },
  ])
  expect(lines.split('\n')).toEqual([
    'ok   one      1.00 of   2.00 KiB gzipped (50 %)',
    'FAIL three    2.00 of   1.00 KiB gzipped (200 %)',
    '     is 1024 bytes over its budget',
    '     heaviest, in KiB before gzip:',
    '       3.00  packages/client/src/store.ts',
  ])
})

test('a size within its budget and above its target says what is still to reach', () => {
  const one = { name: 'one', budgetBytes: 4096, targetBytes: 1024, faults: [], parts: [] }
  expect(table([{ ...one, gzipBytes: 2048 }])).toBe(
    'ok   one    2.00 of   4.00 KiB gzipped (50 %); still to reach: 1.00 KiB',
  )
  expect(table([{ ...one, gzipBytes: 1024 }])).toBe('ok   one    1.00 of   4.00 KiB gzipped (25 %)')
})
