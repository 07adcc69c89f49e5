// @vitest-environment jsdom
import { createClient, inProcess } from '@rivulet/client'
import { END, fromAsyncIterable, messages, START, state, StateGraph, value } from '@rivulet/core'
import { RivuletError } from '@rivulet/protocol'
import { act, cleanup, render, waitFor } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { useStream, type LegacyOptions, type LegacySource, type LegacyStream } from './index.ts'

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

const model = fromAsyncIterable(
  async function* (said) {
    yield 'you said '
    yield said.at(-1)!.content
  },
  { name: 'parrot' },
)

/** Lets a run on that a slow message holds up. */
let letGo = () => {}

const graph = new StateGraph(state({ messages: messages(), approved: value<boolean>(), progress: value<number>() }), {
  custom: value<{ percent: number }>(),
  interrupt: value<{ question: string }>(),
  resume: value<boolean>(),
})
  .addNode('ask', async (now, ctx) => {
    ctx.writer({ percent: 50 })
    const content = now.messages.at(-1)?.content
    if (content === 'slow') await new Promise<void>((resolve) => (letGo = resolve))
    const isDangerous = content === 'dangerous'
    return { approved: isDangerous ? ctx.interrupt({ question: 'sure?' }) : true }
  })
  .addNode('answer', async (now) => ({ messages: [await model.invoke(now.messages)] }))
  .addEdge(START, 'ask')
  .addEdge('ask', 'answer')
  .addEdge('answer', END)
  .compile()

type Options = Omit<LegacyOptions<typeof graph>, keyof LegacySource | 'assistantId'>

function page(options: Options = {}) {
  const client = createClient({ transport: inProcess(graph) })
  let latest: LegacyStream<typeof graph>
  function Page(props: Options): ReactNode {
    latest = useStream<typeof graph>({ client, assistantId: 'agent', ...props })
    return latest.messages.map(({ id, type, content }) => (
      <p key={id}>
        {type}: {content}
      </p>
    ))
  }
  const shown = (props: Options) => (
    <StrictMode>
      <Page {...props} />
    </StrictMode>
  )
  const { container, rerender } = render(shown(options))
  return {
    client,
    stream: () => latest,
    texts: () => [...container.querySelectorAll('p')].map(({ textContent }) => textContent),
    show: (props: Options) => rerender(shown(props)),
    run: (fn: (stream: LegacyStream<typeof graph>) => Promise<void>) => act(() => fn(latest)),
  }
}

test('a page of the legacy hook runs as it stands: LangChain’s messages in and out', async () => {
  const { texts, stream } = page()
  const human = { type: 'human', content: 'hi' }
  let ended: Promise<void>
  act(() => void (ended = stream().start({ messages: [human] })))
  expect(stream()).toMatchObject({ isStreaming: true, isLoading: true })
  await act(() => ended)
  expect(texts()).toEqual(['human: hi', 'ai: you said hi'])
  expect(stream()).toMatchObject({ isStreaming: false, isThreadLoading: false, assistantId: 'agent', error: undefined })
  expect(stream().values.approved).toBe(true)
})

test('the user’s message is shown at once', async () => {
  const { stream, texts } = page()
  let sent: Promise<void>
  act(() => void (sent = stream().submit({ messages: [{ type: 'human', content: 'hi' }] })))
  expect(texts()).toEqual(['human: hi'])
  await act(() => sent)
})

test('an interrupt is answered with a command', async () => {
  const { run, texts, stream } = page()
  await run(({ submit }) => submit({ messages: 'dangerous' }))
  expect(stream().interrupt?.value.question).toBe('sure?')
  expect(stream().interrupts).toHaveLength(1)
  await run(({ submit }) => submit(null, { command: { resume: false } }))
  expect(stream().interrupt).toBeUndefined()
  expect(stream().values.approved).toBe(false)
  expect(texts()).toEqual(['human: dangerous', 'ai: you said dangerous'])
})

test('a message is edited from the checkpoint of its metadata', async () => {
  const { run, texts, stream } = page()
  await run(({ submit }) => submit({ messages: 'one' }))
  const meta = stream().getMessagesMetadata(stream().messages[0]!)
  const checkpoint = meta.firstSeenState?.parent_checkpoint
  expect(checkpoint?.thread_id).toBe(stream().handle.thread.id)
  await run(({ submit }) => submit({ messages: 'uno' }, { checkpoint }))
  expect(texts()).toEqual(['human: uno', 'ai: you said uno'])
  expect(stream().getMessagesMetadata(stream().messages[1]!).streamMetadata).toMatchObject({
    langgraph_node: 'answer',
    ls_model_name: 'parrot',
  })
})

