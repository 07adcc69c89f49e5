import { expect, test, vi } from 'vitest'

vi.mock('@tanstack/react-query', () => {
  throw new Error('it is not installed')
})

test('the main entry does not ask for TanStack Query; the query entry does', async () => {
  await expect(import('@rivulet/react/query')).rejects.toThrow('error when mocking')
  expect((await import('@rivulet/react')).useStream).toBeTypeOf('function')
})
