// @vitest-environment jsdom
import { memoryTransport, pump, script } from '@rivulet/testing'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Chat } from './chat.tsx'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

test('a tool shows how far it is', async () => {
  const search = script()
    .run()
    .tool('search', { args: { query: 'boats' } })
    .progress({ done: 1, total: 4 })
    .progress({ done: 4, total: 4 })
    .result('12 boats')
  const p = pump(search.token('I found 12.').end())
  render(<Chat transport={memoryTransport(p)} />)
  fireEvent.click(screen.getByText('Send'))

  await p.until('custom')
  expect(screen.getByLabelText('search')).toMatchObject({ value: 1, max: 4 })
  await p.until('custom')
  expect(screen.getByLabelText('search')).toMatchObject({ value: 4, max: 4 })
  await p.drain()
  expect(screen.getAllByLabelText('assistant').at(-1)?.textContent).toBe('I found 12.')
})
