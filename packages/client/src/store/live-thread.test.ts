import { emptyState, foldAll, RivuletError, serializeState, type RivuletEvent, type RunEvent } from '@rivulet/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { settled } from '../../test/fake-timing.ts'
import { chatRun, eventsFrame, LOG, stamped, sync } from '../../test/pump.ts'
import { threadBench } from '../../test/thread.ts'
import type { Transport } from '../transports/transport.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const question = { id: 'u1', content: 'hi' }

/** Submits a question and says how the run that was asked for is named. */
async function asked(options?: Parameters<typeof threadBench>[0], transport?: Parameters<typeof threadBench>[1]) {
  const bench = threadBench(options, transport)
  const run = bench.thread.submit({ messages: { ...question, role: 'user' } })
  await settled()
  const events = stamped(chatRun(run.id, question, ['Hel', 'lo']))
  const upTo = (type: RunEvent['type'] | 'sync') => events.findIndex((event) => event.type === type) + 1
  return { ...bench, run, events, upTo }
}

function contents(thread: { getSnapshot(): { messages: readonly { content: string }[] } }): string[] {
  return thread.getSnapshot().messages.map(({ content }) => content)
}

function snapshotFrame(events: readonly RivuletEvent[]) {
  const state = foldAll(emptyState(), events)
  return eventsFrame({ type: 'sync', phase: 'snapshot', log: LOG, state: serializeState(state), seq: state.cursor })
}

// Starting and reading a run.

test('a run is started with an id of its own and read to its end', async () => {
  const { thread, pump, run, events } = await asked({ threadId: 't1' })
  expect(pump.bodies).toHaveLength(1)
  expect(pump.body.request).toMatchObject({
    thread: 't1',
    start: { run: run.id, graph: 'agent', input: { messages: [{ ...question, role: 'user' }] } },
  })
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events))
  const result = await run.result
  expect(result).toMatchObject({ status: 'done', error: undefined })
  expect(contents(thread)).toEqual(['hi', 'Hello'])
  await settled()
  expect(pump.body.signal.aborted).toBe(true)
  expect(pump.bodies).toHaveLength(1)
  expect(thread.getSnapshot().connection.phase).toBe('idle')
})

test('the status follows the run', async () => {
  const { thread, pump, events, upTo } = await asked()
  const seen: string[] = []
  thread.select(
    ({ status, isLoading }) => `${status} ${isLoading}`,
    (value) => seen.push(value),
  )
  expect(thread.getSnapshot()).toMatchObject({ status: 'connecting', isLoading: true })
  pump.body.send(eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  pump.body.send(eventsFrame(...events.slice(upTo('message.start'))))
  await settled()
  expect(seen).toEqual(['streaming true', 'idle false'])
})

test('the events of a run can be looped over, each once', async () => {
  const { pump, run, events } = await asked()
  const loop = (async () => {
    const seen: number[] = []
    for await (const event of run) seen.push(event.seq)
    return seen
  })()
  pump.body.send(eventsFrame(...events.slice(0, 4)), eventsFrame(...events.slice(2)))
  expect(await loop).toEqual(events.map(({ seq }) => seq))
})

test('the next run goes on from where the thread stands', async () => {
  const { thread, pump, events } = await asked()
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events))
  await settled()
  thread.submit({ messages: 'more' })
  await settled()
  expect(pump.body.after).toBe(`${LOG}.${events.length}`)
})

test('options of a submit go along with its start', async () => {
  const { thread, pump } = threadBench({ modes: ['updates'] })
  thread.submit(undefined, {
    resume: 'yes',
    checkpointId: 'c1',
    metadata: { a: 1 },
    tags: ['x'],
    context: 2,
    recursionLimit: 9,
  })
  await settled()
  expect(pump.body.request.start).toMatchObject({
    input: undefined,
    modes: ['updates'],
    resume: 'yes',
    checkpointId: 'c1',
    metadata: { a: 1 },
    tags: ['x'],
    context: 2,
    recursionLimit: 9,
  })
})

test('a failing run resolves its result with the error', async () => {
  const onError = vi.fn<(error: RivuletError) => void>()
  const { thread, pump, run, events, upTo } = await asked({ onError })
  const failed: RunEvent = {
    type: 'run.end',
    run: run.id,
    status: 'error',
    error: { code: 'NODE_FAILED', message: 'no luck', node: 'agent' },
  }
  pump.body.send(
    eventsFrame(...events.slice(0, upTo('message.start'))),
    eventsFrame(...stamped([failed], upTo('message.start') + 1)),
  )
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'NODE_FAILED', node: 'agent' } })
  const { status, error } = thread.getSnapshot()
  expect(status).toBe('error')
  expect(error).toBeInstanceOf(RivuletError)
  expect(thread.getSnapshot().error).toBe(error)
  expect(onError).toHaveBeenCalledOnce()
})

