import { MemoryCheckpointer, START, state, StateGraph, value } from '@rivulet/core'
import { interruptsOf, messagesOf, valuesOf } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { createApp, memoryStore, type Store } from '../src/index.ts'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { foldFrames, startServer, type TestServer } from './server.ts'
import { temporaryStore } from './sqlite.ts'

const hello = { graph: 'chat', run: 'r1', input: { messages: ['hi'] } }
const stores: [string, () => Promise<Store>][] = [
  ['in memory', async () => memoryStore()],
  ['in a file', () => temporaryStore()],
]

async function shownOf(server: TestServer, thread: string) {
  const reader = await server.read(`/v1/threads/${thread}/events`)
  const shown = foldFrames([(await reader.next())!])
  await reader.cancel()
  return shown
}

describe.each(stores)('a thread %s', (_where, makeStore) => {
  test('is updated as a node would, for readers as in the state', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs?wait=1', hello)
    const reader = await server.read('/v1/threads/t1/events')
    const first = await reader.next()
    const answer = await server.post('/v1/threads/t1/state', { update: { note: 'by hand', turns: 5 } })
    expect(answer.status).toBe(200)
    const { checkpointId } = await answer.json()
    const now = await (await server.get('/v1/threads/t1/state')).json()
    expect(now).toMatchObject({ checkpointId, values: { note: 'by hand', turns: 6 } })
    const shown = foldFrames([first!, (await reader.next())!])
    await reader.cancel()
    expect(valuesOf(shown)).toMatchObject({ note: 'by hand', turns: 6 })
    expect(messagesOf(shown).map(({ content }) => content)).toEqual(['hi', 'you said hi '])
    const next = await server.post('/v1/threads/t1/runs?wait=1', { ...hello, run: 'r2' })
    expect(await next.json()).toMatchObject({ values: { turns: 7, note: 'by hand' } })
  })

  test('that waits for an answer still does after an update', async () => {
    const server = await startServer({ graphs: { chat: chatGraph({ ask: true }) }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs?wait=1', hello)
    await server.post('/v1/threads/t1/state', { update: { turns: 1 } })
    expect(interruptsOf(await shownOf(server, 't1'))).toMatchObject([{ value: { question: 'ok?' } }])
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'interrupted' })
    const answered = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', resume: 'yes' })
    expect(await answered.json()).toMatchObject({ status: 'done', values: { note: 'yes', turns: 2 } })
  })

  test('shows the state of a graph below that waits, and takes a change of it', async () => {
    const schema = state({ note: value<string>(), turns: value<number>() })
    const asks = new StateGraph(schema)
      .addNode('ask', ({ turns }, ctx) => ({ note: ctx.interrupt<string>('ok?'), turns: turns + 1 }))
      .addEdge(START, 'ask')
      .compile()
    const nest = new StateGraph(schema).addNode('below', asks).addEdge(START, 'below').compile()
    const server = await startServer({ graphs: { nest }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'nest', input: { turns: 1 } })
    const root = await (await server.get('/v1/threads/t1/state?subgraphs=1')).json()
    const { tasks: _tasks, ...plain } = root
    expect(await (await server.get('/v1/threads/t1/state')).json()).toEqual(plain)
    const [{ name, ns, state: below }] = root.tasks
    expect([name, below.values.turns, below.interrupts]).toEqual(['below', 1, [expect.anything()]])
    const changed = await server.post('/v1/threads/t1/state', { update: { turns: 40 }, ns })
    const { checkpointId } = await changed.json()
    const place = `/v1/threads/t1/state?ns=${encodeURIComponent(ns.join('|'))}`
    expect(await (await server.get(place)).json()).toMatchObject({ checkpointId, values: { turns: 40 } })
    const history = await server.get(place.replace('/state?', '/history?'))
    expect(await history.json()).toMatchObject([{ checkpointId, source: 'update' }, { step: 0 }, { step: -1 }])
    expect((await server.get('/v1/threads/t1/state?ns=nope:1&checkpointId=x')).status).toBe(404)
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'interrupted' })
    expect(interruptsOf(await shownOf(server, 't1'))).toHaveLength(1)
    const answered = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'nest', resume: 'yes' })
    expect(await answered.json()).toMatchObject({ status: 'done', values: { note: 'yes', turns: 41 } })
  })

  test('tells the outline of its history, which does not grow with what messages say', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() }, store: await makeStore() })
    const said = 'so much '.repeat(1000)
    const input = { messages: [{ id: 'q', role: 'user', content: said }] }
    await server.post('/v1/threads/t1/runs?wait=1', { ...hello, input })
    const whole = await (await server.get('/v1/threads/t1/history')).json()
    const outline = await (await server.get('/v1/threads/t1/history?outline=1')).json()
    expect(JSON.stringify(outline).length).toBeLessThan(said.length)
    expect(outline).toEqual(
      whole.map((one: { values: { messages?: { id: string }[] } }) => ({
        ...one,
        values: one.values.messages === undefined ? {} : { messages: one.values.messages.map(({ id }) => ({ id })) },
      })),
    )
  })

  test('is forked into one that goes its own way', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs?wait=1', hello)
    const [{ checkpointId }] = await (await server.get('/v1/threads/t1/history?limit=1')).json()
    await server.post('/v1/threads/t1/runs?wait=1', { ...hello, run: 'r2', input: { messages: ['more'] } })
    const answer = await server.post('/v1/threads/t1/fork', { id: 't2', checkpointId, metadata: { from: 't1' } })
    expect(answer.status).toBe(201)
    expect(await answer.json()).toMatchObject({ id: 't2', graph: 'chat', metadata: { from: 't1' }, status: 'idle' })
    expect(messagesOf(await shownOf(server, 't2')).map(({ content }) => content)).toEqual(['hi', 'you said hi '])
    const own = await server.post('/v1/threads/t2/runs?wait=1', { ...hello, input: { messages: ['own'] } })
    expect((await own.json()).values).toMatchObject({ turns: 2 })
    expect((await (await server.get('/v1/threads/t1/state')).json()).values.messages).toHaveLength(4)
    expect((await server.post('/v1/threads/t1/fork', { id: 't2' })).status).toBe(409)
    const { id } = await (await server.post('/v1/threads/t1/fork')).json()
    expect(id).toMatch(/^[0-9a-z]{24}$/)
    expect((await server.post('/v1/threads/t1/fork', { checkpointId: 'none' })).status).toBe(404)
  })

  test('that waits for an answer is forked into one that does not', async () => {
    const server = await startServer({ graphs: { chat: chatGraph({ ask: true }) }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs?wait=1', hello)
    expect((await server.post('/v1/threads/t1/fork', { id: 't2' })).status).toBe(201)
    expect(interruptsOf(await shownOf(server, 't2'))).toEqual([])
    expect(interruptsOf(await shownOf(server, 't1'))).toHaveLength(1)
    const went = await server.post('/v1/threads/t2/runs?wait=1', { ...hello, run: 'r2' })
    expect(went.status).toBe(200)
  })

  test('is found by its metadata', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() }, store: await makeStore() })
    for (const [id, user] of [
      ['a', 'eve'],
      ['b', 'bob'],
      ['c', 'eve'],
    ]) {
      await server.post('/v1/threads', { id, metadata: { user, n: 1 } })
    }
    const find = async (query: string) => {
      const { threads } = await (await server.get(`/v1/threads?${query}`)).json()
      return threads.map(({ id }: { id: string }) => id).toSorted()
    }
    expect(await find(`metadata=${encodeURIComponent('{"user":"eve"}')}`)).toEqual(['a', 'c'])
    expect(await find(`metadata=${encodeURIComponent('{"user":"eve","n":2}')}`)).toEqual([])
    expect(await find('status=idle')).toEqual(['a', 'b', 'c'])
    for (const bad of ['metadata=x', 'metadata=%5B%5D', 'metadata=%7B%22a%22%3A%7B%7D%7D', 'status=gone']) {
      expect((await server.get(`/v1/threads?${bad}`)).status).toBe(400)
    }
  })

  test('that is busy is not updated', async () => {
    const gate = new Gate()
    const graph = new StateGraph(state({ x: value<number>() }))
      .addNode('wait', async () => {
        await gate.passed
        return { x: 1 }
      })
      .addEdge(START, 'wait')
      .compile()
    const server = await startServer({ graphs: { graph }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs', { graph: 'graph', run: 'r1', input: {} })
    const answer = await server.post('/v1/threads/t1/state', { update: { x: 5 } })
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ error: { code: 'RUN_CONFLICT', run: 'r1' } })
    gate.open()
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'graph', run: 'r1', input: {} })
    expect((await server.post('/v1/threads/t1/state', { update: { x: 5 } })).status).toBe(200)
  })
})

