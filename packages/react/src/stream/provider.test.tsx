// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react'
import { Component, StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { settle, mockBackend } from '../../test/backend.ts'
import { turn } from '../../test/conversation.ts'
import { StreamProvider, useStreamContext } from './provider.tsx'

const backend = mockBackend()

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

function Messages(): ReactNode {
  const { messages } = useStreamContext()
  return <p>{messages.map(({ content }) => content).join(', ')}</p>
}

test('everybody below a provider sees its thread over one connection', async () => {
  const show = (threadId: string) => (
    <StrictMode>
      <StreamProvider url={backend.url} graph="agent" threadId={threadId}>
        <Messages />
        <Messages />
      </StreamProvider>
    </StrictMode>
  )
  const { rerender, unmount } = render(show('a'))
  await settle()
  await backend.emit('a', ...turn('r', 'hi', 'Hello'))
  expect(backend.open).toHaveLength(1)
  expect(screen.getAllByText('hi, Hello')).toHaveLength(2)
  rerender(show('b'))
  expect(screen.queryByText('hi, Hello')).toBeNull()
  await settle()
  expect(backend.open.map(({ thread }) => thread)).toEqual(['b'])
  unmount()
  await settle()
  expect(backend.open).toEqual([])
})

test('what a component below does is done on the provider’s thread', async () => {
  function Ask(): ReactNode {
    const { submit } = useStreamContext()
    return (
      <button type="button" onClick={() => void submit({ messages: 'hi' })}>
        ask
      </button>
    )
  }
  render(
    <StreamProvider url={backend.url} graph="agent" threadId="t">
      <Ask />
      <Messages />
    </StreamProvider>,
  )
  await settle()
  act(() => screen.getByRole('button').click())
  expect(screen.getByText('hi')).toBeTruthy()
})

test('without a provider it says what is missing', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  class Boundary extends Component<{ children: ReactNode }, { message: string }> {
    override state = { message: '' }
    static getDerivedStateFromError = ({ message }: Error) => ({ message })
    override render(): ReactNode {
      return this.state.message || this.props.children
    }
  }
  render(
    <Boundary>
      <Messages />
    </Boundary>,
  )
  expect(screen.getByText('useStreamContext needs a StreamProvider above it')).toBeTruthy()
})
