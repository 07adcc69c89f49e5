// @vitest-environment jsdom
import { faults, memoryTransport, pump, script } from '@rivulet/testing'
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Chat } from './chat.tsx'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

test('a connection that breaks in the middle loses nothing', async () => {
  const p = pump(script().run('Hi!').token('Hel').token('lo!').end())
  const cut = faults.cut({ afterEvent: 6 }, 'rst')
  render(<Chat transport={memoryTransport(p, { faults: [cut, faults.status(503, { retryAfter: 2 })] })} />)

  await p.until('message.delta')
  expect(screen.getByText('Connection lost, trying again')).toBeDefined()
  expect(screen.getByLabelText('assistant').textContent).toBe('Hel')

  await p.drain()
  expect(screen.getByLabelText('assistant').textContent).toBe('Hel')

  await p.advance(5_000)
  expect(screen.queryByText('Connection lost, trying again')).toBeNull()
  expect(screen.getByLabelText('assistant').textContent).toBe('Hello!')
  expect(p.connections).toHaveLength(3)
})
