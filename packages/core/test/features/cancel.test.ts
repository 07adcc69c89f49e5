import { emptyState, foldAll, messagesOf, valuesOf, type RunEvent } from '@rivulet/protocol'
import { describe, expect, test, vi } from 'vitest'
import {
  fromAsyncIterable,
  MemoryCheckpointer,
  messages,
  reduced,
  START,
  state,
  StateGraph,
  type NodeContext,
} from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })
const never = () => new Promise<never>(() => {})

/** Two nodes in a row; `first` is what the first one does. */
function line(first: (ctx: NodeContext) => unknown, ran: string[] = []) {
  return new StateGraph(schema())
    .addNode('first', ((_s: unknown, ctx: NodeContext) => {
      ran.push('first')
      return first(ctx)
    }) as () => undefined)
    .addNode('second', () => void ran.push('second'))
    .addEdge(START, 'first')
    .addEdge('first', 'second')
    .compile({ checkpointer: new MemoryCheckpointer() })
}

/** A model that says the words one by one, each when its gate opens. */
function speaking(...words: string[]) {
  const gates = words.map(() => gate())
  const seen: AbortSignal[] = []
  const model = fromAsyncIterable(async function* (_messages, { signal }) {
    if (signal !== undefined) seen.push(signal)
    for (const [i, word] of words.entries()) {
      await gates[i]!.opened
      yield word
    }
  })
  return { model, gates, seen }
}

describe('a signal that had fired before the start', () => {
  test('ends the run before anything of it happens', async () => {
    const ran: string[] = []
    const graph = line(() => {}, ran)
    const signal = AbortSignal.abort(new Error('changed my mind'))
    const events = await all(graph.events({ log: ['in'] }, { signal, threadId: 't' }))
    expect(events.map(({ type }) => type)).toEqual(['run.start', 'run.end'])
    expect(events.at(-1)).toMatchObject({ status: 'cancelled' })
    expect(ran).toEqual([])
    expect(await graph.getState('t')).toBeUndefined()
  })

  test('is CANCELLED for invoke and stream, with the reason as its cause', async () => {
    const reason = new Error('changed my mind')
    const options = { signal: AbortSignal.abort(reason) }
    const expected = { code: 'CANCELLED', cause: reason }
    expect(await rejection(line(() => {}).invoke({}, options))).toMatchObject(expected)
    expect(await allAndError(line(() => {}).stream({}, options))).toMatchObject({ items: [], error: expected })
  })
})

