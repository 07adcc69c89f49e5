import { fromAsyncIterable, messages, reduced, START, state, StateGraph } from '@rivulet/core'
import { messagesOf, valuesOf } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import type { ServedGraph, Store } from '../src/index.ts'
import { memoryStore } from '../src/index.ts'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { eventsIn, foldFrames, startServer, typesIn, type TestServer } from './server.ts'
import { temporaryStore } from './sqlite.ts'

/** Answers `<question>!` in two pieces, and waits between them when the question says so. */
function slowChat(gates: Record<string, Gate> = {}): ServedGraph {
  const model = fromAsyncIterable(async function* (history, { signal }) {
    const question = history.at(-1)!.content
    yield question
    const gate = gates[question]
    const aborted = new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
    })
    if (gate !== undefined) await Promise.race([gate.passed, aborted])
    yield '!'
  })
  return new StateGraph(
    state({ messages: messages(), turns: reduced<number>({ initial: () => 0, reduce: (a, b) => a + b }) }),
  )
    .addNode('talk', async ({ messages: history }) => ({ messages: [await model.invoke(history)], turns: 1 }))
    .addEdge(START, 'talk')
    .compile()
}

const ask = (run: string, more: object = {}) => ({ graph: 'chat', run, input: { messages: [run] }, ...more })
const stores: [string, () => Promise<Store>][] = [
  ['in memory', async () => memoryStore()],
  ['in a file', () => temporaryStore()],
]

async function contents(server: TestServer): Promise<string[]> {
  const { values } = await (await server.get('/v1/threads/t1/state')).json()
  return values.messages.map(({ content }: { content: string }) => content)
}

