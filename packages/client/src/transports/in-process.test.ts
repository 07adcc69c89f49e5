import type { GraphState, StreamableGraph } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { echoGraph } from '../../test/echo-graph.ts'
import { createClient } from '../client.ts'
import type { ThreadStore } from '../store/thread-store.ts'
import { inProcess } from './in-process.ts'

/** Resolves once the thread shows these messages. */
function shows(thread: ThreadStore, ...expected: string[]): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (contents(thread).join('\n') !== expected.join('\n')) return
      leave()
      resolve()
    }
    const leave = thread.subscribe(check)
    check()
  })
}

function contents(thread: ThreadStore): string[] {
  return thread.getSnapshot().messages.map(({ content }) => content)
}

function serving(graphs: Parameters<typeof inProcess>[0]) {
  let now = 0
  const client = createClient({ transport: inProcess(graphs, { now: () => ++now }) })
  return { client, thread: (threadId: string) => client.thread({ graph: 'echo', threadId }) }
}

test('a conversation needs no server', async () => {
  const { thread } = serving(echoGraph({ isOpen: true }))
  const t = thread('t')
  expect(await t.submit({ messages: 'hi' }).result).toMatchObject({ status: 'done' })
  expect(await t.submit({ messages: 'more' }).result).toMatchObject({ status: 'done' })
  expect(contents(t)).toEqual(['hi', 'you said hi', 'more', 'you said more'])
})

test('a second reader sees the same, from the middle of a run', async () => {
  const graph = echoGraph()
  const { thread } = serving(graph)
  const [a, b] = [thread('t'), thread('t')]
  const run = a.submit({ messages: 'hi' })
  await shows(a, 'hi', 'you said ')
  const leave = b.follow()
  await shows(b, 'hi', 'you said ')
  expect(b.getSnapshot().status).toBe('streaming')
  graph.release()
  await run.result
  await shows(b, 'hi', 'you said hi')
  expect(b.getSnapshot().messages).toEqual(a.getSnapshot().messages)
  leave()
})

test('whoever comes back goes on from where it left', async () => {
  const graph = echoGraph()
  const { thread } = serving(graph)
  const t = thread('t')
  const run = t.submit({ messages: 'hi' })
  const leave = t.follow()
  await shows(t, 'hi', 'you said ')
  leave()
  expect(await run.result).toMatchObject({ error: { code: 'CANCELLED' } })
  const other = thread('t')
  other.follow()
  graph.release()
  await shows(other, 'hi', 'you said hi')
  expect(contents(t)).toEqual(['hi', 'you said '])
  t.follow()
  await shows(t, 'hi', 'you said hi')
})

test('stop reaches the graph and keeps the partial answer', async () => {
  const graph = echoGraph()
  const { thread } = serving(graph)
  const t = thread('t')
  const run = t.submit({ messages: 'hi' })
  await shows(t, 'hi', 'you said ')
  await t.stop()
  expect(graph.options[0]?.signal?.aborted).toBe(true)
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  expect(t.getSnapshot().messages.at(-1)).toMatchObject({ content: 'you said ', status: 'cut' })
  graph.release()
  expect(await t.submit({ messages: 'again' }).result).toMatchObject({ status: 'done' })
})

test('a thread runs one run at a time', async () => {
  const graph = echoGraph()
  const { thread } = serving(graph)
  const t = thread('t')
  const first = t.submit({ messages: 'hi' })
  await shows(t, 'hi', 'you said ')
  const second = thread('t').submit({ messages: 'me too' })
  expect(await second.result).toMatchObject({ status: 'error', error: { code: 'RUN_CONFLICT', run: first.id } })
  graph.release()
  expect(await first.result).toMatchObject({ status: 'done' })
  expect(graph.inputs).toHaveLength(1)
})

test('the same run id joins the same run', async () => {
  const graph = echoGraph({ isOpen: true })
  const transport = inProcess(graph)
  const { signal } = new AbortController()
  const start = { run: 'r1', graph: 'echo', input: {} }
  for (let i = 0; i < 2; i++) {
    const types: string[] = []
    for await (const frame of transport.open({ thread: 't', start }, { signal, after: undefined })) {
      if (frame.type === 'events') types.push(...frame.events.map(({ type }) => type))
    }
    expect(types[0]).toBe('sync')
  }
  expect(graph.inputs).toHaveLength(1)
})