test('an interrupted run leaves its question on the page', async () => {
  const { thread, pump, run, events } = await asked()
  const [begin] = events
  const rest = stamped(
    [
      { type: 'interrupt', run: run.id, id: 'i1', value: 'sure?' },
      { type: 'run.end', run: run.id, status: 'interrupted' },
    ],
    2,
  )
  pump.body.send(eventsFrame(begin!, ...rest))
  expect((await run.result).interrupts).toMatchObject([{ id: 'i1', value: 'sure?' }])
  expect(thread.getSnapshot().status).toBe('interrupted')
})

// Thread ids.

test('a thread gets its id with its first run and tells it', async () => {
  const onThreadId = vi.fn<(id: string) => void>()
  const { thread, pump } = threadBench({ onThreadId })
  expect(thread.id).toBeUndefined()
  thread.submit({ messages: 'hi' })
  await settled()
  expect(thread.id).toMatch(/^[0-9a-z]{20,}$/)
  expect(pump.body.request.thread).toBe(thread.id)
  thread.submit({ messages: 'more' })
  expect(onThreadId).toHaveBeenCalledExactlyOnceWith(thread.id)
})

test('two threads of one client do not touch each other', async () => {
  const { client, pump } = threadBench()
  const [a, b] = ['a', 'b'].map((threadId) => client.thread({ graph: 'agent', threadId })) as [
    ReturnType<typeof client.thread>,
    ReturnType<typeof client.thread>,
  ]
  const runs = [a, b].map((thread) => thread.submit({ messages: { ...question, role: 'user' } }))
  await settled()
  expect(pump.bodies.map(({ request }) => request.thread)).toEqual(['a', 'b'])
  pump.bodies[1]!.send(eventsFrame(...stamped(chatRun(runs[1]!.id, question, ['to b']))))
  pump.bodies[0]!.send(eventsFrame(...stamped(chatRun(runs[0]!.id, question, ['to a']))))
  await Promise.all(runs.map((run) => run.result))
  expect([contents(a), contents(b)]).toEqual([
    ['hi', 'to a'],
    ['hi', 'to b'],
  ])
})

// Messages on their way.

test('the user’s message is there at once and is replaced when the thread has it', async () => {
  const { thread, pump, events, upTo } = await asked()
  expect(thread.getSnapshot().messages).toEqual([{ ...question, role: 'user', delivery: 'sending' }])
  pump.body.send(eventsFrame(...events.slice(0, upTo('message'))))
  await settled()
  const [message] = thread.getSnapshot().messages
  expect(message).toMatchObject({ ...question, status: 'done' })
  expect(message).not.toHaveProperty('delivery')
  expect(thread.getSnapshot().messages).toHaveLength(1)
})

test('a message that did not get through stays, marked as failed', async () => {
  const { thread, pump, run } = await asked()
  pump.body.fail(new RivuletError('RUN_CONFLICT', 'the thread is busy'))
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'RUN_CONFLICT' } })
  expect(thread.getSnapshot()).toMatchObject({ status: 'error', isLoading: false, error: { code: 'RUN_CONFLICT' } })
  expect(thread.getSnapshot().messages).toEqual([{ ...question, role: 'user', delivery: 'failed' }])
})

