// @vitest-environment jsdom
import { inProcess } from '@rivulet/client'
import { END, fromAsyncIterable, messages, START, state, StateGraph, value } from '@rivulet/core'
import { useStream } from '@rivulet/react'
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'

afterEach(cleanup)

const echo = fromAsyncIterable(async function* (said) {
  for (const word of `you said ${said.at(-1)!.content}`.split(/(?= )/)) yield word
})

let failures = 0

const graph = new StateGraph(state({ messages: messages(), approved: value<boolean>() }), {
  interrupt: value<string>(),
  resume: value<boolean>(),
})
  .addNode('ask', ({ messages }, ctx) => {
    const isDangerous = messages.at(-1)?.content === 'dangerous'
    return { approved: isDangerous ? ctx.interrupt('sure?') : true }
  })
  .addNode('answer', async ({ messages }) => {
    if (messages.at(-1)?.content === 'flaky' && failures++ === 0) throw new Error('no luck')
    return { messages: [await echo.invoke(messages)] }
  })
  .addEdge(START, 'ask')
  .addEdge('ask', 'answer')
  .addEdge('answer', END)
  .compile()

function page() {
  const transport = inProcess(graph)
  let latest: ReturnType<typeof useStream<typeof graph>>
  function Page(): ReactNode {
    const stream = useStream<typeof graph>({ transport, graph: 'agent' })
    latest = stream
    const { messages, status, error, interrupts } = stream
    return (
      <>
        <output>
          {status} {error?.message} {interrupts[0]?.value}
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

test('a person answers what the graph asks', async () => {
  const { stream, texts, note } = page()
  act(() => void stream().submit({ messages: 'dangerous' }))
  await waitFor(() => expect(note()).toBe('interrupted  sure?'))
  act(() => void stream().respond(false))
  await waitFor(() => expect(note()).toBe('idle'))
  expect(texts()).toEqual(['dangerous', 'you said dangerous'])
  expect(stream().values.approved).toBe(false)
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