test.each([
  ['state', { update: { nothing: 1 } }, 400],
  ['state', { update: 'x' }, 400],
  ['state', { update: {}, asNode: 'nobody' }, 400],
  ['state', { update: {}, checkpointId: 'none' }, 404],
  ['state', undefined, 400],
])('a change of %s by %j is answered %s', async (route, body, status) => {
  const server = await startServer({ graphs: { chat: chatGraph() } })
  await server.post('/v1/threads/t1/runs?wait=1', hello)
  expect((await server.post(`/v1/threads/t1/${route}`, body)).status).toBe(status)
  expect(server.errors).toEqual([])
})

test('a thread of a graph that remembers nothing is neither updated nor forked', async () => {
  const server = await startServer({ graphs: { words: wordGraph(['a']) } })
  await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words' })
  expect((await server.post('/v1/threads/t1/state', { update: {} })).status).toBe(501)
  expect((await server.post('/v1/threads/t1/fork')).status).toBe(501)
})

describe('a graph', () => {
  test('is described by its nodes and edges', async () => {
    const server = await startServer({ graphs: { chat: chatGraph(), words: wordGraph([]) } })
    const described = await (await server.get('/v1/graphs/chat')).json()
    expect(described).toMatchObject({ name: 'chat', nodes: expect.any(Array), edges: expect.any(Array) })
    expect(await (await server.get('/v1/graphs/words')).json()).toEqual({ name: 'words' })
    expect((await server.get('/v1/graphs/none')).status).toBe(404)
  })

  test('with a checkpointer of its own is refused, unless that is meant', () => {
    const graph = new StateGraph(state({ x: value<number>() }))
      .addNode('a', () => ({}))
      .addEdge(START, 'a')
      .compile({ checkpointer: new MemoryCheckpointer() })
    expect(() => createApp({ graphs: { graph } })).toThrow('graphs.graph has a checkpointer of its own')
    expect(() => createApp({ graphs: { graph }, keepCheckpointer: true })).not.toThrow()
  })
})