test('sending it again is the same run with the same message', async () => {
  const { thread, pump, run, events } = await asked()
  pump.body.fail(new RivuletError('RUN_CONFLICT', 'the thread is busy'))
  await run.result
  const again = thread.retry()
  await settled()
  expect(again?.id).toBe(run.id)
  expect(thread.getSnapshot().messages).toEqual([{ ...question, role: 'user', delivery: 'sending' }])
  expect(pump.body.request.start?.run).toBe(run.id)
  pump.body.send(eventsFrame(...events))
  expect(await again?.result).toMatchObject({ status: 'done' })
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

test('a start with the id of one that was lost with its page is the same run', async () => {
  const { thread, pump } = threadBench({ threadId: 't1' })
  const input = { messages: [{ ...question, role: 'user' }] }
  const run = thread.submit(input, { run: 'kept' })
  expect(contents(thread)).toEqual(['hi'])
  await settled()
  expect(run.id).toBe('kept')
  expect(pump.body.request.start).toMatchObject({ run: 'kept', input })
})

test('a run that waits for its start, runs or has ended is joined', async () => {
  const { thread, pump, run, events } = await asked()
  const again = () => thread.submit({ messages: 'other' }, { run: run.id })
  expect(again()).toBe(run)
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events))
  await run.result
  expect(await again().result).toMatchObject({ status: 'done', error: undefined })
  await settled()
  expect(pump.bodies).toHaveLength(1)
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

test('the user’s new message stands below one that failed', async () => {
  const { thread, pump, run } = await asked()
  pump.body.fail(new RivuletError('RUN_CONFLICT', 'the thread is busy'))
  await run.result
  const second = thread.submit({ messages: { id: 'u2', role: 'user', content: 'again' } })
  await settled()
  expect(contents(thread)).toEqual(['hi', 'again'])
  pump.body.send(eventsFrame(...stamped(chatRun(second.id, { id: 'u2', content: 'again' }, ['ok']))))
  await second.result
  expect(contents(thread)).toEqual(['hi', 'again', 'ok'])
})

test('initial values are shown until the thread’s own are there', async () => {
  const initialValues = { topic: 'cats', messages: [{ id: 'old', role: 'assistant', content: 'welcome' }] }
  const { thread, pump, events } = await asked({ initialValues })
  expect(contents(thread)).toEqual(['welcome', 'hi'])
  expect(thread.getSnapshot().values).toBe(initialValues)
  expect(thread.getSnapshot().message('old')?.content).toBe('welcome')
  pump.body.send(eventsFrame(...events))
  await settled()
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

// Lost connections.

test('a connection dropped at any event resumes to the same state', async () => {
  const whole = stamped(chatRun('r', question, ['a', 'b', 'c']))
  const expected = foldAll(emptyState(), [sync('replay'), ...whole])
  for (let cut = 0; cut < whole.length; cut++) {
    const { thread, pump, timing, run } = await asked({ threadId: 't' })
    const events = stamped(chatRun(run.id, question, ['a', 'b', 'c']))
    pump.body.send(eventsFrame(sync('replay')), ...events.slice(0, cut).map((event) => eventsFrame(event)))
    await settled()
    pump.body.end()
    await settled()
    expect(thread.getSnapshot().isLoading).toBe(true)
    await timing.advance(250)
    expect(pump.bodies).toHaveLength(2)
    expect(pump.body.after).toBe(`${LOG}.${cut}`)
    // Once its start got through the run is read, not started once more.
    expect(pump.body.request).toMatchObject({ until: run.id })
    pump.body.send(eventsFrame(sync('replay', cut), ...events.slice(cut)))
    expect(await run.result).toMatchObject({ status: 'done' })
    const { state } = thread.getSnapshot()
    const named = JSON.parse(JSON.stringify(serializeState(state)).replaceAll(run.id, 'r')) as unknown
    expect(named).toEqual(JSON.parse(JSON.stringify(serializeState(expected))))
  }
})

test('a start that did not get through is sent again as the same run', async () => {
  const { pump, timing, run, events } = await asked({ threadId: 't' })
  pump.body.fail(new TypeError('fetch failed'))
  await settled()
  await timing.advance(250)
  expect(pump.body.request.start?.run).toBe(run.id)
  pump.body.send(eventsFrame(...events))
  expect(await run.result).toMatchObject({ status: 'done' })
})

test('a run that was taken and never begins is given up', async () => {
  const { thread, pump, timing, run } = await asked({ threadId: 't' })
  for (let attempt = 0; attempt <= 10; attempt++) {
    pump.body.send(eventsFrame(sync('replay')))
    await settled()
    pump.body.end()
    await settled()
    await timing.advance(10_000)
  }
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED' } })
  const opened = pump.bodies.length
  await timing.advance(100_000)
  expect(pump.bodies).toHaveLength(opened)
  expect(thread.getSnapshot()).toMatchObject({ status: 'error', messages: [{ delivery: 'failed' }] })
})

test('a run on a thread whose past is not here yet gets it as a snapshot', async () => {
  const { thread, pump, timing, run } = await asked({ threadId: 't' })
  const past = stamped(chatRun('past', { id: 'u0', content: 'before' }, ['answer']))
  const events = stamped(chatRun(run.id, question, ['Hello']), past.length + 1)
  pump.body.send(eventsFrame(sync('replay', past.length), events[0]!))
  await settled()
  await timing.advance(250)
  expect(pump.body).toMatchObject({ after: undefined, request: { until: run.id } })
  pump.body.send(snapshotFrame([...past, ...events.slice(0, 1)]), eventsFrame(...events.slice(1)))
  await run.result
  expect(contents(thread)).toEqual(['before', 'answer', 'hi', 'Hello'])
})

test('events that arrive twice change nothing', async () => {
  const onEvent = vi.fn<(event: RivuletEvent) => void>()
  const { thread, pump, events } = await asked({ onEvent })
  for (let end = 1; end <= events.length - 1; end++) pump.body.send(eventsFrame(...events.slice(0, end)))
  await settled()
  expect(contents(thread)).toEqual(['hi', 'Hello'])
  expect(onEvent.mock.calls.map(([event]) => event.seq)).toEqual(events.slice(0, -1).map(({ seq }) => seq))
})

test('a missing event leads to a snapshot, and nothing wrong is shown before it', async () => {
  const { thread, pump, timing, run, events, upTo } = await asked()
  const lost = upTo('message.delta')
  pump.body.send(
    eventsFrame(sync('replay')),
    eventsFrame(...events.slice(0, lost - 1)),
    eventsFrame(...events.slice(lost)),
  )
  await settled()
  expect(contents(thread)).toEqual(['hi', ''])
  expect(thread.getSnapshot().connection).toMatchObject({ phase: 'waiting', error: { code: 'STREAM_GAP' } })
  await timing.advance(250)
  expect(pump.body).toMatchObject({ after: undefined, request: { until: run.id } })
  pump.body.send(snapshotFrame(events.slice(0, -1)), eventsFrame(events.at(-1)!))
  await run.result
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

test('a run that a snapshot shows to be over is over', async () => {
  const { pump, timing, run, events, upTo } = await asked()
  pump.body.send(eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  pump.body.end()
  await settled()
  await timing.advance(250)
  pump.body.send(snapshotFrame(events))
  expect(await run.result).toMatchObject({ status: 'done' })
})

test('a run whose start was answered in vain and that is over by the time the thread hears of it ends', async () => {
  const { thread, pump, run, events, timing } = await asked({ threadId: 't1' })
  pump.body.fail(new RivuletError('DISCONNECTED', 'lost', { retryable: true }))
  await settled()
  await timing.advance(300)
  expect(pump.bodies.map(({ request }) => request.start?.run)).toEqual([run.id, run.id])
  pump.body.send(snapshotFrame(events))
  expect(await run.result).toMatchObject({ status: 'done', error: undefined })
  expect(contents(thread)).toEqual(['hi', 'Hello'])
  expect(thread.getSnapshot().status).toBe('idle')
})

test('a heartbeat beyond the cursor shows that something was lost', async () => {
  const { thread, pump, timing, events } = await asked()
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, 5)), { type: 'at', log: LOG, seq: 6 })
  await settled()
  expect(thread.getSnapshot().connection).toMatchObject({ phase: 'waiting', error: { code: 'STREAM_GAP' } })
  await timing.advance(250)
  expect(pump.body.after).toBe(`${LOG}.5`)
})

test('a heartbeat of a log of which nothing came shows that its beginning was lost', async () => {
  const { thread, pump, timing, events } = await asked()
  pump.body.send({ type: 'at', log: LOG, seq: 0 })
  await settled()
  expect(thread.getSnapshot().connection).toMatchObject({ phase: 'waiting', error: { code: 'STREAM_GAP' } })
  await timing.advance(250)
  expect(pump.body.after).toBeUndefined()
  pump.body.send(snapshotFrame(events))
  await settled()
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

test('a heartbeat beyond the cursor is no loss to a reader that filters', async () => {
  const { thread, pump, events } = await asked({ filter: { nodes: ['agent'] } })
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, 5)), { type: 'at', log: LOG, seq: 6 })
  await settled()
  expect(thread.getSnapshot().connection.phase).toBe('open')
})

test('a cursor the log no longer holds leads to a snapshot', async () => {
  const { thread, pump, timing, run, events, upTo } = await asked()
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  pump.body.end()
  await settled()
  await timing.advance(250)
  pump.body.fail(new RivuletError('CURSOR_GONE', 'trimmed'))
  await settled()
  expect(pump.body.after).toBeUndefined()
  pump.body.send(snapshotFrame(events))
  await run.result
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

test('a connection that is given up keeps the text and tells why', async () => {
  const onError = vi.fn<(error: RivuletError) => void>()
  const { thread, pump, timing, run, events, upTo } = await asked({ onError })
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, upTo('message.end') - 1)))
  await settled()
  for (let attempt = 0; attempt <= 10; attempt++) {
    pump.body.end()
    await settled()
    await timing.advance(10_000)
  }
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED' } })
  expect(thread.getSnapshot()).toMatchObject({
    status: 'error',
    error: { code: 'DISCONNECTED' },
    connection: { phase: 'closed' },
  })
  expect(contents(thread)).toEqual(['hi', 'Hello'])
  expect(onError).toHaveBeenCalledOnce()
})

/** A run whose streams never bring anything, with the one call that may still get through. */
async function unstreamed(wait: () => Promise<void>) {
  const called = vi.fn<NonNullable<Transport['wait']>>(wait)
  const bench = await asked({ threadId: 't' }, { wait: called })
  for (let attempt = 0; attempt <= 10; attempt++) {
    bench.pump.body.end()
    await settled()
    if (attempt < 10) await bench.timing.advance(10_000)
  }
  return { ...bench, called }
}

test('where no stream gets through, one call without a stream starts the same run, and what it did is read', async () => {
  let finish = () => {}
  const { pump, run, thread, events, called } = await unstreamed(() => new Promise((resolve) => (finish = resolve)))
  const opened = pump.bodies.length
  expect(called).toHaveBeenCalledExactlyOnceWith('t', expect.objectContaining({ run: run.id }), expect.anything())
  expect(thread.getSnapshot().status).toBe('connecting')
  finish()
  await settled()
  expect(pump.bodies).toHaveLength(opened + 1)
  expect(pump.body.request.start?.run).toBe(run.id)
  pump.body.send(eventsFrame(sync('replay'), ...events))
  expect(await run.result).toMatchObject({ status: 'done', error: undefined })
  expect(contents(thread)).toEqual(['hi', 'Hello'])
})

test('when that call fails too, the run fails with what was wrong with its stream', async () => {
  const { run, pump, called } = await unstreamed(() => Promise.reject(new RivuletError('INTERNAL', 'no')))
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED' } })
  await settled()
  expect(called).toHaveBeenCalledOnce()
  expect(pump.bodies).toHaveLength(11)
})

test('when what it did cannot be read either, it is not asked for again', async () => {
  const { run, pump, timing, called } = await unstreamed(() => Promise.resolve())
  await settled()
  for (let attempt = 0; attempt <= 10; attempt++) {
    pump.body.end()
    await settled()
    await timing.advance(10_000)
  }
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED' } })
  expect(called).toHaveBeenCalledOnce()
})

test('an error of the server is no reason to ask again without a stream', async () => {
  const wait = vi.fn<() => Promise<void>>(() => Promise.resolve())
  const { pump, run } = await asked({}, { wait })
  pump.body.fail(new RivuletError('FORBIDDEN', 'not yours'))
  expect(await run.result).toMatchObject({ error: { code: 'FORBIDDEN' } })
  expect(wait).not.toHaveBeenCalled()
})

async function givenUp() {
  const bench = threadBench({ threadId: 't' })
  bench.thread.follow()
  await settled()
  for (let attempt = 0; attempt <= 10; attempt++) {
    bench.pump.body.end()
    await settled()
    await bench.timing.advance(10_000)
  }
  expect(bench.thread.getSnapshot().connection.phase).toBe('closed')
  return bench
}

test.each(['retry', 'the network’s return'])('%s opens a connection that was given up', async (how) => {
  const { thread, pump, timing } = await givenUp()
  const opened = pump.bodies.length
  if (how === 'retry') thread.retry()
  else timing.wake()
  await settled()
  expect(pump.bodies).toHaveLength(opened + 1)
  expect(thread.getSnapshot()).toMatchObject({ error: undefined, connection: { phase: 'connecting' } })
  timing.wake()
  await settled()
  expect(pump.bodies).toHaveLength(opened + 1)
})

test('a failed run is run once more with the same input', async () => {
  const { thread, pump, run, events, upTo } = await asked()
  const end = stamped([{ type: 'run.end', run: run.id, status: 'error' }], upTo('message') + 1)
  pump.body.send(eventsFrame(...events.slice(0, upTo('message')), ...end))
  await run.result
  const again = thread.retry()
  await settled()
  expect(again?.id).not.toBe(run.id)
  expect(pump.body.request.start).toMatchObject({
    run: again?.id,
    input: { messages: [{ ...question, role: 'user' }] },
  })
  expect(contents(thread)).toEqual(['hi'])
})

test('a failed run that wrote a checkpoint goes on from there', async () => {
  const { thread, pump, run, events, upTo } = await asked()
  const end = stamped([{ type: 'run.end', run: run.id, status: 'error', checkpoint: 'c1' }], upTo('message') + 1)
  pump.body.send(eventsFrame(...events.slice(0, upTo('message')), ...end))
  await run.result
  const again = thread.retry()
  await settled()
  expect(pump.body.request.start).toMatchObject({ run: again?.id, input: undefined })
})

test('there is nothing to retry while all is well', async () => {
  const { thread, pump, events } = await asked()
  pump.body.send(eventsFrame(...events))
  await settled()
  expect(thread.retry()).toBeUndefined()
  await settled()
  expect(pump.bodies).toHaveLength(1)
})

// Following.

test('a thread that is followed is read and kept open', async () => {
  const { thread, pump, client } = threadBench({ threadId: 't' })
  const unfollow = thread.follow()
  await settled()
  expect(pump.body).toMatchObject({ after: undefined, request: { thread: 't' } })
  expect(thread.getSnapshot().status).toBe('loading')
  pump.body.send(snapshotFrame(stamped(chatRun('other', question, ['from another tab']))))
  await settled()
  expect(thread.getSnapshot().status).toBe('idle')
  expect(contents(thread)).toEqual(['hi', 'from another tab'])
  unfollow()
  await settled()
  expect(pump.body.signal.aborted).toBe(true)
  expect(client.thread({ graph: 'agent' }).getSnapshot().connection.phase).toBe('idle')
  expect(thread.getSnapshot().connection.phase).toBe('idle')
})

test('following twice, or leaving and coming back at once, opens one connection', async () => {
  const { thread, pump } = threadBench({ threadId: 't' })
  const first = thread.follow()
  first()
  first()
  const second = thread.follow()
  thread.follow()
  await settled()
  expect(pump.bodies).toHaveLength(1)
  second()
  await settled()
  expect(pump.body.signal.aborted).toBe(false)
})

test('a run that is submitted takes the place of the reading, which comes back after it', async () => {
  const { thread, pump } = threadBench({ threadId: 't' })
  thread.follow()
  await settled()
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(sync('live')))
  await settled()
  const run = thread.submit({ messages: { ...question, role: 'user' } })
  await settled()
  expect(pump.bodies.map(({ signal }) => signal.aborted)).toEqual([true, false])
  const events = stamped(chatRun(run.id, question, ['Hello']))
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events))
  await run.result
  await settled()
  expect(pump.bodies).toHaveLength(3)
  expect(pump.body.after).toBe(`${LOG}.${events.length}`)
  expect(pump.body.request).toEqual({ thread: 't' })
})

