import * as fc from 'fast-check'
import { unparse } from 'papaparse'
import { describe, expect, test } from 'vitest'
import type { Column, CsvFigures, NumericColumn, OtherColumn } from '../../../contract/csv-analysis.ts'
import { analyzeCsv, MAX_COLUMNS, type CsvProgress } from './analyze.ts'

const atOnce = async (): Promise<void> => {}

async function analyze(text: string, columns?: string[]): Promise<CsvFigures> {
  const result = await analyzeCsv(
    { name: 'a.csv', text },
    { signal: new AbortController().signal, onProgress: () => {}, breathe: atOnce, columns },
  )
  if ('problem' in result) throw new Error(result.problem)
  return result
}

const problemOf = async (text: string, columns?: string[]): Promise<string> => {
  const failed: unknown = await analyze(text, columns).then(
    () => new Error('no problem'),
    (error: unknown) => error,
  )
  return (failed as Error).message
}

const columnOf = (figures: CsvFigures, name: string): Column => {
  const found = figures.columns.find((column) => column.name === name)
  if (!found) throw new Error(`no column ${name}`)
  return found
}

const numbersOf = (figures: CsvFigures, name: string): NumericColumn => {
  const found = columnOf(figures, name)
  if (found.type !== 'integer' && found.type !== 'number') throw new Error(`${name} is ${found.type}`)
  return found
}

test('a table gives types, counts and figures by column', async () => {
  const figures = await analyze(
    'day,site,level,ok\n2026-01-01,North,1.5,yes\n2026-01-02,South,,no\n2026-01-03,North,2.5,yes\n',
  )
  expect(figures).toMatchObject({ file: 'a.csv', rows: 3, ragged: 0, unnamed: false, omitted: 0 })
  expect(columnOf(figures, 'day')).toMatchObject({ type: 'date', filled: 3, range: ['2026-01-01', '2026-01-03'] })
  expect(columnOf(figures, 'site')).toMatchObject({
    type: 'text',
    distinct: 2,
    top: [
      { value: 'North', count: 2 },
      { value: 'South', count: 1 },
    ],
  })
  expect(numbersOf(figures, 'level')).toMatchObject({
    type: 'number',
    filled: 2,
    missing: 1,
    mean: 2,
    min: 1.5,
    max: 2.5,
  })
  expect(columnOf(figures, 'ok')).toMatchObject({ type: 'boolean', filled: 3 })
})