describe('a run', () => {
  const endless = () =>
    new StateGraph(state({ n: value<number>() }))
      .addNode('go', ({ n }, ctx) => {
        ctx.writer({ n })
        return { n: n + 1 }
      })
      .addEdge(START, 'go')
      .addEdge('go', 'go')
      .compile()
  const body = { graph: 'endless', run: 'r1', input: { n: 0 }, recursionLimit: 10_000 }

  test.each([
    ['took longer', { runMs: 30 }],
    ['had more than', { runEvents: 200 }],
    ['wrote more than', { runBytes: 20_000 }],
  ])('that %s than it may ends with an error that says so', async (sentence, limits) => {
    const server = await startServer({ graphs: { endless: endless() }, limits })
    const result = await (await server.post('/v1/threads/t1/runs?wait=1', body)).json()
    expect(result).toMatchObject({ status: 'error', error: { code: 'LIMIT_EXCEEDED', run: 'r1' } })
    expect(result.error.message).toContain(sentence)
    expect(server.errors).toEqual([])
  })

  test('of a graph without an end ends by its steps', async () => {
    const server = await startServer({ graphs: { endless: endless() } })
    const result = await (await server.post('/v1/threads/t1/runs?wait=1', { ...body, recursionLimit: 20 })).json()
    expect(result).toMatchObject({ status: 'error', error: { code: 'RECURSION_LIMIT' } })
  })

  test('is one too many for its tenant beyond the limit, and so is a stream', async () => {
    const gate = new Gate()
    const graphs = { words: wordGraph(['a', gate]) }
    const server = await startServer({ graphs, limits: { tenantRuns: 1, tenantStreams: 1 } })
    const reader = await server.run('t1', { graph: 'words', run: 'r1' })
    await reader.next()
    const refused = [
      await server.post('/v1/threads/t2/runs', { graph: 'words', run: 'r2' }),
      await server.get('/v1/threads/t1/events'),
    ]
    for (const answer of refused) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1'])
      expect(await answer.json()).toMatchObject({ error: { code: 'LIMIT_EXCEEDED', retryable: true } })
    }
    gate.open()
    await reader.all()
    expect((await server.run('t2', { graph: 'words', run: 'r2' })).response.status).toBe(200)
  })
})
