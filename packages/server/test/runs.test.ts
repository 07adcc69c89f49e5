import { entrypoint, interrupt, task } from '@rivulet/core'
import { formatCursor, messagesOf, valuesOf } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { eventsIn, foldFrames, FrameReader, startServer, typesIn } from './server.ts'

describe('a run of a real graph', () => {
  test('streams the event model, as whoever looks at the wire sees', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const stream = await server.run('t1', { graph: 'chat', run: 'r1', input: { messages: ['hi'] } })
    expect(stream.response.status).toBe(200)
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    const frames = await stream.all()
    expect(stream.text).toMatch(/^id: [0-9a-z]{8}\.0\nevent: sync\ndata: \{"phase":"replay"\}\n\n/)
    expect(stream.text).toContain('"type":"run.start"')
    expect(typesIn(frames).at(-1)).toBe('run.end')
    const state = foldFrames(frames)
    expect(state.gap).toBeUndefined()
    expect(messagesOf(state).map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: hi',
      'assistant: you said hi ',
    ])
    expect(valuesOf(state)).toMatchObject({ turns: 1 })
    expect(server.errors).toEqual([])
  })

  test('written as a function is served like any other: asked, answered, changed', async () => {
    const add = task('add', (a: number, b: number) => a + b)
    const flow = entrypoint({ name: 'flow' }, async (n: number) => `${await add(n, 1)} ${interrupt<string>('ok?')}`)
    const server = await startServer({ graphs: { flow } })
    const run = async (body: object) =>
      (await server.post('/v1/threads/t1/runs?wait=1', { graph: 'flow', ...body })).json()
    expect(await run({ input: 1 })).toMatchObject({ status: 'interrupted', interrupts: [{ value: 'ok?' }] })
    expect(await run({ resume: 'yes' })).toMatchObject({ status: 'done', values: { output: '2 yes' } })
    const [newest] = await (await server.get('/v1/threads/t1/history')).json()
    expect(newest).toMatchObject({ values: { output: '2 yes' }, next: [] })
    const updated = await server.post('/v1/threads/t1/state', { update: { output: 'by hand' } })
    expect(updated.status).toBe(200)
    expect(await (await server.get('/v1/graphs/flow')).json()).toMatchObject({ nodes: [{}, { id: 'flow' }, {}] })
    expect(server.errors).toEqual([])
  })

  test('from a checkpoint that is not there is 404, and begins nothing', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const body = { graph: 'chat', input: { messages: ['hi'] } }
    await server.post('/v1/threads/t1/runs?wait=1', body)
    const refused = await server.post('/v1/threads/t1/runs?wait=1', { ...body, checkpointId: 'none' })
    expect(refused.status).toBe(404)
    expect(await refused.json()).toMatchObject({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('"none"') },
    })
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'idle' })
    expect((await (await server.get('/v1/threads/t1/runs')).json()).runs).toHaveLength(1)
  })

  test('remembers the thread from run to run', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    await (await server.run('t1', { graph: 'chat', input: { messages: ['one'] } })).all()
    const answer = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['two'] } })
    expect(await answer.json()).toMatchObject({ status: 'done', values: { turns: 2 }, interrupts: [] })
  })

  test('answers with the result when asked to wait', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const body = { graph: 'chat', run: 'r1', input: { messages: ['hi'] } }
    const answer = await server.post('/v1/threads/t1/runs?wait=1', body)
    expect(answer.status).toBe(200)
    const result = await answer.json()
    expect(result).toMatchObject({ run: 'r1', status: 'done', interrupts: [], values: { turns: 1 } })
    expect(result.values.messages).toHaveLength(2)
    expect(result).not.toHaveProperty('error')
  })

  test('that asks something waits for the answer and goes on', async () => {
    const server = await startServer({ graphs: { chat: chatGraph({ ask: true }) } })
    const asked = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['hi'] } })
    expect(await asked.json()).toMatchObject({
      status: 'interrupted',
      interrupts: [{ value: { question: 'ok?' } }],
    })
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'interrupted' })
    const answered = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', resume: 'fine' })
    expect(await answered.json()).toMatchObject({ status: 'done', values: { note: 'fine', turns: 1 }, interrupts: [] })
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'idle' })
  })

  test('that fails ends with a typed error, and no stack crosses the wire', async () => {
    const server = await startServer({ graphs: { chat: chatGraph({ fail: true }) } })
    const stream = await server.run('t1', { graph: 'chat', run: 'r1', input: { messages: ['hi'] } })
    const frames = await stream.all()
    expect(eventsIn(frames).at(-1)).toMatchObject({
      type: 'run.end',
      status: 'error',
      error: { code: 'NODE_FAILED', message: 'node "review" failed', node: 'review' },
    })
    expect(stream.text).not.toMatch(/graphs\.ts|at .*:\d+:\d+/)
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'error' })
  })

  test('records the modes it was asked to, and no others', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const body = { graph: 'chat', input: { messages: ['hi'] } }
    const plain = typesIn(await (await server.run('t1', body)).all())
    const more = typesIn(await (await server.run('t2', { ...body, modes: ['updates', 'checkpoints'] })).all())
    expect(plain).not.toContain('updates')
    expect(more).toEqual(expect.arrayContaining(['updates', 'checkpoint']))
  })

  test('goes on from an earlier checkpoint', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    await (await server.run('t1', { graph: 'chat', input: { messages: ['one'] } })).all()
    const [first] = await (await server.get('/v1/threads/t1/history?limit=1')).json()
    await (await server.run('t1', { graph: 'chat', input: { messages: ['two'] } })).all()
    const body = { graph: 'chat', input: { messages: ['three'] }, checkpointId: first.checkpointId }
    const forked = await (await server.post('/v1/threads/t1/runs?wait=1', body)).json()
    expect(forked.values.messages.map((message: { content: string }) => message.content)).toEqual([
      'one',
      'you said one ',
      'three',
      'you said three ',
    ])
  })
})

