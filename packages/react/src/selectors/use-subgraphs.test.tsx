// @vitest-environment jsdom
import { createClient, inProcess } from '@rivulet/client'
import { END, fromAsyncIterable, messages, START, state, StateGraph } from '@rivulet/core'
import { act, cleanup, render, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'
import type { StreamHandle, StreamMethods } from '../stream/stream.ts'
import { useStream } from '../stream/use-stream.ts'
import { useMessages } from './use-messages.ts'
import { useSubgraphs, type Subgraph } from './use-subgraphs.ts'

afterEach(cleanup)

/** A graph with a graph in it that has another in it. */
function nested(isSeen: Promise<void>) {
  const model = fromAsyncIterable(async function* () {
    yield 'found'
    await isSeen
    yield ' it'
  })
  const inner = new StateGraph(state({ messages: messages() }))
    .addNode('search', async (now) => ({ messages: [await model.invoke(now.messages)] }))
    .addEdge(START, 'search')
    .addEdge('search', END)
    .compile()
  const middle = new StateGraph(state({ messages: messages() }))
    .addNode('deep', inner)
    .addEdge(START, 'deep')
    .addEdge('deep', END)
    .compile()
  return new StateGraph(state({ messages: messages() }))
    .addNode('research', middle)
    .addEdge(START, 'research')
    .addEdge('research', END)
    .compile()
}

test('graphs inside of the graph are found, with what they say, and end with their tasks', async () => {
  const seen: (readonly Subgraph[])[] = []
  function Inner({ handle, subgraph }: { handle: StreamHandle; subgraph: Subgraph }): ReactNode {
    const below = useSubgraphs(handle, subgraph.ns)
    const said = useMessages(handle, { ns: subgraph.ns })
    return (
      <p>
        {subgraph.node} has {below.map(({ node }) => node).join()} and says {said.map(({ content }) => content).join()}
      </p>
    )
  }
  let letGo = () => {}
  const isSeen = new Promise<void>((resolve) => (letGo = resolve))
  const client = createClient({ transport: inProcess(nested(isSeen)) })
  let submit: StreamMethods['submit']
  function Page(): ReactNode {
    const stream = useStream({ client, graph: 'g' })
    const { handle } = stream
    submit = stream.submit
    const subgraphs = useSubgraphs(handle)
    if (seen.at(-1) !== subgraphs) seen.push(subgraphs)
    return subgraphs.map((subgraph) => <Inner key={subgraph.ns.join()} handle={handle} subgraph={subgraph} />)
  }
  const { container } = render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  let run: Promise<unknown>
  act(() => void (run = submit({ messages: 'where?' }).result))
  const both = (isRunning: boolean) => [
    { node: 'research', isRunning },
    { node: 'deep', isRunning },
  ]
  await waitFor(() => expect(seen.at(-1)).toMatchObject(both(true)))
  letGo()
  await act(async () => void (await run))
  expect(seen.at(-1)).toMatchObject(both(false))
  expect(seen.length).toBeLessThan(8)
  expect([...container.querySelectorAll('p')].map(({ textContent }) => textContent)).toEqual([
    'research has deep and says where?,found it',
    'deep has  and says where?,found it',
  ])
})
