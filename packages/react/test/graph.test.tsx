// @vitest-environment jsdom
import { inProcess } from '@rivulet/client'
import { END, fromAsyncIterable, messages, START, state, StateGraph } from '@rivulet/core'
import { useStream } from '@rivulet/react'
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'

afterEach(cleanup)

const echo = fromAsyncIterable(async function* (said) {
  for (const word of `you said ${said.at(-1)!.content}`.split(/(?= )/)) yield word
})

let failures = 0

const graph = new StateGraph(state({ messages: messages() }))
  .addNode('answer', async ({ messages }) => {
    if (messages.at(-1)?.content === 'flaky' && failures++ === 0) throw new Error('no luck')
    return { messages: [await echo.invoke(messages)] }
  })
  .addEdge(START, 'answer')
  .addEdge('answer', END)
  .compile()

function page() {
  const transport = inProcess(graph)
  let latest: ReturnType<typeof useStream<typeof graph>>
  function Page(): ReactNode {
    const stream = useStream<typeof graph>({ transport, graph: 'agent' })
    latest = stream
    const { messages, status, error } = stream
    return (
      <>
        <output>
          {status} {error?.message}
        </output>
        {messages.map(({ id, content }) => (
          <p key={id}>{content}</p>
        ))}
      </>
    )
  }
  const { container } = render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  return {
    stream: () => latest,
    texts: () => [...container.querySelectorAll('p')].map(({ textContent }) => textContent),
    note: () => screen.getByRole('status').textContent.trim(),
  }
}

test('a graph in the same process answers on the page', async () => {
  const { stream, texts, note } = page()
  act(() => void stream().submit({ messages: 'hello there' }))
  await waitFor(() => expect(texts()).toEqual(['hello there', 'you said hello there']))
  act(() => void stream().submit({ messages: 'more' }))
  await waitFor(() => expect(texts().slice(2)).toEqual(['more', 'you said more']))
  await waitFor(() => expect(note()).toBe('idle'))
})

test('a run that failed goes on where it failed', async () => {
  const { stream, texts, note } = page()
  act(() => void stream().submit({ messages: 'flaky' }))
  await waitFor(() => expect(note()).toBe('error no luck'))
  act(() => void stream().retry())
  await waitFor(() => expect(texts()).toEqual(['flaky', 'you said flaky']))
  await waitFor(() => expect(note()).toBe('idle'))
})

test('an earlier message is edited, and what came after it is gone', async () => {
  const { stream, texts, note } = page()
  for (const content of ['one', 'two']) {
    act(() => void stream().submit({ messages: { id: content, role: 'user', content } }))
    await waitFor(() => expect(texts().at(-1)).toBe(`you said ${content}`))
    await waitFor(() => expect(note()).toBe('idle'))
  }
  act(() => void stream().edit('two', { messages: 'three' }))
  await waitFor(() => expect(texts()).toEqual(['one', 'you said one', 'three', 'you said three']))
})