test('a run that another client started is seen by whoever follows', async () => {
  const onFinish = vi.fn<(result: unknown, run: string) => void>()
  const { thread, pump } = threadBench({ threadId: 't', onFinish })
  thread.follow()
  await settled()
  const events = stamped(chatRun('other', question, ['Hello']))
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, 6)))
  await settled()
  expect(thread.getSnapshot().status).toBe('streaming')
  pump.body.send(eventsFrame(...events.slice(6)))
  await settled()
  expect(thread.getSnapshot().status).toBe('idle')
  expect(onFinish).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ status: 'done' }), 'other')
})

test('when everybody has left, the run goes on and whoever waits for it is told', async () => {
  const { thread, pump, events, upTo, run } = await asked({ threadId: 't' })
  const unfollow = thread.follow()
  pump.body.send(eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  unfollow()
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'CANCELLED' } })
  await settled()
  expect(pump.body.signal.aborted).toBe(true)
})

test('a message is still sent when everybody leaves before it was', async () => {
  const { thread, pump } = threadBench({ threadId: 't' })
  const unfollow = thread.follow()
  await settled()
  const run = thread.submit({ messages: { ...question, role: 'user' } })
  unfollow()
  await settled()
  expect(pump.body.request.start).toBeDefined()
  expect(pump.body.signal.aborted).toBe(false)
  pump.body.send(eventsFrame(...stamped(chatRun(run.id, question, ['bye']).slice(0, 3))))
  await settled()
  expect(pump.body.signal.aborted).toBe(true)
})