describe('starting a run', () => {
  test('is sent to a node, with an update of the state beside it', async () => {
    const server = await startServer({ graphs: { chat: chatGraph({ ask: true }) } })
    const jump = { graph: 'chat', goto: ['review'], input: { turns: 5 } }
    expect(await (await server.post('/v1/threads/t1/runs?wait=1', jump)).json()).toMatchObject({
      status: 'interrupted',
      values: { turns: 5 },
      interrupts: [{ value: { question: 'ok?' } }],
    })
    expect((await server.post('/v1/threads/t2/runs?wait=1', { ...jump, goto: 'review' })).status).toBe(400)
    expect((await server.post('/v1/threads/t2/runs?wait=1', { ...jump, input: 'five' })).status).toBe(400)
  })

  test('without waiting answers at once where its events begin', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['a', gate, 'b']) } })
    const answer = await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1', input: 1 })
    expect(answer.status).toBe(202)
    const { cursor, ...rest } = await answer.json()
    expect(rest).toEqual({ thread: 't1', run: 'r1' })
    const stream = await server.read(`/v1/threads/t1/events?after=${cursor}&until=r1`)
    gate.open()
    expect(messagesOf(foldFrames(await stream.all()))[0]?.content).toBe('ab')
  })

  test('makes an id when the client did not', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a']) } })
    const { run } = await (await server.post('/v1/threads/t1/runs', { graph: 'words' })).json()
    expect(run).toMatch(/^[0-9a-z]{24}$/)
  })

  test('again with the same id joins the run, running or ended', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['a', gate, 'b']) } })
    const body = { graph: 'words', run: 'r1', input: { q: 1, deep: { a: 1, b: 2 } } }
    const first = await server.run('t1', body)
    await first.until(({ type }) => type === 'message.delta')
    const second = await server.post('/v1/threads/t1/runs', { ...body, input: { deep: { b: 2, a: 1 }, q: 1 } })
    expect(second.status).toBe(200)
    const joined = await server.run('t1', body)
    gate.open()
    const [one, two] = await Promise.all([first.all(), joined.all()])
    expect(typesIn(one).at(-1)).toBe('run.end')
    const ended = await (await server.run('t1', body)).all()
    expect(foldFrames(two)).toEqual(foldFrames(ended))
    const again = await server.post('/v1/threads/t1/runs?wait=1', body)
    expect(await again.json()).toMatchObject({ run: 'r1', status: 'done', values: { said: 2 } })
    const { threads } = await (await server.get('/v1/threads')).json()
    expect(threads).toHaveLength(1)
  })

  test('again long after its end answers what is left of it', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a']) } })
    const body = (run: number) => ({ graph: 'words', run: `r${run}` })
    for (let run = 0; run < 40; run++) await server.post('/v1/threads/t1/runs?wait=1', body(run))
    const again = foldFrames(await (await server.run('t1', body(0))).all())
    expect(messagesOf(again)[0]).toMatchObject({ id: 'r0-m', content: 'a' })
    const state = foldFrames(await (await server.read('/v1/threads/t1/events?until=r0')).all())
    expect(messagesOf(state)).toHaveLength(40)
  })

  test('many times at once starts it once', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a']) } })
    const body = { graph: 'words', run: 'r1', input: 1 }
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.post('/v1/threads/t1/runs', body)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 200, 200, 200, 200, 202,
    ])
    const events = eventsIn(await (await server.run('t1', body)).all())
    expect(events.filter(({ type }) => type === 'run.start')).toHaveLength(1)
  })

  test('with an id that was used for something else is a conflict', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a']) } })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1', input: 1 })
    const answer = await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1', input: 2 })
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ error: { code: 'RUN_CONFLICT', run: 'r1' } })
  })

  test('on a busy thread is a conflict that names the run under way', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['a', gate]) } })
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'busy', run: 'r1' })
    const answer = await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r2' })
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ error: { code: 'RUN_CONFLICT', run: 'r1' } })
    gate.open()
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    expect((await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r2' })).status).toBe(202)
  })
})