describe('a signal that fires in the middle of a node', () => {
  test('fires the signal of the node at once, starts nothing more, and tells the end once', async () => {
    const ran: string[] = []
    const stop = new AbortController()
    const reasons: unknown[] = []
    const graph = line((ctx) => {
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      return never()
    }, ran)
    const reading = allAndError(graph.events({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect(reasons).toMatchObject([{ code: 'CANCELLED' }])
    const { items } = await reading
    expect(ofType(items, 'task.end').map(({ outcome }) => outcome)).toEqual(['aborted'])
    expect(ofType(items, 'run.end')).toMatchObject([{ status: 'cancelled' }])
    expect(items.at(-1)?.type).toBe('run.end')
    expect(ran).toEqual(['first'])
  })

  test('stops nodes of graphs below, and does not start the next one there', async () => {
    const ran: string[] = []
    const stop = new AbortController()
    const child = new StateGraph(schema())
      .addNode(
        'inner',
        (_s, ctx) => new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve())),
      )
      .addNode('next', () => void ran.push('next'))
      .addEdge(START, 'inner')
      .addEdge('inner', 'next')
      .compile()
    const graph = new StateGraph(schema()).addNode('child', child).addEdge(START, 'child').compile()
    const ended = rejection(graph.invoke({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect(await ended).toMatchObject({ code: 'CANCELLED' })
    await settle()
    expect(ran).toEqual([])
  })

  test('fired by a node itself keeps the others of its step from starting', async () => {
    const ran: string[] = []
    const stop = new AbortController()
    const graph = new StateGraph(schema())
      .addNode('a', () => {
        ran.push('a')
        stop.abort()
      })
      .addNode('b', () => void ran.push('b'))
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .compile()
    expect(await rejection(graph.invoke({}, { signal: stop.signal }))).toMatchObject({ code: 'CANCELLED' })
    expect(ran).toEqual(['a'])
  })

  test('does not wait for a node that ignores it, and nothing that node does later is told', async () => {
    const stop = new AbortController()
    const opened = gate()
    const refused: unknown[] = []
    const graph = line(async (ctx) => {
      await opened.opened
      for (const act of [
        () => ctx.writer('late'),
        () => ctx.progress(1),
        () => ctx.pushMessage('late'),
        () => ctx.interrupt('late?'),
      ]) {
        try {
          act()
        } catch (error) {
          refused.push((error as { code: string }).code)
        }
      }
      await ctx
        .run(
          line(() => {}),
          {},
        )
        .catch((error: { code: string }) => refused.push(error.code))
      return { log: ['late'] }
    })
    const stream = graph.events({}, { signal: stop.signal, threadId: 't' })
    const reading = all(stream)
    await settle()
    stop.abort()
    const events = await reading
    opened.open()
    await settle()
    expect(events.at(-1)?.type).toBe('run.end')
    expect(await stream.next()).toEqual({ value: undefined, done: true })
    expect(refused).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED', 'CANCELLED', 'CANCELLED'])
    expect((await graph.getState('t'))?.values['log']).toEqual([])
  })

  test('after the last node has ended changes nothing', async () => {
    const stop = new AbortController()
    const answer = await line(() => ({ log: ['a'] })).invoke({}, { signal: stop.signal })
    stop.abort()
    expect(answer.log).toEqual(['a'])
  })

  const hanging = { '~standard': { version: 1, vendor: 'test', validate: never } } as const
  const open = () => new StateGraph(schema()).addNode('a', () => {})
  test.each([
    ['a router of the entry', open().addConditionalEdges(START, never).compile(), {}],
    ['a router', open().addEdge(START, 'a').addConditionalEdges('a', never).compile(), {}],
    [
      'a schema',
      new StateGraph(state({ word: hanging }))
        .addNode('a', () => {})
        .addEdge(START, 'a')
        .compile(),
      { word: 'x' },
    ],
  ])('ends %s although it hangs', async (_what, graph, input) => {
    const stop = new AbortController()
    const reading = all(graph.events(input, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect(ofType(await reading, 'run.end')).toMatchObject([{ status: 'cancelled' }])
  })
})

describe('a run stopped in the middle of an answer', () => {
  const talking = () => {
    const { model, gates, seen } = speaking('Hel', 'lo', ' there')
    const graph = new StateGraph(schema())
      .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx }) }))
      .addNode('side', () => ({ log: ['side'] }))
      .addEdge(START, 'talk')
      .addEdge(START, 'side')
      .compile({ checkpointer: new MemoryCheckpointer() })
    return { graph, gates, seen }
  }

  const stopped = async () => {
    const { graph, gates, seen } = talking()
    const stop = new AbortController()
    const input = { messages: [{ id: 'q', role: 'user', content: 'hi' }] } as const
    const events: RunEvent[] = []
    const reading = (async () => {
      for await (const event of graph.events(input, { threadId: 't', signal: stop.signal })) events.push(event)
    })()
    gates[0]!.open()
    gates[1]!.open()
    await settle()
    stop.abort()
    await reading
    gates[2]!.open()
    await settle()
    return { graph, events, seen }
  }

  test('fires the signal that the model was given', async () => {
    const { seen } = await stopped()
    expect(seen.map(({ aborted }) => aborted)).toEqual([true])
  })

  test('keeps what was said in the state, cut, and tells that before the end', async () => {
    const { graph, events } = await stopped()
    const { values } = (await graph.getState('t'))!
    expect(values['messages']).toMatchObject([{ id: 'q' }, { role: 'assistant', content: 'Hello', status: 'cut' }])
    expect(events.slice(-3).map(({ type }) => type)).toEqual(['message', 'values', 'run.end'])
    expect(events.at(-1)).toMatchObject({ status: 'cancelled', checkpoint: (await graph.getState('t'))?.checkpointId })
  })

  test('keeps what the siblings wrote too', async () => {
    const { graph } = await stopped()
    expect((await graph.getState('t'))?.values['log']).toEqual(['side'])
  })

  test('leaves one message on the page, cut, equal to the state', async () => {
    const { graph, events } = await stopped()
    const folded = foldAll(
      emptyState(),
      events.map((event, i) => ({ ...event, seq: i + 1 })),
    )
    const page = messagesOf(folded).map(({ content, status }) => [content, status])
    expect(page).toEqual([
      ['hi', 'done'],
      ['Hello', 'cut'],
    ])
    const ids = (values: object) => (values as { messages: { id: string }[] }).messages.map(({ id }) => id)
    expect(ids(valuesOf(folded))).toEqual(ids((await graph.getState('t'))!.values))
  })

  test('leaves the thread usable at once', async () => {
    const { graph } = await stopped()
    const input = { messages: [{ id: 'q2', role: 'user', content: 'again' }] } as const
    const { messages: list } = await graph.invoke(input, { threadId: 't' })
    expect(list.map(({ content, status }) => [content, status])).toEqual([
      ['hi', undefined],
      ['Hello', 'cut'],
      ['again', undefined],
      ['Hello there', undefined],
    ])
  })

  test('keeps nothing of an answer that had not begun', async () => {
    const { graph, gates } = talking()
    const stop = new AbortController()
    const reading = all(graph.events({ messages: [] }, { threadId: 't', signal: stop.signal }))
    await settle()
    stop.abort()
    const events = await reading
    gates[0]!.open()
    expect(events.filter(({ type }) => type.startsWith('message'))).toEqual([])
    expect((await graph.getState('t'))?.values['messages']).toEqual([])
  })

  test('keeps no tool call that was cut off, and nothing of a call tagged nostream', async () => {
    const opened = gate()
    const model = fromAsyncIterable(async function* () {
      yield { content: 'let me look', toolCallChunks: [{ index: 0, id: 'c', name: 'look', args: '{"wh' }] }
      await opened.opened
    })
    const graph = (tags: string[]) =>
      new StateGraph(schema())
        .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx, tags }) }))
        .addEdge(START, 'talk')
        .compile({ checkpointer: new MemoryCheckpointer() })
    const kept = []
    for (const tags of [[], ['nostream']]) {
      const stop = new AbortController()
      const one = graph(tags)
      const ended = rejection(one.invoke({ messages: [] }, { threadId: 't', signal: stop.signal }))
      await settle()
      stop.abort()
      await ended
      kept.push((await one.getState('t'))?.values['messages'])
    }
    opened.open()
    expect(kept).toEqual([[{ id: expect.any(String), role: 'assistant', content: 'let me look', status: 'cut' }], []])
  })
})

