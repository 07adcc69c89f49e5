import {
  emptyState,
  foldAll,
  memoryLog,
  messagesOf,
  readLog,
  recordRun,
  serializeState,
  type RivuletEvent,
  type RunEvent,
} from '@rivulet/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  type ChatModel,
  type ChatOptions,
  type NodeContext,
} from '../../src/index.ts'
import { settle } from '../gate.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const nodeOf = (run: (ctx: NodeContext) => Promise<unknown>, tags: readonly string[] = []) =>
  new StateGraph(state({ messages: messages() }))
    .addNode('talk', async (_s, ctx) => ({ messages: [(await run(ctx)) as string] }), { tags })
    .addEdge(START, 'talk')
    .compile()

/** Calls the model until it answers, as a retry does. */
const until = async (model: ChatModel, options: ChatOptions) => {
  for (;;) {
    try {
      return await model.invoke('hi', options)
    } catch {
      continue
    }
  }
}

const folded = (events: readonly RunEvent[]) =>
  foldAll(
    emptyState(),
    events.map((event, i) => ({ ...event, seq: i + 1 })),
  )

const shape = (events: readonly RunEvent[]) =>
  events.flatMap((event) => {
    if (event.type === 'message.start') return [`start ${event.id}`]
    if (event.type === 'message.delta') return [event.text]
    if (event.type === 'message.end') return [`end ${event.id}`]
    return event.type === 'message.remove' ? [`remove ${event.id}`] : []
  })