describe.each(stores)('a second run, %s,', (_where, makeStore) => {
  async function busyServer(): Promise<{ server: TestServer; gate: Gate; errors: unknown[] }> {
    const gate = new Gate()
    const server = await startServer({ graphs: { chat: slowChat({ one: gate }) }, store: await makeStore() })
    await server.post('/v1/threads/t1/runs?wait=1', ask('zero'))
    const reader = await server.run('t1', ask('one'))
    await reader.until((event) => event.type === 'message.delta')
    await reader.cancel()
    return { server, gate, errors: server.errors }
  }

  test('is refused unless it says otherwise', async () => {
    const { server, gate } = await busyServer()
    const answer = await server.post('/v1/threads/t1/runs', ask('two'))
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ error: { code: 'RUN_CONFLICT', run: 'one' } })
    gate.open()
  })

  test('waits for its turn, and has no events before', async () => {
    const { server, gate, errors } = await busyServer()
    const waiting = await server.run('t1', ask('two', { multitask: 'enqueue' }))
    const third = server.post('/v1/threads/t1/runs?wait=1', ask('three', { multitask: 'enqueue' }))
    expect(await (await server.get('/v1/threads/t1/runs/two')).json()).toMatchObject({ run: 'two', status: 'queued' })
    gate.open()
    const frames = await waiting.all()
    const types = eventsIn(frames).filter((event) => event.type !== 'sync' && event.type.startsWith('run.'))
    expect(types.map((event) => `${event.type} ${'run' in event && event.run}`)).toEqual([
      'run.end one',
      'run.start two',
      'run.end two',
    ])
    expect(await (await third).json()).toMatchObject({ status: 'done', values: { turns: 4 } })
    expect(await contents(server)).toEqual(['zero', 'zero!', 'one', 'one!', 'two', 'two!', 'three', 'three!'])
    const { runs } = await (await server.get('/v1/threads/t1/runs')).json()
    expect(runs.map(({ run, status }: { run: string; status: string }) => `${run} ${status}`)).toEqual([
      'three done',
      'two done',
      'one done',
      'zero done',
    ])
    expect(errors).toEqual([])
  })

  test('interrupts the one before, whose words stay', async () => {
    const { server } = await busyServer()
    const answer = await server.post('/v1/threads/t1/runs?wait=1', ask('two', { multitask: 'interrupt' }))
    expect(await answer.json()).toMatchObject({ status: 'done' })
    expect(await contents(server)).toEqual(['zero', 'zero!', 'one', 'one', 'two', 'two!'])
    expect(await (await server.get('/v1/threads/t1/runs/one')).json()).toMatchObject({ status: 'cancelled' })
  })

  test('rolls the one before back, for readers as in the state', async () => {
    const { server } = await busyServer()
    const reader = await server.read('/v1/threads/t1/events')
    const first = await reader.next()
    await server.post('/v1/threads/t1/runs?wait=1', ask('two', { multitask: 'rollback' }))
    const isEnd = (event: { type: string; run?: string }) => event.type === 'run.end' && event.run === 'two'
    const shown = foldFrames([first!, ...(await reader.until(isEnd))])
    await reader.cancel()
    expect(shown.gap).toBeUndefined()
    expect(messagesOf(shown).map(({ content }) => content)).toEqual(['zero', 'zero!', 'two', 'two!'])
    expect(valuesOf(shown)).toMatchObject({ turns: 2 })
    expect(await contents(server)).toEqual(['zero', 'zero!', 'two', 'two!'])
    const fresh = foldFrames(await (await server.read('/v1/threads/t1/events?until=two')).all())
    expect(messagesOf(fresh).map(({ content }) => content)).toEqual(['zero', 'zero!', 'two', 'two!'])
  })

  test('drops those that wait when it takes their place', async () => {
    const { server } = await busyServer()
    const waiting = await server.run('t1', ask('two', { multitask: 'enqueue' }))
    await server.post('/v1/threads/t1/runs?wait=1', ask('three', { multitask: 'interrupt' }))
    expect(eventsIn(await waiting.all()).at(-1)).toMatchObject({ type: 'run.end', run: 'two', status: 'cancelled' })
    expect(await contents(server)).toEqual(['zero', 'zero!', 'one', 'one', 'three', 'three!'])
  })

  test('that waits can be stopped, and its readers are told when its turn would have come', async () => {
    const { server, gate } = await busyServer()
    const waiting = await server.run('t1', ask('two', { multitask: 'enqueue' }))
    const stopped = await server.post('/v1/threads/t1/runs/two/cancel')
    expect(await stopped.json()).toMatchObject({ run: 'two', status: 'cancelled' })
    const third = server.post('/v1/threads/t1/runs?wait=1', ask('three', { multitask: 'enqueue' }))
    gate.open()
    expect(await (await third).json()).toMatchObject({ status: 'done', values: { turns: 3 } })
    expect(eventsIn(await waiting.all()).at(-1)).toMatchObject({ type: 'run.end', run: 'two', status: 'cancelled' })
  })

  test('is one too many beyond the limit, until one has ended', async () => {
    const gate = new Gate()
    const limits = { queuedRuns: 1 }
    const server = await startServer({ graphs: { chat: slowChat({ one: gate }) }, store: await makeStore(), limits })
    await server.post('/v1/threads/t1/runs', ask('one'))
    await server.post('/v1/threads/t1/runs', ask('two', { multitask: 'enqueue' }))
    const answer = await server.post('/v1/threads/t1/runs', ask('three', { multitask: 'enqueue' }))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1'])
    gate.open()
    await server.post('/v1/threads/t1/runs?wait=1', ask('two', { multitask: 'enqueue' }))
    expect((await server.post('/v1/threads/t1/runs', ask('three', { multitask: 'enqueue' }))).status).toBe(202)
  })
})