test('what a run is started with reaches the graph', async () => {
  const graph = echoGraph({ isOpen: true })
  const { thread } = serving(graph)
  const more = {
    modes: ['updates'] as const,
    metadata: { a: 1 },
    tags: ['x'],
    context: 2,
    recursionLimit: 9,
    checkpointId: 'c',
  }
  const run = thread('t').submit({ messages: [] }, more)
  await run.result
  expect(graph.options[0]).toMatchObject({ ...more, runId: run.id, threadId: 't' })
})

test('an answer to an interrupt reaches the graph as a command', async () => {
  const graph = echoGraph({ isOpen: true })
  const t = serving(graph).thread('t')
  await t.submit(undefined, { resume: 'yes' }).result
  await t.submit({ note: 'well' }, { resume: { i1: 'no' } }).result
  expect(graph.inputs).toMatchObject([
    { '~command': true, resume: 'yes', update: undefined },
    { '~command': true, resume: { i1: 'no' }, update: { note: 'well' } },
  ])
})

test('several graphs are told apart by name', async () => {
  const graphs = { echo: echoGraph({ isOpen: true }), other: echoGraph({ isOpen: true }) }
  const { client, thread } = serving(graphs)
  await client.thread({ graph: 'other' }).submit({ messages: 'hi' }).result
  expect([graphs.echo.inputs.length, graphs.other.inputs.length]).toEqual([0, 1])
  await thread('t').submit().result
  const unknown = await client.thread({ graph: 'nobody' }).submit().result
  expect(unknown.error).toMatchObject({ code: 'NOT_FOUND', message: 'there is no graph nobody; there are echo, other' })
})

test('a graph without a memory gets one, once', async () => {
  const states: GraphState[] = [3, 2, 1].map((step) => ({ values: { step }, next: [] }))
  let asked = 0
  const withMemory: StreamableGraph = {
    ...echoGraph({ isOpen: true }),
    getState: async (_thread, at) => (Object(at).checkpointId === 'c1' ? states[2] : states[0]),
    async *getStateHistory() {
      yield* states
    },
  }
  const graph: StreamableGraph = {
    ...echoGraph(),
    withMemory: () => {
      asked++
      return withMemory
    },
  }
  const { client, thread } = serving(graph)
  await thread('t').submit({ messages: 'hi' }).result
  expect(await client.threads.state('t')).toBe(states[0])
  expect(await client.threads.state('t', { checkpointId: 'c1' })).toBe(states[2])
  expect(await client.threads.history('t', { limit: 2 })).toEqual(states.slice(0, 2))
  expect(asked).toBe(1)
})

/** A graph that remembers the last state of its threads, as a list of messages and whatever else was put in. */
function remembering(): StreamableGraph & { states: Map<string, GraphState> } {
  const states = new Map<string, GraphState>()
  return {
    states,
    ...echoGraph({ isOpen: true }),
    getState: async (id) => states.get(id),
    async updateState(id, update) {
      // Tests update with plain objects.
      const values = { ...states.get(id)?.values, ...(update as Record<string, unknown>) }
      states.set(id, { values, next: [], checkpointId: `c${states.size}` })
      return `c${states.size - 1}`
    },
  }
}

test('an update of the state is seen by whoever reads the thread', async () => {
  const graph = remembering()
  const { client, thread } = serving(graph)
  const t = thread('t')
  await t.submit({ messages: 'hi' }).result
  const messages = [{ id: 'a', role: 'user', content: 'changed' }]
  const followed = t.follow()
  expect(await client.threads.update('t', { messages, topic: 'cats' })).toEqual({ checkpointId: 'c0' })
  await shows(t, 'changed')
  expect(t.getSnapshot().values).toMatchObject({ topic: 'cats', messages: [{ id: 'a' }] })
  followed()
})

test('what is said of a graph below reaches the graph, and readers are shown the root', async () => {
  const asked: unknown[] = []
  const root: GraphState = { values: { topic: 'cats' }, next: ['below'] }
  const graph: StreamableGraph = {
    ...echoGraph({ isOpen: true }),
    async getState(_id, at) {
      asked.push(at)
      return root
    },
    async *getStateHistory(_id, options) {
      asked.push(options)
      yield root
    },
    async updateState(_id, _update, options) {
      asked.push(options)
      return 'c1'
    },
  }
  const { client, thread } = serving(graph)
  const ns = ['below:1']
  await client.threads.state('t', { ns, subgraphs: true })
  await client.threads.history('t', { ns })
  await client.threads.update('t', {}, { ns, asNode: 'ask' })
  expect(asked).toEqual([{ ns, subgraphs: true }, { limit: 10, ns }, { ns, asNode: 'ask' }, {}])
  const t = thread('t')
  const leave = t.follow()
  await new Promise<void>((resolve) => t.subscribe(() => t.getSnapshot().values['topic'] === 'cats' && resolve()))
  leave()
})