describe('a call that fails half way', () => {
  const turns = [{ id: 'p1', text: 'a b c', failAfter: 2 }, { id: 'p1', text: 'd e', failAfter: 1 }, 'whole']

  test('and is withdrawn leaves no token, and the next has an id that was never used', async () => {
    const graph = nodeOf((ctx) => until(scriptedModel(turns), { ctx, withdrawOn: () => true }))
    const events = await all(graph.events({}))
    const [first, second, third] = ofType(events, 'message.start').map(({ id }) => id)
    expect(new Set([first, second, third]).size).toBe(3)
    expect(shape(events)).toEqual([
      'start p1',
      'a',
      ' b',
      'remove p1',
      `start ${second}`,
      'd',
      `remove ${second}`,
      `start ${third}`,
      'whole',
      `end ${third}`,
    ])
    expect(messagesOf(folded(events)).map(({ id, content, status }) => [id, content, status])).toEqual([
      [third, 'whole', 'done'],
    ])
    expect(folded(events).live.size).toBe(0)
  })

  test('and is withdrawn in a graph below, leaves nothing there either', async () => {
    const inner = nodeOf((ctx) => until(scriptedModel(turns), { ctx, withdrawOn: () => true }))
    const outer = new StateGraph(state({ messages: messages() }))
      .addNode('below', inner)
      .addEdge(START, 'below')
      .compile()
    const events = await all(outer.events({}))
    expect(messagesOf(folded(events)).map(({ content }) => content)).toEqual(['whole'])
    expect([...folded(events).settled.values()].map(({ message }) => message.content)).toEqual(['whole'])
  })

  test('stays as it was, cut, unless another takes its place', async () => {
    const said: unknown[] = []
    const withdrawOn = (error: unknown) => {
      said.push(error)
      return said.length > 1
    }
    const graph = nodeOf((ctx) => until(scriptedModel(turns), { ctx, withdrawOn }))
    expect(messagesOf(folded(await all(graph.events({})))).map(({ content, status }) => [content, status])).toEqual([
      ['whole', 'done'],
      ['a b', 'cut'],
    ])
    expect(said).toMatchObject([{ code: 'PROVIDER_FAILED' }, { code: 'PROVIDER_FAILED' }])
  })

  test('stays when the question whether it is withdrawn fails', async () => {
    const graph = nodeOf((ctx) =>
      until(scriptedModel(turns), {
        ctx,
        withdrawOn: () => {
          throw new Error('no answer')
        },
      }),
    )
    expect(messagesOf(folded(await all(graph.events({})))).map(({ content }) => content)).toEqual(['whole', 'a b', 'd'])
  })

  test('stays when it was stopped', async () => {
    const stop = new AbortController()
    let asked = 0
    const withdrawOn = () => {
      asked++
      return true
    }
    const model = scriptedModel([{ text: 'a b', stallAfter: 1 }])
    const graph = nodeOf((ctx) => model.invoke('hi', { ctx, withdrawOn }))
    const reading = all(graph.events({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect(messagesOf(folded(await reading)).map(({ content, status }) => [content, status])).toEqual([['a', 'cut']])
    expect(asked).toBe(0)
  })

  test('before its first token, or hidden, told nothing and withdraws nothing', async () => {
    const early = nodeOf((ctx) => until(scriptedModel([{ failAfter: 0 }, 'x']), { ctx, withdrawOn: () => true }))
    expect(ofType(await all(early.events({})), 'message.remove')).toEqual([])
    const hidden = nodeOf((ctx) => until(scriptedModel(turns), { ctx, withdrawOn: () => true }), ['nostream'])
    expect(ofType(await all(hidden.events({})), 'message.remove')).toEqual([])
  })

  test('gives the same state and ids whoever watches', async () => {
    const graph = () => nodeOf((ctx) => until(scriptedModel(turns), { ctx, withdrawOn: () => true }))
    const invoked = await graph().invoke({}, { runId: 'r' })
    const events = await all(graph().events({}, { runId: 'r' }))
    const values = await all(graph().stream({}, { runId: 'r', streamMode: 'values' }))
    expect(values.at(-1)).toEqual(invoked)
    expect(messagesOf(folded(events)).map(({ id }) => id)).toEqual(invoked.messages.map(({ id }) => id))
  })
})

describe('an answer that begins anew by itself', () => {
  const model = () =>
    scriptedModel([
      {
        chunks: [
          { id: 'p', content: 'a' },
          { restart: true, content: 'b' },
          { content: 'c', usage: { outputTokens: 1 } },
        ],
      },
    ])

  test('is a message of its own, and what came before is gone', async () => {
    const events = await all(nodeOf((ctx) => model().invoke('hi', { ctx })).events({}))
    const next = ofType(events, 'message.start')[1]!.id
    expect(next).not.toBe('p')
    expect(shape(events)).toEqual(['start p', 'a', 'remove p', `start ${next}`, 'b', 'c', `end ${next}`])
    expect(await model().invoke('hi')).toMatchObject({ content: 'bc', meta: { usage: { outputTokens: 1 } } })
  })

  test('says so in the messages mode, to who saw the tokens', async () => {
    const graph = nodeOf((ctx) => model().invoke('hi', { ctx, tags: ['joke'] }))
    const chunks = await all(graph.stream({}, { streamMode: 'messages' }))
    expect(chunks.map(([{ id, content, restart = false }]) => [id === 'p', content, restart])).toEqual([
      [true, 'a', false],
      [true, '', true],
      [false, 'b', false],
      [false, 'c', false],
      [false, '', false],
    ])
    const filtered = graph.stream({}, { streamMode: 'messages', filter: { tags: ['poem'] } })
    expect(await all(filtered)).toEqual([])
  })
})

describe('the signal of a call', () => {
  test('of its own does not keep the run from stopping it', async () => {
    const stop = new AbortController()
    const model = scriptedModel([{ stallAfter: 0, text: 'x' }])
    const graph = nodeOf((ctx) => model.invoke('hi', { ctx, signal: new AbortController().signal }))
    const reading = all(graph.events({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect((await reading).at(-1)).toMatchObject({ status: 'cancelled' })
    expect(model.calls[0]?.status).toBe('aborted')
  })

  test('stops it alone, and an option that is undefined leaves what was said before', async () => {
    const stop = new AbortController()
    const model = scriptedModel([{ stallAfter: 0, text: 'x' }, 'a b'])
    const graph = nodeOf(async (ctx) => {
      const stopped = model.with({ signal: stop.signal }).invoke('hi', { ctx, signal: undefined })
      stop.abort(new Error('enough'))
      const error = await stopped.catch((thrown: unknown) => thrown)
      expect(error).toEqual(new Error('enough'))
      return model.with({ streaming: false }).invoke('hi', { ctx, streaming: undefined })
    })
    expect(ofType(await all(graph.events({})), 'message.delta').map(({ text }) => text)).toEqual(['a b'])
  })
})

describe('what was withdrawn stays withdrawn', () => {
  const failure = fc.record({
    text: fc.constantFrom('a b c', 'd'),
    failAfter: fc.nat(3),
    id: fc.constantFrom('p1', 'p2'),
  })
  const history = fc.array(fc.array(failure, { maxLength: 3 }), { minLength: 1, maxLength: 3 })
  /** One call after the other in one node, each with these failures before it answers; the last in a graph below. */
  const graphOf = (failures: readonly (readonly { text: string; failAfter: number; id: string }[])[]) => {
    const answer = (i: number, ctx: NodeContext) =>
      until(scriptedModel([...failures[i]!, `answer ${i}`]), { ctx, withdrawOn: () => true })
    const below = nodeOf((ctx) => answer(failures.length - 1, ctx))
    return new StateGraph(state({ messages: messages() }))
      .addNode('talk', async (_s, ctx) => {
        const said = []
        for (let i = 0; i < failures.length - 1; i++) said.push(await answer(i, ctx))
        return { messages: said }
      })
      .addNode('below', below)
      .addEdge(START, 'talk')
      .addEdge('talk', 'below')
      .compile()
  }

  test('for who joins late, from a snapshot at any event, and is told some of it again', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(3), async (failures, cut, again) => {
        const events = (await all(graphOf(failures).events({}))).map((event, i) => ({ ...event, seq: i + 1 }))
        const whole = serializeState(foldAll(emptyState(), events))
        const at = cut % events.length
        const told = serializeState(foldAll(emptyState(), events.slice(0, at)))
        const joined = foldAll(emptyState(), [{ type: 'sync', phase: 'snapshot', log: 'l', seq: at, state: told }])
        expect(serializeState(foldAll(joined, events.slice(Math.max(0, at - again))))).toEqual(whole)
        const answers = failures.map((_, i) => `answer ${i}`)
        expect(messagesOf(foldAll(emptyState(), events)).map(({ content }) => content)).toEqual(answers)
      }),
      { numRuns: 60 },
    )
  })

  test('for who reads the log of the thread from any cursor, after the run has ended', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (failures, cut) => {
        const log = memoryLog()
        await recordRun(log, graphOf(failures), {}, { runId: 'r' })
        const read = async (after: number | undefined) => {
          const reader = readLog(log, { after, follow: false }, new AbortController().signal)
          return (await all(reader)).flatMap((frame): readonly RivuletEvent[] =>
            frame.type === 'events' ? frame.events : [],
          )
        }
        const events = await read(0)
        const shown = (given: readonly RivuletEvent[]) =>
          messagesOf(foldAll(emptyState(), given)).map(({ content, status }) => [content, status])
        expect(shown(events)).toEqual(failures.map((_, i) => [`answer ${i}`, 'done']))
        const seen = events.slice(0, cut % events.length)
        const rest = await read(seen.findLast(({ type }) => type !== 'sync')?.seq ?? 0)
        expect(shown([...seen, ...rest])).toEqual(shown(events))
        expect(shown(await read(undefined))).toEqual(shown(events))
      }),
      { numRuns: 40 },
    )
  })
})
