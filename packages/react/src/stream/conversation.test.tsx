// @vitest-environment jsdom
import type { Transport } from '@rivulet/client'
import { END, fromAsyncIterable, messages, reduced, START, state, StateGraph, value } from '@rivulet/core'
import { act, cleanup, render, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'
import { overEveryTransport, type Deliver } from '../../test/deliveries.ts'
import { useStream } from './use-stream.ts'
import type { StreamResult } from './use-tracked.ts'

afterEach(cleanup)

/** A page of one thread over this backend, under StrictMode. */
function page(transport: Transport, threadId = 't') {
  let stream: StreamResult
  function Page(): ReactNode {
    stream = useStream({ transport, graph: 'g', threadId })
    return stream.messages.map(({ id, content, delivery, status }) => (
      <p key={id}>
        {content}
        {delivery && ` (${delivery})`}
        {status === 'cut' && ' (cut)'}
      </p>
    ))
  }
  const { container, unmount } = render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  return {
    unmount,
    stream: () => stream,
    shown: () => [...container.querySelectorAll('p')].map(({ textContent }) => textContent),
  }
}

/** A backend whose answers stop in their middle until the test lets them go on. */
function halting(deliver: Deliver) {
  const waiting: (() => void)[] = []
  const model = fromAsyncIterable(async function* (said) {
    yield `half of ${said.at(-1)!.content}`
    await new Promise<void>((resolve) => waiting.push(resolve))
    yield ', and the rest'
  })
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('answer', async (now) => ({ messages: [await model.invoke(now.messages)] }))
    .addEdge(START, 'answer')
    .addEdge('answer', END)
    .compile()
  const goOn = async () => {
    await waitFor(() => expect(waiting).not.toEqual([]))
    await act(async () => waiting.shift()!())
  }
  return { transport: deliver(graph).transport, goOn }
}

/** A backend whose graph asks two persons at once. */
function asking(deliver: Deliver): Transport {
  const graph = new StateGraph(
    state({
      messages: messages(),
      topic: value<string>(),
      yes: reduced<string[]>({ initial: () => [], reduce: (all, more) => [...all, ...more] }),
    }),
  )
    .addNode('anna', (_now, ctx) => ({ yes: [`anna ${String(ctx.interrupt('anna?'))}`] }))
    .addNode('bert', (_now, ctx) => ({ yes: [`bert ${String(ctx.interrupt('bert?'))}`] }))
    .addEdge(START, 'anna')
    .addEdge(START, 'bert')
    .addEdge('anna', END)
    .addEdge('bert', END)
    .compile()
  return deliver(graph).transport
}

/** Ids of the questions by their words. */
function questions({ interrupts }: StreamResult): Record<string, string> {
  return Object.fromEntries(interrupts.map(({ id, value }) => [String(value), id]))
}

async function asked(transport: Transport) {
  const { stream, unmount } = page(transport)
  act(() => void stream().submit({ messages: 'please' }))
  await waitFor(() => expect(stream().interrupts).toHaveLength(2))
  await waitFor(() => expect(stream().status).toBe('interrupted'))
  return { stream, unmount }
}

overEveryTransport((deliver) => {
  test('a stopped answer is kept, and is saved when stop says so: a page opened then shows it', async () => {
    const { transport, goOn } = halting(deliver)
    const first = page(transport)
    act(() => void first.stream().submit({ messages: 'one' }))
    await waitFor(() => expect(first.shown()).toEqual(['one', 'half of one']))
    let stopped: Promise<void>
    act(() => void (stopped = first.stream().stop()))
    await goOn()
    await act(() => stopped)
    expect(first.shown()).toEqual(['one', 'half of one (cut)'])
    const saved = await first.stream().handle.client.threads.state('t')
    expect(saved?.values['messages']).toMatchObject([{ content: 'one' }, { content: 'half of one', status: 'cut' }])
    first.unmount()
    const second = page(transport)
    await waitFor(() => expect(second.shown()).toEqual(['one', 'half of one (cut)']))
  })

  test('what is sent during an answer waits in the queue, and can be taken out again', async () => {
    const { transport, goOn } = halting(deliver)
    const { stream, shown } = page(transport)
    act(() => void stream().submit({ messages: 'one' }))
    await waitFor(() => expect(shown()).toEqual(['one', 'half of one']))
    act(() => void stream().submit({ messages: 'two' }, { multitask: 'enqueue' }))
    act(() => void stream().submit({ messages: 'three' }, { multitask: 'enqueue' }))
    expect(shown()).toEqual(['one', 'half of one', 'two (sending)', 'three (sending)'])
    const contents = () => stream().queue.map(({ messages: [message] }) => message?.content)
    expect(contents()).toEqual(['two', 'three'])
    await act(() => stream().stop(stream().queue[0]!.run))
    expect(contents()).toEqual(['three'])
    expect(shown()).toEqual(['one', 'half of one', 'three (sending)'])
    await goOn()
    await waitFor(() => expect(shown().at(-1)).toBe('half of three'))
    expect(stream().queue).toEqual([])
    await goOn()
    await waitFor(() => expect(stream().status).toBe('idle'))
    expect(shown()).toEqual(['one', 'half of one, and the rest', 'three', 'half of three, and the rest'])
  })

  test('questions are answered one by one, and the others stay', async () => {
    const { stream } = await asked(asking(deliver))
    act(() => void stream().respond('yes', { id: questions(stream())['bert?']! }))
    await waitFor(() => expect(Object.keys(questions(stream()))).toEqual(['anna?']))
    await waitFor(() => expect(stream().status).toBe('interrupted'))
    act(() => void stream().respond('no'))
    await waitFor(() => expect(stream().status).toBe('idle'))
    expect(stream().interrupts).toEqual([])
    expect(stream().values).toMatchObject({ yes: ['anna no', 'bert yes'] })
  })

  test('questions are answered together', async () => {
    const { stream } = await asked(asking(deliver))
    const { 'anna?': anna, 'bert?': bert } = questions(stream())
    act(() => void stream().respondAll({ [anna!]: 1, [bert!]: 2 }))
    await waitFor(() => expect(stream().values).toMatchObject({ yes: ['anna 1', 'bert 2'] }))
    await waitFor(() => expect(stream().status).toBe('idle'))
  })

  test('questions are there after a reload, and can be answered then', async () => {
    const transport = asking(deliver)
    const { unmount } = await asked(transport)
    unmount()
    const { stream } = page(transport)
    await waitFor(() => expect(Object.keys(questions(stream())).toSorted()).toEqual(['anna?', 'bert?']))
    expect(stream().status).toBe('interrupted')
    const { 'anna?': anna, 'bert?': bert } = questions(stream())
    act(() => void stream().respondAll({ [anna!]: 1, [bert!]: 2 }))
    await waitFor(() => expect(stream().values).toMatchObject({ yes: ['anna 1', 'bert 2'] }))
  })

  test('a plain message during a question asks for a choice; the question stays and can be given up', async () => {
    const { stream } = await asked(asking(deliver))
    let result: Promise<{ error: { code: string } | undefined }>
    act(() => void (result = stream().submit({ messages: 'never mind' }).result))
    expect((await result!).error?.code).toBe('RUN_CONFLICT')
    await waitFor(() => expect(stream().error?.message).toContain('onInterrupted: "discard"'))
    expect(stream().interrupts).toHaveLength(2)
    const before = Object.values(questions(stream()))
    act(() => void stream().submit({ messages: 'never mind' }, { onInterrupted: 'discard' }))
    await waitFor(() => expect(stream().messages.at(-1)?.content).toBe('never mind'))
    await waitFor(() => expect(stream().status).toBe('interrupted'))
    expect(Object.values(questions(stream()))).not.toEqual(before)
  })

  test('a message that could not be sent stays as failed and goes out once when it is sent again', async () => {
    const { transport, goOn } = halting(deliver)
    let isDown = true
    const flaky: Transport = {
      ...transport,
      async *open(request, options) {
        if (isDown && request.start !== undefined) throw new Error('no way')
        yield* transport.open(request, options)
      },
    }
    const { stream, shown } = page(flaky)
    act(() => void stream().submit({ messages: { id: 'q', role: 'user', content: 'one' } }))
    expect(shown()).toEqual(['one (sending)'])
    await act(() => stream().stop())
    expect(shown()).toEqual(['one (failed)'])
    isDown = false
    act(() => void stream().retry())
    await goOn()
    await waitFor(() => expect(shown()).toEqual(['one', 'half of one, and the rest']))
    expect(stream().messages.map(({ id }) => id)).toHaveLength(2)
    expect(stream().messages[0]?.id).toBe('q')
  })
})
