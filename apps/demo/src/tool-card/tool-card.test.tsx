// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import type { CsvAnalysis } from '../../contract/csv-analysis.ts'
import { ToolCard, type ToolCardProps } from './tool-card.tsx'

afterEach(cleanup)

const show = (more: Partial<ToolCardProps>): HTMLElement =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ToolCard
        name="calculate"
        args="{}"
        status="pending"
        progress={undefined}
        output={undefined}
        error={undefined}
        {...more}
      />
    </QueryClientProvider>,
  ).container

test('arguments are shown as they arrive, and by name once they are complete', () => {
  expect(show({ args: '{"expression":"2^' }).textContent).toContain('{"expression":"2^')
  cleanup()
  show({ args: '{"expression":"2^10","skip":3}' })
  expect(screen.getByText('expression').nextSibling?.textContent).toBe('2^10')
  expect(screen.getByText('skip').nextSibling?.textContent).toBe('3')
})

test('progress is a bar with its values while the tool runs, and gone when it is done', () => {
  const progress = { done: 1200, total: 2920, message: 'Reading rows' }
  show({ status: 'running', progress })
  const bar = screen.getByRole('progressbar', { name: 'Reading rows' })
  expect(bar.getAttribute('aria-valuenow')).toBe('1200')
  expect(bar.getAttribute('aria-valuemax')).toBe('2920')
  expect(bar.getAttribute('aria-valuetext')).toBe('1,200 of 2,920')
  cleanup()
  show({ status: 'done', progress, output: { expression: '1', value: '1' } })
  expect(screen.queryByRole('progressbar')).toBeNull()
})

test.each([undefined, 5, 'half', { done: 'x', total: 1 }, { done: Number.NaN, total: 1 }])(
  'progress %j is none',
  (progress) => {
    show({ status: 'running', progress })
    expect(screen.queryByRole('progressbar')).toBeNull()
  },
)

test('a value is shown large, and a problem as one', () => {
  expect(
    show({ status: 'done', output: { expression: '2^10', value: '1024' } }).querySelector('.tool-value')?.textContent,
  ).toBe('1024')
  cleanup()
  const problem = show({ status: 'done', output: { expression: '1 +', problem: 'It ends too early.' } })
  expect(problem.querySelector('.tool-problem')?.textContent).toBe('It ends too early.')
})

test('quotations stand with their place', () => {
  const hits = [{ file: 'docs/a.md', trail: ['A', 'Resuming'], quote: '<b>A stream resumes.</b>' }]
  show({ name: 'search_docs', status: 'done', output: { query: 'q', total: 1, skipped: 0, hits } })
  expect(screen.getByText('Resuming')).toBeDefined()
  expect(screen.getByText('<b>A stream resumes.</b>')).toBeDefined()
})

test('a search without results says so', () => {
  const page = show({ name: 'search_docs', status: 'done', output: { query: 'q', total: 0, skipped: 0, hits: [] } })
  expect(page.textContent).toContain('Nothing matches “q”.')
})

test('each column of numbers has a histogram that is described in words', () => {
  const output: CsvAnalysis = {
    file: 'a.csv',
    rows: 10,
    ragged: 1,
    unnamed: false,
    omitted: 0,
    columns: [
      {
        name: 'level',
        type: 'number',
        filled: 9,
        missing: 1,
        unlike: 0,
        mean: 2,
        min: 0,
        max: 4,
        rounded: false,
        histogram: [
          { from: 0, to: 2, count: 3 },
          { from: 2, to: 4, count: 6 },
        ],
      },
      {
        name: 'site',
        type: 'text',
        filled: 10,
        missing: 0,
        unlike: 0,
        distinct: 1,
        distinctIsBound: false,
        top: [{ value: 'North', count: 10 }],
      },
    ],
  }
  const page = show({ name: 'analyze_csv', status: 'done', output })
  expect(screen.getByRole('img').getAttribute('aria-label')).toBe(
    'Histogram of level from 0 to 4. Most values, 6, lie between 2 and 4.',
  )
  expect(page.textContent).toContain('2 columns, 10 rows, 1 of them ragged')
  expect(page.textContent).toContain('North (10)')
})

test('a failed call says why', () => {
  expect(show({ status: 'error', error: 'It broke.' }).querySelector('.tool-problem')?.textContent).toBe('It broke.')
})

test('an unknown tool and an unexpected result are shown as they are', () => {
  expect(show({ name: 'other', status: 'done', output: { a: 1 } }).querySelector('pre')?.textContent).toBe(
    '{\n  "a": 1\n}',
  )
  cleanup()
  expect(show({ name: 'calculate', status: 'done', output: 'odd' }).querySelector('pre')?.textContent).toBe('odd')
})