test('a fork begins with the state of the thread it came from, and goes on by itself', async () => {
  const graph = remembering()
  const { client, thread } = serving(graph)
  await thread('t').submit({ messages: 'hi' }).result
  graph.states.set('t', { values: { messages: [{ id: 'a', role: 'user', content: 'hi' }] }, next: [] })
  const forked = await client.threads.fork('t', { metadata: { of: 't' } })
  expect(forked).toMatchObject({ status: 'idle', graph: 'echo', metadata: { of: 't' } })
  const other = thread(forked.id)
  other.follow()
  await shows(other, 'hi')
  expect(await other.submit({ messages: 'more' }).result).toMatchObject({ status: 'done' })
  expect(contents(other)).toEqual(['hi', 'more', 'you said more'])
  await expect(client.threads.fork('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a state is not updated under a run that is under way', async () => {
  const graph = echoGraph()
  const { client, thread } = serving(graph)
  const t = thread('t')
  const run = t.submit({ messages: 'hi' })
  await shows(t, 'hi', 'you said ')
  await expect(client.threads.update('t', {})).rejects.toMatchObject({ code: 'RUN_CONFLICT', run: run.id })
  await client.threads.cancel('t', run.id)
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  await expect(client.threads.update('t', {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('threads are listed by their last use, page by page', async () => {
  const { client, thread } = serving(echoGraph({ isOpen: true }))
  for (const id of ['a', 'b', 'c']) await thread(id).submit({ messages: 'hi' }).result
  await thread('a').submit({ messages: 'again' }).result
  const first = await client.threads.list({ limit: 2 })
  expect(first.threads.map(({ id }) => id)).toEqual(['a', 'c'])
  expect(first.threads[0]).toMatchObject({ graph: 'echo', status: 'idle' })
  const second = await client.threads.list({ limit: 2, cursor: first.cursor })
  expect(second).toEqual({ threads: [expect.objectContaining({ id: 'b' })] })
})

test('a thread can be made, looked up and deleted', async () => {
  const forgotten: string[] = []
  const deleteThread = async (id: string) => void forgotten.push(id)
  const { client, thread } = serving({ ...echoGraph(), deleteThread })
  const made = await client.threads.create({ metadata: { title: 'cats' } })
  expect(made).toMatchObject({ status: 'idle', metadata: { title: 'cats' } })
  expect(await client.threads.get(made.id)).toEqual(made)
  const t = thread(made.id)
  const run = t.submit({ messages: 'hi' })
  await shows(t, 'hi', 'you said ')
  await client.threads.delete(made.id)
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  expect(forgotten).toEqual([made.id])
  await expect(client.threads.get(made.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await client.threads.list()).toEqual({ threads: [] })
})

test('a thread that was only looked at is not listed', async () => {
  const { client, thread } = serving(echoGraph())
  const t = thread('t')
  t.follow()
  await new Promise<void>((resolve) =>
    t.select(
      ({ state }) => state.log,
      () => resolve(),
    ),
  )
  expect(await client.threads.list()).toEqual({ threads: [] })
})

test('what a transport cannot do is refused by name', async () => {
  const transport = inProcess(echoGraph())
  const client = createClient({ transport: { open: (...request) => transport.open(...request) } })
  await expect(client.threads.list()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect(client.threads.history('t')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect(client.threads.state('t')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect(client.threads.fork('t')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect(client.threads.cancel('t', 'r')).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'this transport has no cancel',
  })
})

test('a graph that cannot say its state runs all the same', async () => {
  const graph: StreamableGraph = {
    ...echoGraph({ isOpen: true }),
    getState() {
      throw new Error('not here')
    },
  }
  expect(await serving(graph).thread('t').submit({ messages: 'hi' }).result).toMatchObject({ status: 'done' })
})

test('a graph that fails at once ends its run with the error', async () => {
  const graph: StreamableGraph = {
    events() {
      throw new Error('not today')
    },
  }
  const { thread } = serving(graph)
  const result = await thread('t').submit({ messages: 'hi' }).result
  expect(result).toMatchObject({ status: 'error', error: { message: 'not today' } })
  expect(thread('t').getSnapshot().isLoading).toBe(false)
})