// Several runs.

test('a second run waits until the first has begun, and its refusal leaves the first alone', async () => {
  const { thread, pump, run, events, upTo } = await asked()
  const second = thread.submit({ messages: { id: 'u2', role: 'user', content: 'wait' } })
  await settled()
  expect(pump.bodies).toHaveLength(1)
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  expect(pump.bodies).toHaveLength(2)
  expect(pump.body.request.start?.run).toBe(second.id)
  pump.body.fail(new RivuletError('RUN_CONFLICT', 'the thread is busy'))
  expect(await second.result).toMatchObject({ status: 'error' })
  await settled()
  expect(pump.body).toMatchObject({ request: { until: run.id }, after: `${LOG}.${upTo('message.start')}` })
  expect(thread.getSnapshot()).toMatchObject({ status: 'streaming', isLoading: true, error: { code: 'RUN_CONFLICT' } })
  pump.body.send(eventsFrame(sync('replay', 0), ...events.slice(upTo('message.start'))))
  expect(await run.result).toMatchObject({ status: 'done' })
})

test('too many runs at once are refused', async () => {
  const { thread } = threadBench()
  const runs = Array.from({ length: 33 }, () => thread.submit())
  expect(await runs.at(-1)!.result).toMatchObject({ status: 'error', error: { code: 'LIMIT_EXCEEDED' } })
})

