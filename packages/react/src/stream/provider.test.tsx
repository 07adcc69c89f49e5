// @vitest-environment jsdom
import { memoryTransport, pump, script, type Pump } from '@rivulet/testing'
import { act, cleanup, render, screen } from '@testing-library/react'
import { Component, StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { StreamProvider, useStreamContext } from './provider.tsx'

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

const turn = script().run('hi').token('Hello').end()

/** Threads that a page reads now. */
function open(p: Pump): string[] {
  return p.connections.flatMap(({ isOpen, thread }) => (isOpen ? [thread] : []))
}

function Messages(): ReactNode {
  const { messages } = useStreamContext()
  return <p>{messages.map(({ content }) => content).join(', ')}</p>
}

test('everybody below a provider sees its thread over one connection', async () => {
  const p = pump({ a: turn, b: turn })
  const transport = memoryTransport(p)
  const show = (threadId: string) => (
    <StrictMode>
      <StreamProvider transport={transport} graph="agent" threadId={threadId}>
        <Messages />
        <Messages />
      </StreamProvider>
    </StrictMode>
  )
  const { rerender, unmount } = render(show('a'))
  await p.drain({ thread: 'a' })
  expect(open(p)).toEqual(['a'])
  expect(screen.getAllByText('hi, Hello')).toHaveLength(2)
  rerender(show('b'))
  expect(screen.queryByText('hi, Hello')).toBeNull()
  await p.settle()
  expect(open(p)).toEqual(['b'])
  unmount()
  await p.settle()
  expect(open(p)).toEqual([])
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
  const p = pump(script())
  render(
    <StreamProvider transport={memoryTransport(p)} graph="agent" threadId="t">
      <Ask />
      <Messages />
    </StreamProvider>,
  )
  await p.settle()
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
