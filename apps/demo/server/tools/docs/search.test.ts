import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readDocs } from './read-docs.ts'
import { HITS_A_SEARCH, indexSections } from './search.ts'
import { plainText, splitSections } from './sections.ts'

const guide = `Before any heading.

# Guide

Opening words.

## Resuming a stream

A reader that lost its connection **resumes** from its [cursor](./protocol.md), so nothing is lost.

- The cursor is opaque.
- It belongs to one log.

\`\`\`ts
# not a heading
const stream = resume(cursor)
\`\`\`

## Stopping

| call | effect |
|---|---|
| \`stop()\` | cancels the run |

### By signal

Abort the signal.
`

test('Markdown is split at headings, and each section knows the headings above it', () => {
  const sections = splitSections('docs/guide.md', guide)
  expect(sections.map(({ trail }) => trail)).toEqual([
    [],
    ['Guide'],
    ['Guide', 'Resuming a stream'],
    ['Guide', 'Stopping'],
    ['Guide', 'Stopping', 'By signal'],
  ])
})

test('paragraphs are plain text, and list items and table rows stand alone', () => {
  const sections = splitSections('docs/guide.md', guide)
  expect(sections[2]?.paragraphs).toEqual([
    'A reader that lost its connection resumes from its cursor, so nothing is lost.',
    'The cursor is opaque.',
    'It belongs to one log.',
  ])
  expect(sections[3]?.paragraphs).toEqual(['call · effect', 'stop() · cancels the run'])
})

test('a fence holds code, also where it looks like a heading', () => {
  expect(splitSections('docs/guide.md', guide)[2]?.code).toEqual({
    language: 'ts',
    text: '# not a heading\nconst stream = resume(cursor)',
  })
})

test('a fence that is never closed ends with the file', () => {
  expect(splitSections('a.md', '# A\n```\ncode')[0]?.code).toEqual({ language: '', text: 'code' })
})

test('stars inside code and globs stay', () => {
  expect(plainText('all of `docs/**` and *this* and 2 * 3 * 4')).toBe('all of docs/** and this and 2 * 3 * 4')
})

const index = indexSections(splitSections('docs/guide.md', guide))

test('a question finds the section that answers it and quotes the paragraph that does', () => {
  const { hits } = index.search('how do I resume a stream?')
  expect(hits[0]).toEqual({
    file: 'docs/guide.md',
    trail: ['Guide', 'Resuming a stream'],
    quote: 'A reader that lost its connection resumes from its cursor, so nothing is lost.',
    code: { language: 'ts', text: '# not a heading\nconst stream = resume(cursor)' },
  })
})

test('plurals, beginnings and small misspellings find the same', () => {
  for (const query of ['streams', 'streaming', 'resumes', 'resumed', 'strean', 'STREAM', 'connect']) {
    expect(index.search(query).hits[0]?.trail.at(-1)).toBe('Resuming a stream')
  }
})

test.each(['', '???', 'what is the', 'zebra', '今日は', 'rivulet'])('%j finds nothing', (query) => {
  expect(index.search(query)).toEqual({ query, total: 0, skipped: 0, hits: [] })
})

test('further results follow the first ones', () => {
  const many = indexSections(
    Array.from({ length: 8 }, (_, n) => ({
      file: `${n}.md`,
      trail: ['Logs'],
      paragraphs: ['A log.'],
      code: undefined,
    })),
  )
  const first = many.search('log')
  const next = many.search('log', HITS_A_SEARCH)
  expect(first.total).toBe(8)
  expect(first.hits).toHaveLength(HITS_A_SEARCH)
  expect(next.hits[0]?.file).not.toBe(first.hits[0]?.file)
  expect(many.search('log', 8).hits).toEqual([])
})

test('a long paragraph is cut after a sentence', () => {
  const long = indexSections([
    {
      file: 'a.md',
      trail: ['A'],
      paragraphs: [`${'Rivers run. '.repeat(25)}And ${'on '.repeat(200)}`],
      code: undefined,
    },
  ])
  const quote = long.search('rivers').hits[0]?.quote ?? ''
  expect(quote.endsWith('run.')).toBe(true)
  expect(quote.length).toBeLessThanOrEqual(360)
})

test('the repository is read from its root: README, CONTRIBUTING and docs with folders', async () => {
  const root = await mkdtemp(join(tmpdir(), 'docs-'))
  try {
    await mkdir(join(root, 'docs', 'deep'), { recursive: true })
    await writeFile(join(root, 'README.md'), '# Read me\nHello.')
    await writeFile(join(root, 'OTHER.md'), '# Other\nNot read.')
    await writeFile(join(root, 'docs', 'b.md'), '# B\nText.')
    await writeFile(join(root, 'docs', 'b.txt'), 'Not Markdown.')
    await writeFile(join(root, 'docs', 'deep', 'a.md'), '# A\nText.')
    expect((await readDocs(root)).map(({ file }) => file)).toEqual(['README.md', 'docs/b.md', 'docs/deep/a.md'])
  } finally {
    await rm(root, { recursive: true })
  }
})

test('a repository without documentation is empty and not an error', async () => {
  const root = await mkdtemp(join(tmpdir(), 'docs-'))
  try {
    expect(await readDocs(root)).toEqual([])
  } finally {
    await rm(root, { recursive: true })
  }
})
