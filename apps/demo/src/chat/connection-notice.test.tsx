// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConnectionWords, type ConnectionWordsProps } from './connection-notice.tsx'

beforeEach(() => void vi.useFakeTimers({ now: 0 }))

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

function shown(health: ConnectionWordsProps): string | null {
  render(<ConnectionWords {...health} />)
  return screen.queryByRole('status')?.textContent ?? null
}

test('while all is well nothing is said', () => {
  expect(shown({ phase: 'open', attempt: 0, nextRetryAt: undefined })).toBeNull()
  expect(shown({ phase: 'connecting', attempt: 0, nextRetryAt: undefined })).toBeNull()
})

test('the time to the next try is counted down on the second', () => {
  expect(shown({ phase: 'waiting', attempt: 2, nextRetryAt: 2500 })).toContain('Reconnecting in 3 s')
  act(() => void vi.advanceTimersByTime(500))
  expect(screen.getByRole('status').textContent).toContain('Reconnecting in 2 s')
  act(() => void vi.advanceTimersByTime(1000))
  expect(screen.getByRole('status').textContent).toContain('Reconnecting in 1 s')
})

test('the countdown is not read out', () => {
  shown({ phase: 'waiting', attempt: 1, nextRetryAt: 1000 })
  expect(screen.getByText(/Reconnecting in/).getAttribute('aria-hidden')).toBe('true')
})

test('without a network it says so, and nothing of seconds', () => {
  expect(shown({ phase: 'offline', attempt: 1, nextRetryAt: 30_000 })).toBe(
    'You are offline. This goes on once the network is back.',
  )
})
