import { expect, test } from 'vitest'
import { consumer, entriesOf, faultsOfContents } from './packed/contents.mjs'

test('a package of build output, sources and a licence is in order', () => {
  const files = ['LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts', 'src/latest/contest.ts']
  expect(faultsOfContents(files)).toEqual([])
})

test('tests, build leftovers and a missing licence are faults', () => {
  const files = [
    'package.json',
    'src/a.test.ts',
    'src/b.test-d.ts',
    'test/graphs.ts',
    'tsconfig.build.json',
    'src/index.ts',
  ]
  expect(faultsOfContents(files)).toEqual([
    'packs what nobody needs: src/a.test.ts, src/b.test-d.ts, test/graphs.ts, tsconfig.build.json',
    'packs no LICENSE',
  ])
})

test('entries are imported by the name of the package and their path', () => {
  const exports = { '.': {}, './query': {}, './package.json': './package.json' }
  expect(entriesOf({ name: '@rivulet/react', exports })).toEqual(['@rivulet/react', '@rivulet/react/query'])
})

test('the consumer imports every entry', () => {
  const source = consumer(['@rivulet/core', '@rivulet/react/query'])
  expect(source).toContain("import * as entry0 from '@rivulet/core'\nimport * as entry1 from '@rivulet/react/query'")
})
