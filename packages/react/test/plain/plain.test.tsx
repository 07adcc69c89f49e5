// @vitest-environment jsdom
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { cleanup, render, screen, waitFor } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { StrictMode } from 'react'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Ask } from './plain-page.tsx'
import { server } from './plain-server.ts'

const here = import.meta.dirname

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterEach(cleanup)
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('the hook’s guide shows just these two files', async () => {
  const guide = await readFile(`${here}/../../../../docs/hook.md`, 'utf8')
  for (const name of ['plain-server.ts', 'plain-page.tsx']) {
    expect(guide).toContain(await readFile(`${here}/${name}`, 'utf8'))
  }
})

test('a page over an endpoint of a few lines shows its tokens', async () => {
  // It listens on an address, not on a pipe.
  const { port } = server.address() as AddressInfo
  const { container } = render(
    <StrictMode>
      <Ask url={`http://127.0.0.1:${port}/ask`} />
    </StrictMode>,
  )
  const texts = () => [...container.querySelectorAll('p')].map(({ textContent }) => textContent)
  const turn = ['Who are you?', 'You asked: Who are you?']
  await userEvent.click(screen.getByText('Ask'))
  await waitFor(() => expect(texts()).toEqual(turn))
  await waitFor(() => expect(screen.getByText<HTMLButtonElement>('Ask').disabled).toBe(false))
  await userEvent.click(screen.getByText('Ask'))
  await waitFor(() => expect(texts()).toEqual([...turn, ...turn]))
})
