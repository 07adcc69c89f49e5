import { expect, test } from 'vitest'
import type { CsvAnalysis } from '../../contract/csv-analysis.ts'
import type { SearchResult } from '../../contract/search-result.ts'
import { writeAnswer } from './answer.ts'

const answer = (name: string, result: unknown): string =>
  writeAnswer([{ name, args: '', content: JSON.stringify(result) }])

test('a calculation is its value, or why there is none', () => {
  expect(answer('calculate', { expression: '2^10', value: '1024' })).toBe('`2^10` = **1024**')
  expect(answer('calculate', { expression: '1 +', problem: 'It ends too early.' })).toBe('`1 +`: It ends too early.')
})

const found: SearchResult = {
  query: 'resume',
  total: 5,
  skipped: 0,
  hits: [
    {
      file: 'docs/a.md',
      trail: ['A', 'Resuming'],
      quote: 'Read `from` <the cursor>.',
      code: { language: 'ts', text: 'resume()' },
    },
    { file: 'README.md', trail: ['Top'], quote: 'Second.' },
  ],
}

test('a search quotes the best section with its place and code, and names the others', () => {
  expect(answer('search_docs', found)).toBe(
    [
      'From **Resuming** in `docs/a.md`:',
      String.raw`> Read \`from\` \<the cursor\>.`,
      '```ts\nresume()\n```',
      'See also **Top** in `README.md`. Say *more* for 3 further sections.',
    ].join('\n\n'),
  )
})

test('a search that found nothing says so, and why words matter', () => {
  expect(answer('search_docs', { query: 'a*b', total: 0, skipped: 0, hits: [] })).toMatch(
    /^I found nothing about \*a\\\*b\* .* I am rule-based/,
  )
})

const figures: CsvAnalysis = {
  file: 'a.csv',
  rows: 1200,
  ragged: 2,
  unnamed: false,
  omitted: 0,
  columns: [
    {
      name: 'a|b',
      type: 'number',
      filled: 1199,
      missing: 1,
      unlike: 3,
      mean: 1.25,
      min: -1,
      max: 4000.5,
      rounded: false,
      histogram: [],
    },
    {
      name: 'day',
      type: 'date',
      filled: 1200,
      missing: 0,
      unlike: 0,
      distinct: 2,
      distinctIsBound: false,
      top: [],
      range: ['2026-01-01', '2026-02-01'],
    },
    {
      name: 'site',
      type: 'text',
      filled: 1200,
      missing: 0,
      unlike: 0,
      distinct: 2,
      distinctIsBound: true,
      top: [{ value: 'North', count: 700 }],
    },
  ],
}

test('an analysis is a table with remarks', () => {
  expect(answer('analyze_csv', figures)).toBe(
    [
      '**a.csv** has 1,200 rows; these are the figures of 3 columns.',
      [
        '| column | type | filled | missing | mean | min | max |',
        '|---|---|--:|--:|--:|--:|--:|',
        String.raw`| a\|b | number | 1,199 | 1 | 1.25 | -1 | 4,000.5 |`,
        '| day | date | 1,200 | 0 | – | 2026-01-01 | 2026-02-01 |',
        '| site | text | 1,200 | 0 | – | – | – |',
      ].join('\n'),
      [
        '- 2 rows have more or fewer cells than the header.',
        String.raw`- **a\|b**: 3 filled cells are not of type number and do not count.`,
        '- **site**: more than 2 different values, most often *North* (700 times).',
      ].join('\n'),
    ].join('\n\n'),
  )
})

test('one row, one cell and one time are said as one', () => {
  const site = {
    ...figures.columns[2]!,
    filled: 1,
    distinct: 1,
    distinctIsBound: false,
    top: [{ value: 'N', count: 1 }],
  }
  const said = answer('analyze_csv', { ...figures, rows: 1, ragged: 1, omitted: 1, columns: [site] })
  expect(said).toContain('has 1 row; these are the figures of one column.')
  expect(said).toContain('- 1 row has more or fewer cells than the header.')
  expect(said).toContain('- I left out 1 further column.')
  expect(said).toContain('1 different value, most often *N* (once).')
})

test('a problem with a file is its sentence', () => {
  expect(answer('analyze_csv', { file: 'a.csv', problem: 'a.csv is empty.' })).toBe('a.csv is empty.')
})

test('a tool that failed is named with what it said', () => {
  expect(writeAnswer([{ name: 'calculate', args: '', content: 'It broke.' }])).toBe(
    'The tool `calculate` failed: It broke.',
  )
})

test('several results are answered in order', () => {
  const one = { name: 'calculate', args: '', content: '{"expression":"1+1","value":"2"}' }
  const two = { name: 'calculate', args: '', content: '{"expression":"2+2","value":"4"}' }
  expect(writeAnswer([one, two])).toBe('`1+1` = **2**\n\n`2+2` = **4**')
})
