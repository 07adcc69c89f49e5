import type { RunEvent, StreamableGraph } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { createClient, inProcess, type ThreadStore } from '@rivulet/client'
import { END, messages, START, state, StateGraph, value } from '@rivulet/core'
import { overEveryTransport, type Deliver } from './deliveries.ts'
import { haltingGraph } from './halting.ts'

/** A thread whose answers wait for the test in their middle. */
function bench(deliver: Deliver) {
  const { graph, goOn } = haltingGraph()
  const { transport, opened } = deliver(graph)
  const thread = createClient({ transport }).thread({ graph: 'g', threadId: 't' })
  thread.follow()
  return {
    thread,
    /** Runs that were sent to the backend. */
    started: () => opened.flatMap(({ start }) => start?.run ?? []),
    goOn,
    isHalf: (question: string) => until(thread, () => texts(thread).includes(`half of ${question}`)),
  }
}

function texts({ getSnapshot }: ThreadStore): readonly string[] {
  return getSnapshot().messages.map(({ content }) => content)
}

function until(thread: ThreadStore, isReached: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (!isReached()) return
      stop()
      resolve()
    }
    const stop = thread.subscribe(check)
    check()
  })
}

/** A thread whose graph asks before it answers. */
function asking(deliver: Deliver) {
  const graph = new StateGraph(state({ messages: messages(), isSure: value<boolean>() }))
    .addNode('ask', (_now, ctx) => ({ isSure: ctx.interrupt('sure?') === true }))
    .addEdge(START, 'ask')
    .addEdge('ask', END)
    .compile()
  return createClient({ transport: deliver(graph).transport })
}