describe('stopping a run', () => {
  test('can take its thread back to the empty one it began from', async () => {
    const server = await startServer({ graphs: { chat: slowChat({ one: new Gate() }) } })
    const reader = await server.run('t1', ask('one'))
    await reader.until((event) => event.type === 'message.delta')
    const answer = await server.post('/v1/threads/t1/runs/one/cancel', { action: 'rollback' })
    expect(await answer.json()).toMatchObject({ status: 'cancelled' })
    expect((await server.get('/v1/threads/t1/state')).status).toBe(204)
    const shown = foldFrames(await (await server.read('/v1/threads/t1/events?until=one')).all())
    expect(messagesOf(shown)).toEqual([])
    await reader.cancel()
  })

  test('cannot take back what the graph does not remember', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a', new Gate()]) } })
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })
    expect((await server.post('/v1/threads/t1/runs/r1/cancel', { action: 'rollback' })).status).toBe(501)
    expect((await server.post('/v1/threads/t1/runs/r1/cancel', { action: 'explode' })).status).toBe(400)
    const rollback = { graph: 'words', run: 'r2', multitask: 'rollback' }
    expect((await server.post('/v1/threads/t1/runs', rollback)).status).toBe(501)
    expect(await (await server.get('/v1/threads/t1/runs/r1')).json()).toMatchObject({ status: 'running' })
  })

  test('is done by the client that started it leaving, when it asked for that', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a', new Gate()]) } })
    const watcher = await server.run('t1', { graph: 'words', run: 'r1', onDisconnect: 'cancel' })
    await watcher.until(({ type }) => type === 'message.delta')
    const other = await server.read('/v1/threads/t1/events?until=r1')
    await watcher.cancel()
    expect(typesIn(await other.all()).at(-1)).toBe('run.end')
    expect(await (await server.get('/v1/threads/t1/runs/r1')).json()).toMatchObject({ status: 'cancelled' })
  })

  test('is done by a client that waited for its result and leaves, when it asked for that', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a', new Gate()]) } })
    const leave = new AbortController()
    const waiting = fetch(`${server.url}/v1/threads/t1/runs?wait=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"graph":"words","run":"r1","onDisconnect":"cancel"}',
      signal: leave.signal,
    })
    const reader = await server.read('/v1/threads/t1/events').catch(() => undefined)
    await reader?.cancel()
    let run = await server.get('/v1/threads/t1/runs/r1')
    while (run.status === 404) run = await server.get('/v1/threads/t1/runs/r1')
    const watching = await server.read('/v1/threads/t1/events?until=r1')
    leave.abort()
    await expect(waiting).rejects.toThrow('aborted')
    expect(typesIn(await watching.all()).at(-1)).toBe('run.end')
  })
})

describe('a thread that waits for an answer', () => {
  const graphs = () => ({ chat: chatGraph({ ask: true }) })
  const hello = { graph: 'chat', input: { messages: ['hi'] } }

  test('takes no plain message unless the caller says what becomes of the question', async () => {
    const server = await startServer({ graphs: graphs() })
    const run = (more: object) => server.post('/v1/threads/t1/runs?wait=1', { ...hello, ...more })
    expect(await (await run({ run: 'r1' })).json()).toMatchObject({ status: 'interrupted' })
    const refused = await run({ run: 'r2' })
    expect(refused.status).toBe(409)
    expect((await refused.json()).error).toMatchObject({ code: 'RUN_CONFLICT' })
    // The same start sent again is answered as before.
    expect(await (await run({ run: 'r1' })).json()).toMatchObject({ status: 'interrupted' })
    expect(await (await run({ run: 'r2', onInterrupted: 'discard' })).json()).toMatchObject({ status: 'interrupted' })
    expect(await (await run({ input: null, resume: 'fine' })).json()).toMatchObject({
      status: 'done',
      values: { note: 'fine', turns: 2 },
    })
    expect((await run({})).status).toBe(200)
  })

  test('takes its answer once: whoever sends one again is told that nothing waits for it', async () => {
    const server = await startServer({ graphs: graphs() })
    const run = (more: object) => server.post('/v1/threads/t1/runs?wait=1', { ...hello, ...more })
    await run({})
    const answers = await Promise.all([1, 2, 3].map(() => run({ input: null, resume: 'fine' })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409])
    const again = await run({ input: null, resume: 'fine' })
    expect(again.status).toBe(409)
    expect((await again.json()).error).toMatchObject({ code: 'RUN_CONFLICT' })
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'idle' })
  })

  test('goes on without an answer, or from another checkpoint, when that is asked for', async () => {
    const server = await startServer({ graphs: graphs() })
    const run = (more: object) => server.post('/v1/threads/t1/runs?wait=1', { ...hello, ...more })
    await run({})
    expect(await (await run({ input: null })).json()).toMatchObject({ status: 'interrupted' })
    const history = await (await server.get('/v1/threads/t1/history')).json()
    const { checkpointId } = history.at(-1)
    expect(await (await run({ checkpointId })).json()).toMatchObject({ status: 'interrupted', values: { turns: 1 } })
  })
})