// Stopping.

test('stop cancels the run on the server and keeps the partial answer', async () => {
  const cancel = vi.fn<(thread: string, run: string) => Promise<void>>(() => Promise.resolve())
  const { thread, pump, run, events, upTo } = await asked({ threadId: 't' }, { cancel })
  const before = upTo('message.end') - 2
  pump.body.send(eventsFrame(...events.slice(0, before)))
  await settled()
  let isStopped = false
  const stopped = thread.stop().then(() => (isStopped = true))
  await settled()
  expect(cancel.mock.calls.map(([threadId, id]) => [threadId, id])).toEqual([['t', run.id]])
  expect(isStopped).toBe(false)
  pump.body.send(eventsFrame(...stamped([{ type: 'run.end', run: run.id, status: 'cancelled' }], before + 1)))
  await stopped
  expect(thread.getSnapshot().messages.at(-1)).toMatchObject({ content: 'Hel', status: 'cut' })
  expect(await run.result).toMatchObject({ status: 'cancelled', error: undefined })
  expect(thread.getSnapshot()).toMatchObject({ status: 'idle', error: undefined })
})

test('a run that was not sent yet is stopped without asking anybody', async () => {
  const cancel = vi.fn<() => Promise<void>>(() => Promise.resolve())
  const { thread, pump } = threadBench({}, { cancel })
  const run = thread.submit({ messages: 'hi' })
  await run.stop()
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  await settled()
  expect(pump.bodies).toEqual([])
  expect(cancel).not.toHaveBeenCalled()
  expect(thread.getSnapshot()).toMatchObject({ status: 'idle', messages: [{ delivery: 'failed' }] })
})