describe('odd files are read', () => {
  test('quotes hold delimiters, line ends and quotes', async () => {
    const figures = await analyze('name,n\n"a, b",1\n"c\nd",2\n"say ""e""",3\n')
    expect(figures.rows).toBe(3)
    expect((columnOf(figures, 'name') as OtherColumn).top.map(({ value }) => value)).toEqual([
      'a, b',
      'c\nd',
      'say "e"',
    ])
  })

  test.each([
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['CR alone', 'a,b\r1,2\r3,4\r'],
    ['mixed line ends', 'a,b\r\n1,2\n3,4'],
    ['a byte order mark', '\uFEFFa,b\n1,2\n3,4\n'],
    ['semicolons', 'a;b\n1;2\n3;4\n'],
    ['tabs', 'a\tb\n1\t2\n3\t4\n'],
    ['blank lines', '\na,b\n\n1,2\n , \n3,4\n\n'],
  ])('%s', async (_, text) => {
    const figures = await analyze(text)
    expect(figures.rows).toBe(2)
    expect(figures.columns.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(numbersOf(figures, 'a').mean).toBe(2)
    expect(numbersOf(figures, 'b').max).toBe(4)
  })

  test('short rows count as missing cells, and long rows lose the rest', async () => {
    const figures = await analyze('a,b,c\n1,2,3\n4\n5,6,7,8\n')
    expect(figures).toMatchObject({ rows: 3, ragged: 2 })
    expect(columnOf(figures, 'c')).toMatchObject({ filled: 2, missing: 1 })
    expect(figures.columns).toHaveLength(3)
  })

  test('one column needs no delimiter', async () => {
    expect(numbersOf(await analyze('n\n1\n2\n3\n'), 'n')).toMatchObject({ type: 'integer', mean: 2 })
  })

  test('a first row of numbers is data, and columns get names', async () => {
    const figures = await analyze('1,2\n3,4\n')
    expect(figures).toMatchObject({ rows: 2, unnamed: true })
    expect(numbersOf(figures, 'column 1').mean).toBe(2)
  })

  test('empty and repeated names become distinct', async () => {
    const figures = await analyze('x,,x,__proto__\n1,2,3,4\n')
    expect(figures.columns.map(({ name }) => name)).toEqual(['x', 'column 2', 'x (2)', '__proto__'])
  })

  test('a header alone gives columns without values', async () => {
    const figures = await analyze('a,b\n')
    expect(figures.rows).toBe(0)
    expect(columnOf(figures, 'a')).toMatchObject({ type: 'empty', filled: 0, missing: 0 })
  })

  test('an unclosed quote ends with the file', async () => {
    expect((await analyze('a,b\n1,"x\n2,3\n')).rows).toBe(1)
  })

  test('columns beyond the bound are counted', async () => {
    const figures = await analyze(Array.from({ length: MAX_COLUMNS + 5 }, (_, index) => `c${index}`).join(','))
    expect(figures.columns).toHaveLength(MAX_COLUMNS)
    expect(figures.omitted).toBe(5)
  })
})

describe('numbers', () => {
  test('integers beyond 2^53 are measured and marked as rounded', async () => {
    const column = numbersOf(await analyze('id\n12345678901234567890\n12345678901234567892\n'), 'id')
    expect(column).toMatchObject({ type: 'integer', rounded: true, max: Number('12345678901234567892') })
  })

  test('very large values do not overflow the mean or the histogram', async () => {
    const column = numbersOf(await analyze('v\n1e308\n-1e308\n1e308\n'), 'v')
    expect(column.mean).toBeCloseTo(1e308 / 3, -300)
    expect(column.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(3)
    expect(column.histogram.every(({ from, to }) => Number.isFinite(from) && Number.isFinite(to))).toBe(true)
  })

  test('what is beyond the largest number is no number', async () => {
    expect(columnOf(await analyze('v\n1e999\n1e999\n'), 'v').type).toBe('text')
  })

  test('thousands may be separated', async () => {
    expect(numbersOf(await analyze('v;w\n1,234.5;1\n2,000;1\n'), 'v').max).toBe(2000)
  })

  test('a few odd cells leave a column numeric and are counted', async () => {
    const rows = Array.from({ length: 19 }, (_, index) => String(index)).join('\n')
    expect(numbersOf(await analyze(`v\n${rows}\nn/a\n`), 'v')).toMatchObject({ filled: 20, unlike: 1, max: 18 })
  })

  test('half odd cells make a column text', async () => {
    expect(columnOf(await analyze('v\n1\nx\n'), 'v').type).toBe('text')
  })
})

test('only the columns asked for are given, whatever their case', async () => {
  const figures = await analyze('Flow,Level\n1,2\n', ['flow'])
  expect(figures.columns.map(({ name }) => name)).toEqual(['Flow'])
})

describe('what is no table is a sentence', () => {
  test.each([
    ['', 'a.csv is empty.'],
    ['\n \n', 'a.csv is empty.'],
    ['PK\0\u0001', 'a.csv is not a text file, so it cannot be read as CSV.'],
  ])('%j', async (text, sentence) => {
    expect(await problemOf(text)).toBe(sentence)
  })

  test('an unknown column names the known ones', async () => {
    expect(await problemOf('a,b\n1,2\n', ['c'])).toBe('a.csv has no such column. Its columns are "a", "b".')
  })
})

const thousand = `n\n${Array.from({ length: 1000 }, (_, index) => index).join('\n')}\n`

test('progress rises piece by piece up to the number of rows', async () => {
  const seen: CsvProgress[] = []
  await analyzeCsv(
    { name: 'a.csv', text: thousand },
    { signal: new AbortController().signal, onProgress: (progress) => seen.push(progress), breathe: atOnce },
  )
  const done = seen.map((progress) => progress.done)
  expect(new Set(done).size).toBeGreaterThan(5)
  expect(done).toEqual([...done].sort((a, b) => a - b))
  expect(seen.every((progress) => progress.done <= progress.total)).toBe(true)
  expect(seen.at(-1)).toEqual({ done: 1000, total: 1000, message: 'Done' })
})

test('line ends inside of quotes are not taken for rows', async () => {
  const totals = new Set<number>()
  const text = `n,note\n${'1,"two\nlines, ""quoted"" "\n'.repeat(500)}`
  await analyzeCsv(
    { name: 'a.csv', text },
    { signal: new AbortController().signal, onProgress: ({ total }) => totals.add(total), breathe: atOnce },
  )
  expect([...totals]).toEqual([500])
})

test('other work gets its turn between two pieces', async () => {
  let turns = 0
  const breathe = async (): Promise<void> => {
    turns += 1
  }
  await analyzeCsv(
    { name: 'a.csv', text: thousand },
    { signal: new AbortController().signal, onProgress: () => {}, breathe },
  )
  expect(turns).toBeGreaterThan(5)
  expect(turns).toBeLessThanOrEqual(41)
})

test('an abort at any piece stops the work with its reason', async () => {
  for (let stopAt = 0; stopAt <= 10; stopAt += 1) {
    const stop = new AbortController()
    let pieces = 0
    const work = analyzeCsv(
      { name: 'a.csv', text: thousand },
      {
        signal: stop.signal,
        onProgress: () => {
          if (pieces === stopAt) stop.abort(new Error('enough'))
          pieces += 1
        },
        breathe: atOnce,
      },
    )
    await expect(work).rejects.toThrow('enough')
    expect(pieces).toBeLessThanOrEqual(stopAt + 1)
  }
})

test('a throwing progress callback fails the analysis and nothing else', async () => {
  const work = analyzeCsv(
    { name: 'a.csv', text: thousand },
    {
      signal: new AbortController().signal,
      onProgress: ({ done }) => {
        if (done > 300) throw new Error('callback')
      },
      breathe: atOnce,
    },
  )
  await expect(work).rejects.toThrow('callback')
})

test('pieces of any size give the same figures as the whole', async () => {
  const cell = fc.constantFrom('', '1', '-2.5', 'x', 'a,b', 'li\nne', '"q"', '2026-01-01', 'true', ' ')
  const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      const body = unparse(rows, { newline: '\n' })
      const once = await analyze(`a,b,c\n${body}\n`)
      const many = await analyze(`a,b,c\n${`${body}\n`.repeat(120)}`)
      expect(many.rows).toBe(once.rows * 120)
      for (const [index, column] of once.columns.entries()) {
        expect(many.columns[index]).toMatchObject({ filled: column.filled * 120, missing: column.missing * 120 })
      }
    }),
    { numRuns: 60 },
  )
})
