import { renderToString } from 'react-dom/server'
import type { ReactNode } from 'react'
import { expect, test, vi } from 'vitest'
import { useMessageIds } from '../selectors/use-messages.ts'
import { useStream } from './use-stream.ts'

test('on a server the initial values are rendered and nothing is opened', () => {
  const open = vi.fn<() => never>()
  function Page(): ReactNode {
    const { messages, status, handle } = useStream({
      transport: { open },
      graph: 'agent',
      threadId: 't',
      initialValues: { messages: [{ id: 'w', role: 'assistant', content: 'welcome' }] },
    })
    return `${status}: ${messages.map(({ content }) => content).join()} ${useMessageIds(handle).join()}`
  }
  expect(renderToString(<Page />)).toBe('idle: welcome w')
  expect(open).not.toHaveBeenCalled()
})