overEveryTransport((deliver) => {
  test('a second run is refused while the first is under way', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const first = thread.submit({ messages: 'one' })
    await isHalf('one')
    const { status, error } = await thread.submit({ messages: 'two' }).result
    expect([status, error?.code, error?.run]).toEqual(['error', 'RUN_CONFLICT', first.id])
    goOn()
    expect((await first.result).status).toBe('done')
  })

  test('runs in the queue follow one another in order, and what they bring is shown at once', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const runs = [thread.submit({ messages: 'one' })]
    await isHalf('one')
    for (const question of ['two', 'three']) runs.push(thread.submit({ messages: question }, { multitask: 'enqueue' }))
    expect(thread.getSnapshot().queue.map(({ run, messages: [message] }) => [run, message?.content])).toEqual([
      [runs[1]!.id, 'two'],
      [runs[2]!.id, 'three'],
    ])
    expect(thread.getSnapshot().status).toBe('streaming')
    expect(texts(thread)).toEqual(['one', 'half of one', 'two', 'three'])
    for (const question of ['one', 'two', 'three']) {
      await isHalf(question)
      goOn()
    }
    expect((await Promise.all(runs.map(({ result }) => result))).map(({ status }) => status)).toEqual(
      Array(3).fill('done'),
    )
    expect(texts(thread)).toEqual(
      ['one', 'two', 'three'].flatMap((question) => [question, `half of ${question}, and the rest`]),
    )
    expect(thread.getSnapshot().queue).toEqual([])
  })

  test('the queue is the backend’s: what waits is sent without waiting', async () => {
    const { thread, started, goOn, isHalf } = bench(deliver)
    const runs = [thread.submit({ messages: 'one' })]
    await isHalf('one')
    for (const question of ['two', 'three']) runs.push(thread.submit({ messages: question }, { multitask: 'enqueue' }))
    await until(thread, () => started().length === 3)
    expect(thread.getSnapshot().queue).toHaveLength(2)
    for (const question of ['one', 'two', 'three']) {
      await isHalf(question)
      goOn()
    }
    for (const { result } of runs) expect((await result).status).toBe('done')
    expect(started()).toEqual(runs.map(({ id }) => id))
  })

  test('a run that waits can be taken out of the queue, its message with it', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const first = thread.submit({ messages: 'one' })
    await isHalf('one')
    const second = thread.submit({ messages: 'two' }, { multitask: 'enqueue' })
    const third = thread.submit({ messages: 'three' }, { multitask: 'enqueue' })
    await Promise.all([thread.stop(second.id), thread.stop(third.id)])
    expect(texts(thread)).toEqual(['one', 'half of one'])
    expect([(await second.result).status, (await third.result).status]).toEqual(['cancelled', 'cancelled'])
    goOn()
    await first.result
    await until(thread, () => thread.getSnapshot().status === 'idle')
    expect(texts(thread)).toEqual(['one', 'half of one, and the rest'])
  })

  test('stop ends the run that a person sees, and the next in the queue begins', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const first = thread.submit({ messages: 'one' })
    await isHalf('one')
    const second = thread.submit({ messages: 'two' }, { multitask: 'enqueue' })
    await thread.stop()
    expect((await first.result).status).toBe('cancelled')
    await isHalf('two')
    goOn()
    expect((await second.result).status).toBe('done')
  })

  test('a run may take the place of the one under way, which keeps what it said', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const first = thread.submit({ messages: 'one' })
    await isHalf('one')
    const second = thread.submit({ messages: 'two' }, { multitask: 'interrupt' })
    expect((await first.result).status).toBe('cancelled')
    await isHalf('two')
    goOn()
    expect((await second.result).status).toBe('done')
    expect(texts(thread)).toEqual(['one', 'half of one', 'two', 'half of two, and the rest'])
  })

  test('a run may undo the one under way', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const zeroth = thread.submit({ messages: 'zero' })
    goOn()
    await zeroth.result
    const first = thread.submit({ messages: 'one' })
    await isHalf('one')
    const second = thread.submit({ messages: 'two' }, { multitask: 'rollback' })
    expect((await first.result).status).toBe('cancelled')
    await isHalf('two')
    goOn()
    expect((await second.result).status).toBe('done')
    expect(texts(thread)).toEqual(['zero', 'half of zero, and the rest', 'two', 'half of two, and the rest'])
  })

  test('the very first run of a thread can be undone too', async () => {
    const { thread, goOn, isHalf } = bench(deliver)
    const first = thread.submit({ messages: 'one' })
    await isHalf('one')
    const second = thread.submit({ messages: 'two' }, { multitask: 'rollback' })
    await first.result
    await isHalf('two')
    goOn()
    await second.result
    expect(texts(thread)).toEqual(['two', 'half of two, and the rest'])
  })

  test('a plain message on a thread that waits for an answer is refused with what can be done', async () => {
    const client = asking(deliver)
    const thread = client.thread({ graph: 'g', threadId: 't' })
    thread.follow()
    expect((await thread.submit({ messages: 'one' }).result).status).toBe('interrupted')
    const { error } = await thread.submit({ messages: 'two' }).result
    expect(error).toMatchObject({
      code: 'RUN_CONFLICT',
      message: expect.stringMatching(/waits for an answer: .*resume.*discard/),
    })
    expect(texts(thread)).toEqual(['one'])
    // A page that has not read the thread yet is told by the backend.
    const other = client.thread({ graph: 'g', threadId: 't' })
    expect((await other.submit({ messages: 'two' }).result).error?.code).toBe('RUN_CONFLICT')
    const answered = await thread.submit(undefined, { resume: true }).result
    expect(answered).toMatchObject({ status: 'done', values: { isSure: true } })
  })

  test('a question is given up when the new message says so', async () => {
    const thread = asking(deliver).thread({ graph: 'g', threadId: 't' })
    thread.follow()
    await thread.submit({ messages: 'one' }).result
    const [question] = thread.getSnapshot().interrupts
    const { status, interrupts } = await thread.submit({ messages: 'two' }, { onInterrupted: 'discard' }).result
    expect(status).toBe('interrupted')
    expect(interrupts).toHaveLength(1)
    expect(interrupts[0]!.id).not.toBe(question!.id)
  })
})

test('more than 32 runs do not wait', async () => {
  const never: StreamableGraph = {
    async *events(_input, { runId, signal } = {}): AsyncGenerator<RunEvent> {
      yield { type: 'run.start', run: runId!, protocol: 1 }
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    },
  }
  const client = createClient({ transport: inProcess(never) })
  const started = Array.from({ length: 40 }, () =>
    client.thread({ graph: 'g', threadId: 't' }).submit({}, { multitask: 'enqueue' }),
  )
  const refused = await Promise.race(started.map(({ result }) => result))
  expect(refused.error?.code).toBe('LIMIT_EXCEEDED')
  await client.threads.delete('t')
})
