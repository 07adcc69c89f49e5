// @vitest-environment jsdom
import { createClient, type Transport } from '@rivulet/client'
import { END, fromAsyncIterable, messages, START, state, StateGraph, value } from '@rivulet/core'
import { RivuletError } from '@rivulet/protocol'
import { act, cleanup, render, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { overEveryTransport, type Deliver } from '../../test/deliveries.ts'
import { useStream } from '../stream/use-stream.ts'
import type { StreamResult } from '../stream/use-tracked.ts'
import { useBranches, type Branches } from './use-branches.ts'

afterEach(cleanup)

/** A backend whose answers are numbered, so that two answers to one question differ. */
function numbered(deliver: Deliver): Transport {
  let answers = 0
  const model = fromAsyncIterable(async function* (said) {
    yield `answer ${++answers}`
    yield ` to ${said.at(-1)!.content}`
  })
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('think', () => ({}))
    .addNode('answer', async (now) => ({ messages: [await model.invoke(now.messages)] }))
    .addEdge(START, 'think')
    .addEdge('think', 'answer')
    .addEdge('answer', END)
    .compile()
  return deliver(graph).transport
}

/** A page that shows each message with its branches. */
function page(transport: Transport, threadId = 't') {
  const branches = new Map<string, Branches>()
  let stream: StreamResult
  let renders = 0
  function Row({ id }: { id: string }): ReactNode {
    renders++
    const own = useBranches(stream.handle, id)
    branches.set(id, own)
    return (
      <li>
        {stream.handle.getSnapshot().message(id)?.content}
        {own.count > 1 && ` ${own.index + 1}/${own.count}`}
      </li>
    )
  }
  function Page(): ReactNode {
    stream = useStream({ transport, graph: 'g', threadId })
    return stream.messages.map(({ id }) => <Row key={id} id={id} />)
  }
  const { container, unmount } = render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  const ids = () => stream.messages.map(({ id }) => id)
  return {
    unmount,
    shown: () => [...container.querySelectorAll('li')].map(({ textContent }) => textContent),
    stream: () => stream,
    renders: () => renders,
    idAt: (index: number) => ids().at(index)!,
    branchesAt: (index: number) => branches.get(ids().at(index)!)!,
    run: (start: (stream: StreamResult) => { result: Promise<unknown> }) =>
      act(async () => void (await start(stream).result)),
  }
}

overEveryTransport((deliver) => {
  test('an edited question has two branches, and each comes back as it was', async () => {
    const { run, shown, idAt, branchesAt } = page(numbered(deliver))
    await run(({ submit }) => submit({ messages: 'one' }))
    await run(({ submit }) => submit({ messages: 'two' }))
    await run(({ edit }) => edit(idAt(2), { messages: 'better' }))
    const edited = ['one', 'answer 1 to one', 'better 2/2', 'answer 3 to better']
    await waitFor(() => expect(shown()).toEqual(edited))
    await act(() => branchesAt(2).previous())
    const original = ['one', 'answer 1 to one', 'two 1/2', 'answer 2 to two']
    await waitFor(() => expect(shown()).toEqual(original))
    await act(() => branchesAt(2).previous())
    expect(shown()).toEqual(original)
    await act(() => branchesAt(2).next())
    await waitFor(() => expect(shown()).toEqual(edited))
  })

  test('an answer given anew is a branch of the answer, below the same question', async () => {
    const { run, shown, idAt, branchesAt } = page(numbered(deliver))
    await run(({ submit }) => submit({ messages: 'one' }))
    await run(({ regenerate }) => regenerate(idAt(1)))
    await run(({ regenerate }) => regenerate(idAt(1)))
    await waitFor(() => expect(shown()).toEqual(['one', 'answer 3 to one 3/3']))
    await act(() => branchesAt(1).select(0))
    await waitFor(() => expect(shown()).toEqual(['one', 'answer 1 to one 1/3']))
    await run(({ submit }) => submit({ messages: 'two' }))
    await waitFor(() => expect(shown()).toEqual(['one', 'answer 1 to one 1/3', 'two', 'answer 4 to two']))
  })

  test('the first question can be edited, and a branch that was selected be edited again', async () => {
    const { run, shown, idAt, branchesAt } = page(numbered(deliver))
    await run(({ submit }) => submit({ messages: 'one' }))
    await run(({ edit }) => edit(idAt(0), { messages: 'uno' }))
    await waitFor(() => expect(shown()).toEqual(['uno 2/2', 'answer 2 to uno']))
    await act(() => branchesAt(0).previous())
    await waitFor(() => expect(shown()).toEqual(['one 1/2', 'answer 1 to one']))
    await run(({ edit }) => edit(idAt(0), { messages: 'eins' }))
    await waitFor(() => expect(shown()).toEqual(['eins 3/3', 'answer 3 to eins']))
    await run(({ regenerate }) => regenerate(idAt(1)))
    await waitFor(() => expect(shown()).toEqual(['eins 3/3', 'answer 4 to eins 2/2']))
  })

  test('branches are there after a reload, and a selection is seen by every page', async () => {
    const transport = numbered(deliver)
    const first = page(transport)
    await first.run(({ submit }) => submit({ messages: 'one' }))
    await first.run(({ edit }) => edit(first.idAt(0), { messages: 'uno' }))
    const second = page(transport)
    await waitFor(() => expect(second.shown()).toEqual(['uno 2/2', 'answer 2 to uno']))
    await act(() => second.branchesAt(0).previous())
    await waitFor(() => expect(first.shown()).toEqual(['one 1/2', 'answer 1 to one']))
    first.unmount()
    second.unmount()
    const third = page(transport)
    await waitFor(() => expect(third.shown()).toEqual(['one 1/2', 'answer 1 to one']))
  })

  test('a branch that ends in a question asks it again, and goes on when it is answered', async () => {
    const graph = new StateGraph(state({ messages: messages(), sure: value<boolean>() }))
      .addNode('ask', (now, ctx) => ({ sure: now.messages.at(-1)?.content === 'safe' || ctx.interrupt('sure?') }))
      .addNode('answer', (now) => ({ messages: [{ role: 'assistant', content: `sure: ${now.sure}` }] }))
      .addEdge(START, 'ask')
      .addEdge('ask', 'answer')
      .addEdge('answer', END)
      .compile()
    const { run, shown, stream, idAt, branchesAt } = page(deliver(graph).transport)
    await run(({ submit }) => submit({ messages: 'dangerous' }))
    expect(stream().status).toBe('interrupted')
    await run(({ edit }) => edit(idAt(0), { messages: 'safe' }))
    await waitFor(() => expect(shown()).toEqual(['safe 2/2', 'sure: true']))
    expect(stream()).toMatchObject({ status: 'idle', interrupts: [] })
    await act(() => branchesAt(0).previous())
    await waitFor(() => expect(shown()).toEqual(['dangerous 1/2']))
    expect(stream()).toMatchObject({ status: 'interrupted', interrupts: [{ value: 'sure?' }] })
    let refused: Promise<{ error: { code: string } | undefined }>
    act(() => void (refused = stream().submit({ messages: 'never mind' }).result))
    expect((await refused!).error?.code).toBe('RUN_CONFLICT')
    await run(({ respond }) => respond(false))
    await waitFor(() => expect(shown()).toContain('sure: false'))
    expect(stream().interrupts).toEqual([])
  })

  test('history is read only as far back as somebody looks, and once for all', async () => {
    const transport = numbered(deliver)
    const client = createClient({ transport })
    const thread = client.thread({ graph: 'g', threadId: 't' })
    for (let i = 0; i < 12; i++) await thread.submit({ messages: `q${i}` }).result
    const history = vi.fn<NonNullable<Transport['history']>>((...args) => transport.history!(...args))
    const counting: Transport = { ...transport, history }
    let stream: StreamResult
    function Last({ id }: { id: string }): ReactNode {
      return useBranches(stream.handle, id).count
    }
    function Page({ from }: { from: number }): ReactNode {
      stream = useStream({ transport: counting, graph: 'g', threadId: 't' })
      return stream.messages.slice(from).map(({ id }) => <Last key={id} id={id} />)
    }
    const { rerender } = render(<Page from={-2} />)
    await waitFor(() => expect(stream.messages).toHaveLength(24))
    await act(async () => {})
    expect(history).toHaveBeenCalledTimes(1)
    rerender(<Page from={0} />)
    await waitFor(() => expect(history).toHaveBeenCalledTimes(3))
    await act(async () => {})
    expect(history).toHaveBeenCalledTimes(3)
  })

  test('a backend without history says so, and the page goes on with one branch', async () => {
    const transport = { ...numbered(deliver), history: undefined as never }
    const { run, shown, branchesAt } = page(transport)
    await run(({ submit }) => submit({ messages: 'one' }))
    await waitFor(() => expect(branchesAt(0).error?.code).toBe('UNSUPPORTED'))
    expect(branchesAt(0).count).toBe(1)
    await expect(branchesAt(0).select(1)).rejects.toThrow(RivuletError)
    expect(shown()).toEqual(['one', 'answer 1 to one'])
  })
})