test('a stop waits for the start that is under way, so that it finds the run', async () => {
  const cancel = vi.fn<() => Promise<void>>(() => Promise.resolve())
  const { thread, pump, run, events, upTo } = await asked({}, { cancel })
  const stopped = thread.stop()
  await settled()
  expect(cancel).not.toHaveBeenCalled()
  pump.body.send(eventsFrame(...events.slice(0, upTo('run.start'))))
  await settled()
  expect(cancel).toHaveBeenCalledOnce()
  pump.body.send(eventsFrame(...stamped([{ type: 'run.end', run: run.id, status: 'cancelled' }], 2)))
  await stopped
})

test('a run whose start was lost on the way is stopped as one that never was', async () => {
  const cancel = () => Promise.reject(new RivuletError('NOT_FOUND', 'no such run'))
  const { thread, pump, run, timing } = await asked({}, { cancel })
  pump.body.fail(new RivuletError('DISCONNECTED', 'lost', { retryable: true }))
  await settled()
  await thread.stop()
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  await timing.advance(60_000)
  expect(pump.bodies).toHaveLength(1)
})

test('a cancel that fails is told and ends nothing', async () => {
  const onError = vi.fn<(error: RivuletError) => void>()
  const cancel = () => Promise.reject(new RivuletError('FORBIDDEN', 'not yours'))
  const { thread, pump, events, upTo } = await asked({ onError }, { cancel })
  pump.body.send(eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  await thread.stop()
  expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'FORBIDDEN' }))
  expect(thread.getSnapshot()).toMatchObject({ status: 'streaming', error: { code: 'FORBIDDEN' } })
})