describe('stopping a run', () => {
  test('keeps what it had said, and answers when its end is in the log', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['half of ', new Gate(), 'it']) } })
    const stream = await server.run('t1', { graph: 'words', run: 'r1' })
    const before = await stream.until(({ type }) => type === 'message.delta')
    const answer = await server.post('/v1/threads/t1/runs/r1/cancel')
    expect(answer.status).toBe(200)
    const rest = await stream.all()
    expect(eventsIn(rest)).toMatchObject([{ type: 'run.end', status: 'cancelled' }])
    const state = foldFrames([...before, ...rest])
    expect(messagesOf(state)).toMatchObject([{ content: 'half of ', status: 'cut' }])
    expect(await answer.json()).toEqual({
      run: 'r1',
      status: 'cancelled',
      cursor: formatCursor(state.log, state.cursor),
    })
  })

  test('keeps the partial answer of a real model in the state', async () => {
    const { fromAsyncIterable, messages, START, state, StateGraph } = await import('@rivulet/core')
    const endless = fromAsyncIterable(async function* (_history, { signal }) {
      yield 'half of '
      await new Promise<void>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
    })
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('talk', async ({ messages: history }) => ({ messages: [await endless.invoke(history)] }))
      .addEdge(START, 'talk')
      .compile()
    const server = await startServer({ graphs: { graph } })
    const stream = await server.run('t1', { graph: 'graph', run: 'r1', input: { messages: ['hi'] } })
    const before = await stream.until(({ type }) => type === 'message.delta')
    expect(await (await server.post('/v1/threads/t1/runs/r1/cancel')).json()).toMatchObject({ status: 'cancelled' })
    const shown = foldFrames([...before, ...(await stream.all())])
    expect(messagesOf(shown).at(-1)).toMatchObject({ content: 'half of ', status: 'cut' })
    const { values } = await (await server.get('/v1/threads/t1/state')).json()
    expect(values.messages.at(-1)).toMatchObject({ content: 'half of ' })
    expect(await (await server.get('/v1/threads/t1')).json()).toMatchObject({ status: 'idle' })
  })

  test('that has ended answers how it ended', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a']) } })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    expect(await (await server.post('/v1/threads/t1/runs/r1/cancel', {})).json()).toMatchObject({ status: 'done' })
  })

  test('is not done by a reader who leaves', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['a', gate, 'b']) } })
    const stream = await server.run('t1', { graph: 'words', run: 'r1' })
    await stream.until(({ type }) => type === 'message.delta')
    await stream.cancel()
    gate.open()
    const result = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    expect(await result.json()).toMatchObject({ status: 'done', values: { said: 2 } })
  })
})

test('a response that waits is a frame reader no more than a stream is JSON', async () => {
  const server = await startServer({ graphs: { words: wordGraph(['a']) } })
  const response = await server.post('/v1/threads/t1/runs', { graph: 'words' }, { accept: 'text/event-stream, */*' })
  expect(typesIn(await new FrameReader(response).all()).at(-1)).toBe('run.end')
})
