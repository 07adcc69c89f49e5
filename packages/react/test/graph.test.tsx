// @vitest-environment jsdom
import { END, fromAsyncIterable, messages, START, state, StateGraph, value } from '@rivulet/core'
import { useStream } from '@rivulet/react'
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'
import { overEveryTransport, type Deliver } from './deliveries.ts'

afterEach(cleanup)

const echo = fromAsyncIterable(async function* (said) {
  for (const word of `you said ${said.at(-1)!.content}`.split(/(?= )/)) yield word
})

/** Whether the graph fails on the way. */
let isDown = false

const graph = new StateGraph(state({ messages: messages(), approved: value<boolean>() }), {
  interrupt: value<string>(),
  resume: value<boolean>(),
})
  .addNode('ask', ({ messages }, ctx) => {
    const isDangerous = messages.at(-1)?.content === 'dangerous'
    return { approved: isDangerous ? ctx.interrupt('sure?') : true }
  })
  .addNode('answer', async ({ messages }) => {
    if (isDown) throw new Error('no luck')
    return { messages: [await echo.invoke(messages)] }
  })
  .addEdge(START, 'ask')
  .addEdge('ask', 'answer')
  .addEdge('answer', END)
  .compile()

function page(deliver: Deliver) {
  const { transport } = deliver(graph)
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

overEveryTransport((deliver) => {
  test('a graph answers on the page', async () => {
    const { stream, texts, note } = page(deliver)
    act(() => void stream().submit({ messages: 'hello there' }))
    await waitFor(() => expect(texts()).toEqual(['hello there', 'you said hello there']))
    act(() => void stream().submit({ messages: 'more' }))
    await waitFor(() => expect(texts().slice(2)).toEqual(['more', 'you said more']))
    await waitFor(() => expect(note()).toBe('idle'))
  })

  test('a person answers what the graph asks', async () => {
    const { stream, texts, note } = page(deliver)
    act(() => void stream().submit({ messages: 'dangerous' }))
    await waitFor(() => expect(note()).toBe('interrupted  sure?'))
    act(() => void stream().respond(false))
    await waitFor(() => expect(note()).toBe('idle'))
    expect(texts()).toEqual(['dangerous', 'you said dangerous'])
    expect(stream().values.approved).toBe(false)
  })

  test('a run that failed goes on where it failed', async () => {
    const { stream, texts, note } = page(deliver)
    isDown = true
    act(() => void stream().submit({ messages: 'hi' }))
    await waitFor(() => expect(note()).toBe('error no luck'))
    isDown = false
    act(() => void stream().retry())
    await waitFor(() => expect(texts()).toEqual(['hi', 'you said hi']))
    await waitFor(() => expect(note()).toBe('idle'))
  })

  test('an earlier message is edited, and what came after it is gone', async () => {
    const { stream, texts, note } = page(deliver)
    for (const content of ['one', 'two']) {
      act(() => void stream().submit({ messages: { id: content, role: 'user', content } }))
      await waitFor(() => expect(texts().at(-1)).toBe(`you said ${content}`))
      await waitFor(() => expect(note()).toBe('idle'))
    }
    act(() => void stream().edit('two', { messages: 'three' }))
    await waitFor(() => expect(texts()).toEqual(['one', 'you said one', 'three', 'you said three']))
  })
})