test('where nothing can be cancelled, to stop means to stop reading', async () => {
  const { thread, pump, run, events, upTo } = await asked({ threadId: 't' })
  pump.body.send(eventsFrame(sync('replay')), eventsFrame(...events.slice(0, upTo('message.end') - 1)))
  await settled()
  await thread.stop()
  expect(pump.body.signal.aborted).toBe(true)
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  expect(thread.getSnapshot().messages.at(-1)).toMatchObject({ content: 'Hello', status: 'cut' })
  thread.follow()
  await settled()
  expect(pump.body.after).toBeUndefined()
})

test('stop without a run does nothing', async () => {
  const { thread, run, pump, events } = await asked()
  pump.body.send(eventsFrame(...events))
  await run.result
  await thread.stop()
  await run.stop()
  expect(thread.getSnapshot().status).toBe('idle')
})

test('a run of another client can be stopped', async () => {
  const cancel = vi.fn<(thread: string, run: string) => Promise<void>>(() => Promise.resolve())
  const { thread, pump } = threadBench({ threadId: 't' }, { cancel })
  thread.follow()
  await settled()
  pump.body.send(
    eventsFrame(sync('replay')),
    eventsFrame(...stamped(chatRun('other', question, ['Hello']).slice(0, 6))),
  )
  await settled()
  const stopped = thread.stop()
  await settled()
  expect(cancel.mock.calls[0]?.[1]).toBe('other')
  pump.body.send(eventsFrame(...stamped([{ type: 'run.end', run: 'other', status: 'cancelled' }], 7)))
  await stopped
})

test.each(['before', 'after'])('a signal that aborts %s the submit stops the run', async (when) => {
  const cancel = vi.fn<() => Promise<void>>(() => Promise.resolve())
  const { thread, pump } = threadBench({}, { cancel })
  const controller = new AbortController()
  if (when === 'before') controller.abort()
  const run = thread.submit({ messages: 'hi' }, { signal: controller.signal })
  controller.abort()
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  await settled()
  expect(pump.bodies).toEqual([])
})

// Callbacks and the end.

test('a callback that throws is reported and the stream goes on', async () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {})
  const fail = (): never => {
    throw new Error('oops')
  }
  const { thread, pump, run, events } = await asked({ onEvent: fail, onFinish: fail, onThreadId: fail })
  thread.listen(fail)
  thread.subscribe(fail)
  pump.body.send(eventsFrame(...events))
  expect(await run.result).toMatchObject({ status: 'done' })
  expect(contents(thread)).toEqual(['hi', 'Hello'])
  expect(report.mock.calls.length).toBeGreaterThan(events.length)
})

test('a callback whose promise rejects is reported', async () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {})
  const onFinish = (): unknown => Promise.reject(new Error('later'))
  const { pump, run, events } = await asked({ onFinish })
  pump.body.send(eventsFrame(...events))
  await run.result
  await settled()
  expect(report).toHaveBeenCalledOnce()
})

test('listeners get every event, also of types nobody knows', async () => {
  const { thread, pump, events } = await asked()
  const seen: string[] = []
  const leave = thread.listen((event) => seen.push(event.type))
  // A type from a newer version of the protocol.
  const unknown = { type: 'hologram', run: 'r', seq: 2 } as unknown as RivuletEvent
  pump.body.send(eventsFrame(events[0]!, unknown))
  await settled()
  leave()
  pump.body.send(eventsFrame(...stamped([{ type: 'custom', run: 'r', data: 1 }], 3)))
  await settled()
  expect(seen).toEqual(['run.start', 'hologram'])
})

test('the client tells of every run’s beginning and end', async () => {
  const { client, pump, run, events, upTo } = await asked({ threadId: 't' })
  const seen: string[] = []
  const leave = client.onRun((threadId, { id, status }) => seen.push(`${threadId} ${id === run.id} ${status}`))
  pump.body.send(eventsFrame(...events.slice(0, upTo('message.start'))), eventsFrame(...events))
  await run.result
  leave()
  expect(seen).toEqual(['t true running', 't true done'])
})

test('a thread that is closed ends its connection and tells whoever waits', async () => {
  const { thread, pump, run, timing, events, upTo } = await asked()
  pump.body.send(eventsFrame(...events.slice(0, upTo('message.start'))))
  await settled()
  thread.dispose()
  expect(await run.result).toMatchObject({ status: 'error', error: { code: 'CANCELLED' } })
  await settled()
  expect(pump.body.signal.aborted).toBe(true)
  expect(timing.delays).toEqual([])
  expect(await thread.submit({ messages: 'more' }).result).toMatchObject({
    status: 'error',
    error: { code: 'CANCELLED' },
  })
  thread.follow()
  await settled()
  expect(pump.bodies).toHaveLength(1)
})
