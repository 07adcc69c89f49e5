// @vitest-environment jsdom
import { createClient } from '@rivulet/client'
import { END, messages, START, state, StateGraph, value } from '@rivulet/core'
import { useBranches, useStream, type Branches, type StreamResult } from '@rivulet/react'
import { createApp } from '@rivulet/server'
import { act, cleanup, render, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'

afterEach(cleanup)

/** A server whose answers are numbered, and which asks before it answers what is dangerous. */
function serve() {
  let answers = 0
  const graph = new StateGraph(state({ messages: messages(), sure: value<unknown>() }))
    .addNode('ask', (now, ctx) => ({ sure: now.messages.at(-1)?.content !== 'dangerous' || ctx.interrupt('sure?') }))
    .addNode('answer', ({ sure }) => ({ messages: [{ role: 'assistant', content: `${++answers}: ${String(sure)}` }] }))
    .addEdge(START, 'ask')
    .addEdge('ask', 'answer')
    .addEdge('answer', END)
    .compile()
  return createApp({ graphs: { g: graph } })
}

/** A page in a tab of its own, each message with its place among its branches. */
function openPage(app: ReturnType<typeof serve>) {
  const client = createClient({
    url: 'http://server.test',
    fetch: (input, init) => app.fetch(new Request(input, init)),
  })
  const branches = new Map<string, Branches>()
  let stream: StreamResult
  function Row({ id }: { id: string }): ReactNode {
    const own = useBranches(stream.handle, id)
    branches.set(id, own)
    return <li>{`${stream.messages.find((one) => one.id === id)?.content} ${own.index + 1}/${own.count}`}</li>
  }
  function Page(): ReactNode {
    stream = useStream({ client, graph: 'g', threadId: 't' })
    return stream.messages.map(({ id }) => <Row key={id} id={id} />)
  }
  const { container } = render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  return {
    stream: () => stream,
    shows: (...texts: string[]) =>
      waitFor(() => expect([...container.querySelectorAll('li')].map(({ textContent }) => textContent)).toEqual(texts)),
    idAt: (index: number) => stream.messages[index]!.id,
    branchesAt: (index: number) => branches.get(stream.messages[index]!.id)!,
    run: (start: (stream: StreamResult) => { result: Promise<unknown> }) =>
      act(async () => void (await start(stream).result)),
  }
}

test('over a server, edits and answers given anew are branches for every tab, with the questions they ended in', async () => {
  const app = serve()
  const page = openPage(app)
  await page.run(({ submit }) => submit({ messages: 'dangerous' }))
  await page.shows('dangerous 1/1')
  await page.run(({ edit }) => edit(page.idAt(0), { messages: 'safe' }))
  await page.shows('safe 2/2', '1: true 1/1')
  await page.run(({ regenerate }) => regenerate(page.idAt(1)))
  await page.shows('safe 2/2', '2: true 2/2')

  const tab = openPage(app)
  await tab.shows('safe 2/2', '2: true 2/2')
  await act(() => tab.branchesAt(0).previous())
  await page.shows('dangerous 1/2')
  await waitFor(() => expect(page.stream()).toMatchObject({ status: 'interrupted', interrupts: [{ value: 'sure?' }] }))
  await page.run(({ respond }) => respond('yes'))
  await tab.shows('dangerous 1/2', '3: yes 1/1')
  await waitFor(() => expect(tab.stream()).toMatchObject({ status: 'idle', interrupts: [] }))
  await app.close({ graceMs: 0 })
})
