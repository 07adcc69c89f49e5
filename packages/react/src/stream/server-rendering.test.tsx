// @vitest-environment jsdom
import { memoryTransport, pump, script } from '@rivulet/testing'
import { render, screen } from '@testing-library/react'
import { renderToString } from 'react-dom/server'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import type { Transport } from '@rivulet/client'
import { useMessageIds } from '../selectors/use-messages.ts'
import { useStream } from './use-stream.ts'

afterEach(() => vi.restoreAllMocks())

function Page({ transport }: { transport: Transport }): ReactNode {
  const { messages, status, handle } = useStream({
    transport,
    graph: 'agent',
    threadId: 't',
    initialValues: { messages: [{ id: 'w', role: 'assistant', content: 'welcome' }] },
  })
  return <p>{`${status}: ${messages.map(({ content }) => content).join()} ${useMessageIds(handle).join()}`}</p>
}

test('on a server the initial values are rendered and nothing is opened', () => {
  const open = vi.fn<() => never>()
  expect(renderToString(<Page transport={{ open }} />)).toBe('<p>idle: welcome w</p>')
  expect(open).not.toHaveBeenCalled()
})

test('in a browser the page goes on from what the server rendered', async () => {
  const complaints = vi.spyOn(console, 'error')
  const p = pump({
    t: script()
      .run({ messages: { id: 'q', role: 'user', content: 'hi' } })
      .token('Hello', { id: 'a' })
      .end(),
  })
  const page = (
    <StrictMode>
      <Page transport={memoryTransport(p)} />
    </StrictMode>
  )
  const container = document.body.appendChild(document.createElement('div'))
  container.innerHTML = renderToString(page)
  const rendered = container.firstElementChild
  render(page, { container, hydrate: true })
  await p.drain()
  await screen.findByText('idle: hi,Hello q,a')
  expect(container.firstElementChild).toBe(rendered)
  expect(p.connections).toHaveLength(1)
  // React says there what it could not take over.
  expect(complaints).not.toHaveBeenCalled()
})
