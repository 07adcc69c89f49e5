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

test('an answer appears token by token', async () => {
  const p = pump(script().run().token('Hel').token('lo!').end())
  render(<Chat transport={memoryTransport(p)} />)
  fireEvent.click(screen.getByText('Send'))
  expect(screen.getByLabelText('user').textContent).toBe('Hi!')

  await p.until('message.delta')
  expect(screen.getByLabelText('assistant').textContent).toBe('Hel')

  await p.next()
  expect(screen.getByLabelText('assistant').textContent).toBe('Hello!')

  await p.drain()
  expect(screen.getAllByRole('paragraph').map((row) => row.textContent)).toEqual(['Hi!', 'Hello!'])
})
