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

test('a question waits for its answer, and the run goes on', async () => {
  const p = pump(
    script().run().token('A mail is ready.').interrupt('Send it?', { id: 'send' }).resume().token('Sent.').end(),
  )
  render(<Chat transport={memoryTransport(p)} />)
  fireEvent.click(screen.getByText('Send'))
  await p.drain()

  fireEvent.click(screen.getByText('Send it?'))
  await p.settle()
  expect(p.connections.at(-1)?.start?.resume).toEqual({ send: 'yes' })

  await p.drain()
  expect(screen.queryByText('Send it?')).toBeNull()
  expect(screen.getAllByLabelText('assistant').map((row) => row.textContent)).toEqual(['A mail is ready.', 'Sent.'])
})