test('optimistic values and those of a callback lie over the state until the run says what it is', async () => {
  const heard: unknown[] = []
  const { stream } = page({
    onCustomEvent: (data, { mutate, namespace }) => {
      heard.push([data, namespace])
      mutate({ progress: data.percent })
    },
    onUpdateEvent: (update) => heard.push(Object.keys(update)),
  })
  let ended: Promise<void>
  const optimisticValues = (before: object) => ({ ...before, progress: 1 })
  act(() => void (ended = stream().submit({ messages: 'slow' }, { optimisticValues })))
  expect(stream().values.progress).toBe(1)
  await waitFor(() => expect(stream().values.progress).toBe(50))
  await act(async () => letGo())
  await act(() => ended)
  expect(stream().values.progress).toBeUndefined()
  expect(heard).toEqual([[{ percent: 50 }, undefined], ['ask'], ['answer']])
})

test('runs are told of by the legacy callbacks', async () => {
  const heard: unknown[] = []
  const { run } = page({
    onCreated: ({ run_id, thread_id }) => heard.push(typeof run_id, typeof thread_id),
    onThreadId: (id) => heard.push(typeof id),
    onFinish: ({ values }) => heard.push(values.approved),
  })
  await run(({ submit }) => submit({ messages: 'hi' }))
  expect(heard).toEqual(['string', 'string', 'string', true])
})

test('a legacy callback that rejects is reported, and the run goes on', async () => {
  const reported: unknown[] = []
  const report = ({ message }: Error) => void reported.push(message)
  vi.stubGlobal('reportError', report)
  vi.spyOn(console, 'error').mockImplementation(report)
  const fail = (what: string) => (): unknown => Promise.reject(new Error(what))
  const { run, texts } = page({
    onCreated: fail('created'),
    onUpdateEvent: fail('update'),
    onCustomEvent: fail('custom'),
  })
  await run(({ submit }) => submit({ messages: 'hi' }))
  vi.unstubAllGlobals()
  expect(reported).toEqual(['created', 'custom', 'update', 'update'])
  expect(texts()).toEqual(['human: hi', 'ai: you said hi'])
})

test('another thread is shown on demand, until the option says otherwise', async () => {
  const { stream, run, texts, show } = page({ threadId: 'a' })
  await run(({ submit }) => submit({ messages: 'to a' }))
  act(() => stream().switchThread('b'))
  expect(texts()).toEqual([])
  await run(({ submit }) => submit({ messages: 'to b' }))
  expect(texts()).toEqual(['human: to b', 'ai: you said to b'])
  act(() => stream().switchThread(null))
  expect(texts()).toEqual([])
  show({ threadId: 'b' })
  await waitFor(() => expect(texts()).toEqual(['human: to b', 'ai: you said to b']))
})

test('a run that somebody else started is joined', async () => {
  const { client, stream, texts } = page({ threadId: 't' })
  const elsewhere = client.thread({ graph: 'agent', threadId: 't' }).submit({ messages: 'hi' })
  await act(() => stream().joinStream(elsewhere.id))
  await waitFor(() => expect(texts()).toEqual(['human: hi', 'ai: you said hi']))
})

test('with an address it talks to a LangGraph server', async () => {
  const asked: string[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const headers = new Headers(init?.headers)
    asked.push(`${new Request(input).url} ${headers.get('x-api-key')} ${headers.get('x-team')}`)
    return new Response('no', { status: 404 })
  })
  function Page(): ReactNode {
    return useStream({
      apiUrl: 'http://langgraph.test',
      apiKey: 'key',
      defaultHeaders: { 'x-team': 'blue' },
      assistantId: 'agent',
      threadId: 't',
    }).messages.length
  }
  render(<Page />)
  await waitFor(() => expect(asked[0]).toBe('http://langgraph.test/threads/t/state key blue'))
})

test('a command sends the run to a node, with an update beside it', async () => {
  const { run, stream, texts } = page()
  await run(({ submit }) => submit({ messages: 'hi' }))
  const update = { messages: [{ type: 'human', content: 'again' }], progress: 7 }
  await run(({ submit }) => submit(null, { command: { goto: 'answer', update } }))
  expect(texts()).toEqual(['human: hi', 'ai: you said hi', 'human: again', 'ai: you said again'])
  expect(stream().values.progress).toBe(7)
})

test('what cannot be done is said', async () => {
  const { stream } = page()
  const send = { node: 'answer', args: {} }
  await expect(stream().submit(null, { command: { goto: send } })).rejects.toThrow(RivuletError)
})