describe('leaving the loop', () => {
  const endless = (ran: string[]) =>
    line(async (ctx) => {
      ctx.writer(1)
      ctx.writer(2)
      await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
      ran.push('aborted')
    }, ran)

  test('by break stops the run: nothing more starts, and the stream is over', async () => {
    const ran: string[] = []
    const stream = endless(ran).stream({}, { streamMode: 'custom' })
    for await (const chunk of stream) {
      expect(chunk).toBe(1)
      break
    }
    expect(ran).toEqual(['first', 'aborted'])
    expect(await stream.next()).toEqual({ value: undefined, done: true })
  })

  test('by an error of the reader stops the run, and the error stays what it is', async () => {
    const ran: string[] = []
    const failure = new Error('reader')
    const reading = (async () => {
      for await (const _ of endless(ran).stream({}, { streamMode: 'custom' })) throw failure
    })()
    expect(await rejection(reading)).toBe(failure)
    expect(ran).toEqual(['first', 'aborted'])
  })

  test('by return() while a next() waits ends both', async () => {
    const ran: string[] = []
    const stream = line(never, ran).stream({}, { streamMode: 'custom' })
    const waiting = stream.next()
    await settle()
    expect(await stream.return?.()).toEqual({ value: undefined, done: true })
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(ran).toEqual(['first'])
  })

  test('before the first next() starts nothing', async () => {
    const ran: string[] = []
    const stream = line(() => {}, ran).stream({})
    await stream.return?.()
    expect(await stream.next()).toEqual({ value: undefined, done: true })
    expect(ran).toEqual([])
  })

  test('twice, or after the end, does nothing', async () => {
    const stream = line(() => {}).stream({})
    await all(stream)
    expect(await stream.return?.()).toEqual({ value: undefined, done: true })
    expect(await stream.return?.()).toEqual({ value: undefined, done: true })
  })

  test('does not wait for a node that ignores its signal', async () => {
    const stream = line((ctx) => {
      ctx.writer('x')
      return never()
    }).stream({}, { streamMode: 'custom' })
    for await (const _ of stream) break
    expect(await stream.next()).toEqual({ value: undefined, done: true })
  })

  test('while the run waits for its reader frees it', async () => {
    const ran: string[] = []
    const graph = line((ctx) => {
      for (let i = 0; i < 2000; i++) ctx.writer(i)
    }, ran)
    for await (const _ of graph.stream({}, { streamMode: 'custom' })) break
    await settle()
    expect(ran).toEqual(['first'])
  })
})

test('a signal that outlives many runs keeps no listener of them', async () => {
  const { signal } = new AbortController()
  const listening = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  type Listening = Parameters<AbortSignal['addEventListener']>
  vi.spyOn(signal, 'addEventListener').mockImplementation((...args: Listening) => {
    listening.add(args[1])
    add(...args)
  })
  vi.spyOn(signal, 'removeEventListener').mockImplementation((...args: Listening) => {
    listening.delete(args[1])
    remove(...args)
  })
  let most = 0
  const graph = line((ctx) => {
    void ctx.signal
    most = Math.max(most, listening.size)
  })
  for (let i = 0; i < 20; i++) {
    await graph.invoke({}, { signal })
    await all(graph.stream({}, { signal }))
    for await (const _ of graph.events({}, { signal })) break
  }
  expect(most).toBeGreaterThan(0)
  expect([...listening]).toEqual([])
})
