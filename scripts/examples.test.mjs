import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, posix, resolve } from 'node:path'
import { format } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { readDocuments } from './examples/documents.mjs'
import { anchors, localLinks } from './examples/links.mjs'
import { readExamples } from './examples/read-examples.mjs'
import { pathOf, writeExamples } from './examples/write-examples.mjs'

const root = resolve(import.meta.dirname, '..')
const folder = join(import.meta.dirname, '.types/examples')
const documents = await readDocuments(root)
const examples = documents.flatMap(({ path, text }) => readExamples(path, text))
await writeExamples(folder, examples)

describe('the examples of the documents', () => {
  const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    cwd: folder,
  })
  // The packages are compiled along; what is wrong in them is told by their own check.
  const errors = stdout.split('\n').filter((line) => /^\S+\(\d+,\d+\): error/.test(line) && !line.startsWith('..'))

  test('the compiler ran', () => {
    expect([0, 1, 2]).toContain(status)
    expect(examples.length).toBeGreaterThan(0)
  })

  test.each(examples.map((example) => ({ place: `${example.document}:${example.line}`, path: pathOf(example) })))(
    '$place compiles',
    ({ path }) => {
      expect(errors.filter((line) => line.startsWith(path))).toEqual([])
    },
  )

  test.each(examples.filter(({ output }) => output !== undefined))(
    '$document:$line prints what it shows',
    async (one) => {
      const log = vi.spyOn(console, 'log').mockImplementation(() => {})
      await import(/* @vite-ignore */ join(folder, pathOf(one)))
      const printed = log.mock.calls.map((args) => format(...args)).join('\n')
      log.mockRestore()
      expect(printed).toBe(one.output)
    },
  )
})

test('every package says what it is', async () => {
  const packages = (await readdir(join(root, 'packages'))).map((name) => `packages/${name}/README.md`)
  expect(documents.map(({ path }) => path)).toEqual(expect.arrayContaining(packages))
})

describe('the links between documents', () => {
  const links = documents.flatMap(({ path, text }) => localLinks(text).map((link) => ({ path, link })))

  test.each(links)('$path links to $link, which exists', ({ path, link }) => {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : posix.join(posix.dirname(path), file)
    expect(existsSync(join(root, target)), `${target} exists`).toBe(true)
    if (anchor === undefined) return
    const text = documents.find((document) => document.path === target)?.text ?? ''
    expect(anchors(text)).toContain(anchor)
  })
})

describe('reading a document', () => {
  const fence = '```'

  test('only blocks that say so are examples, with the line they stand on', () => {
    const markdown = `# A\n${fence}ts\nsketch\n${fence}\n${fence}tsx complete\nwhole\n${fence}\n`
    expect(readExamples('a.md', markdown)).toEqual([
      { document: 'a.md', line: 6, file: 'line-6.tsx', code: 'whole', output: undefined },
    ])
  })

  test('an example that runs is followed by what it prints', () => {
    const markdown = `${fence}ts complete run file=graph.ts\ngo()\n${fence}\nprints\n${fence}text\n1\n2\n${fence}`
    expect(readExamples('a.md', markdown)).toEqual([
      { document: 'a.md', line: 2, file: 'graph.ts', code: 'go()', output: '1\n2' },
    ])
  })

  test('an example that runs and shows no output is an error', () => {
    expect(() => readExamples('a.md', `${fence}ts complete run\ngo()\n${fence}\n`)).toThrow('a.md:2')
  })

  test('links in code and to other places are left alone', () => {
    const markdown = `[a](b.md#c) [d](https://e.f) \`[g](h.md)\`\n${fence}\n[i](j.md)\n${fence}`
    expect(localLinks(markdown)).toEqual(['b.md#c'])
  })

  test('headings are linked as GitHub names them', () => {
    expect(anchors('# How `useStream` works, in short\n## A & B')).toEqual(['how-usestream-works-in-short', 'a--b'])
  })
})
