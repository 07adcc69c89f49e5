// @vitest-environment jsdom
import { createClient, type ThreadInfo, type Transport } from '@rivulet/client'
import { RivuletError } from '@rivulet/protocol'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, configure, render, screen, waitFor } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { afterEach, expect, test } from 'vitest'
import { ThreadList } from './thread-list.tsx'

// What is waited for comes by itself, on a busy machine later than within the second that is the default.
configure({ asyncUtilTimeout: 10_000 })

afterEach(cleanup)

/** A list of two chats, and what was asked of it. */
async function setUp({ refuses = false } = {}) {
  let threads: ThreadInfo[] = ['One', 'Two'].map((title) => ({
    id: title.toLowerCase(),
    status: 'idle',
    createdAt: 0,
    updatedAt: 0,
    metadata: { title },
  }))
  const unused = (): never => {
    throw new Error('not used here')
  }
  const transport: Transport = {
    open: unused,
    threads: {
      list: async () => ({ threads }),
      create: unused,
      get: unused,
      delete: async (id) => {
        if (refuses) throw new RivuletError('INTERNAL', 'no')
        threads = threads.filter((thread) => thread.id !== id)
      },
    },
  }
  const opened: (string | undefined)[] = []
  const queries = new QueryClient()
  render(
    <QueryClientProvider client={queries}>
      <ThreadList client={createClient({ transport })} current="two" onOpen={(id) => opened.push(id)} />
    </QueryClientProvider>,
  )
  await screen.findByText('Two')
  const press = (name: string) => userEvent.click(screen.getByRole('button', { name }))
  const titles = () => screen.getAllByRole('link').map(({ textContent }) => textContent)
  return { opened, press, titles }
}

test('a chat is deleted once that was said twice', async () => {
  const { opened, press } = await setUp()
  await press('Delete One')
  expect(screen.getByText('One')).toBeTruthy()
  await press('Delete')
  await waitFor(() => expect(screen.queryByText('One')).toBeNull())
  expect(screen.getByText('Two')).toBeTruthy()
  expect(opened).toEqual([])
})

test('a chat that is kept after all stays', async () => {
  const { press } = await setUp()
  await press('Delete One')
  await press('Keep')
  expect(screen.queryByRole('button', { name: 'Keep' })).toBeNull()
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Delete One')
  expect(screen.getByText('One')).toBeTruthy()
})

test('who deletes the chat on the page gets a new one, and the focus is not lost', async () => {
  const { opened, press } = await setUp()
  await press('Delete Two')
  await press('Delete')
  await waitFor(() => expect(opened).toEqual([undefined]))
  expect(document.activeElement?.textContent).toBe('New chat')
})

test('a deletion that failed is said, and the chat stays', async () => {
  const { press } = await setUp({ refuses: true })
  await press('Delete One')
  await press('Delete')
  expect((await screen.findByRole('alert')).textContent).toBe('It could not be deleted.')
  expect(screen.getByText('One')).toBeTruthy()
})
