import { expect, test } from 'vitest'
import { indexSections } from './docs/search.ts'
import { createTools } from './tools.ts'

const tools = new Map(
  createTools({
    docs: async () => indexSections([{ file: 'a.md', trail: ['Logs'], paragraphs: ['A log.'], code: undefined }]),
    breathe: async () => {},
  }).map((tool) => [tool.name, tool]),
)

const call = async (name: string, args: unknown): Promise<unknown> => tools.get(name)?.invoke(args)

test('the tools are these three, each described to a model', () => {
  expect([...tools.keys()]).toEqual(['search_docs', 'analyze_csv', 'calculate'])
  expect([...tools.values()].every(({ description }) => description.length > 20)).toBe(true)
})

test('a search answers quotations', async () => {
  expect(await call('search_docs', { query: 'log' })).toMatchObject({
    total: 1,
    hits: [{ file: 'a.md', quote: 'A log.' }],
  })
})

test('a calculation answers its value', async () => {
  expect(await call('calculate', { expression: '2^10' })).toEqual({ expression: '2^10', value: '1024' })
})

test('without a file the analysis says so', async () => {
  expect(await call('analyze_csv', {})).toEqual({ file: '', problem: 'No file was given to this chat.' })
})

test.each([
  ['calculate', {}],
  ['calculate', { expression: 'x'.repeat(1001) }],
  ['search_docs', { query: '' }],
  ['search_docs', { query: 'a', skip: -1 }],
  ['analyze_csv', { columns: 'a' }],
])('%s refuses arguments %j', async (name, args) => {
  await expect(call(name, args)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})
