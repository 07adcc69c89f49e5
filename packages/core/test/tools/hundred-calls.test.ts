import {
  emptyState,
  foldAll,
  messagesOf,
  progressOf,
  RivuletError,
  toolCallsOf,
  type Message,
  type RunEvent,
  type ThreadState,
} from '@rivulet/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  END,
  MemoryCheckpointer,
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  type ToolNodeOptions,
} from '../../src/index.ts'
import { settle } from '../gate.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()
afterEach(() => void vi.useRealTimers())

const COUNT = 100
const ids = Array.from({ length: COUNT }, (_, n) => `call_${n}`)
const FAILING = 17
const LATE = 42
const ABORTED = 64

/** Throws as providers do when a call of the history has no answer right behind it. */
function refuseDangling(history: readonly Message[]): void {
  let open = new Set<string>()
  for (const message of history) {
    if (message.toolCallId !== undefined) open.delete(message.toolCallId)
    else if (open.size > 0) throw new RivuletError('PROVIDER_FAILED', `no answer to ${[...open].join(', ')}`)
    if (message.toolCalls !== undefined) open = new Set(message.toolCalls.map(({ id }) => id))
  }
  if (open.size > 0) throw new RivuletError('PROVIDER_FAILED', `no answer to ${[...open].join(', ')}`)
}

/** Asks for a hundred calls, then says it is done. */
const model = () =>
  scriptedModel((history) => {
    refuseDangling(history)
    if (history.at(-1)?.role === 'tool') return `${history.filter(({ role }) => role === 'tool').length} answers`
    if (history.at(-1)?.content !== 'go') return 'hello again'
    return { toolCalls: ids.map((id, n) => ({ id, name: 'work', args: { n } })), interleave: true, slice: 3 }
  })

/** A loop of a model and one tool that tells its progress: one call of it fails, one takes too long, one is aborted. */
function graphOf(stop: AbortController, options: ToolNodeOptions = {}, onWork: (n: number) => void = () => {}) {
  const work = tool(
    async ({ n }: { n: number }, ctx) => {
      onWork(n)
      ctx.progress({ done: 1, total: 2, message: `${n} begins` })
      await Promise.resolve()
      if (n === FAILING) throw new Error('it failed')
      if (n === LATE) await new Promise(() => {})
      if (n === ABORTED)
        await new Promise((_, reject) => stop.signal.addEventListener('abort', () => reject(stop.signal.reason)))
      ctx.progress({ done: 2, total: 2 })
      return n
    },
    { name: 'work', description: 'works', timeoutMs: 1000 },
  )
  const asks = model()
  return new StateGraph(state({ messages: messages() }))
    .addNode('model', async (given) => ({ messages: [await asks.invoke(given.messages, { tools: [work] })] }))
    .addNode('tools', toolNode([work], options))
    .addEdge(START, 'model')
    .addConditionalEdges('model', (given) => ((given.messages.at(-1)?.toolCalls?.length ?? 0) > 0 ? 'tools' : END))
    .addEdge('tools', 'model')
    .compile({ checkpointer: new MemoryCheckpointer() })
}

const folded = (events: readonly RunEvent[]): ThreadState =>
  foldAll(
    emptyState(),
    events.map((event, i) => ({ ...event, seq: i + 1 })),
  )

const startsOf = (events: readonly RunEvent[]) => ofType(events, 'tool.start').map(({ id }) => id)
const endsOf = (events: readonly RunEvent[]) =>
  ofType(events, 'tool.end').map(({ id, error }) => [id, error?.code ?? 'ok'])

/** Each call's own events, in their order. */
const eventsOf = (events: readonly RunEvent[], id: string) =>
  events.flatMap((event) => {
    if ((event.type === 'tool.start' || event.type === 'tool.end') && event.id === id) return [event.type]
    return event.type === 'custom' && event.toolCallId === id ? [event.name] : []
  })

const outcomeOf = (n: number) =>
  n === FAILING ? 'NODE_FAILED' : n === LATE ? 'NODE_TIMEOUT' : n === ABORTED ? 'CANCELLED' : 'ok'

describe.each([Infinity, 7])('a hundred calls side by side, %d at once', (maxConcurrency) => {
  async function run() {
    vi.useFakeTimers()
    const stop = new AbortController()
    const running = all(graphOf(stop, { maxConcurrency }).events({ messages: ['go'] }, { threadId: 't' }))
    await settle()
    await vi.advanceTimersByTimeAsync(500)
    stop.abort()
    await settle()
    await vi.advanceTimersByTimeAsync(5000)
    return running
  }

  test('each begin once and end once, in the log', async () => {
    const events = await run()
    expect(startsOf(events)).toHaveLength(COUNT)
    expect(new Set(startsOf(events))).toEqual(new Set(ids))
    expect(endsOf(events)).toHaveLength(COUNT)
    expect(Object.fromEntries(endsOf(events))).toEqual(Object.fromEntries(ids.map((id, n) => [id, outcomeOf(n)])))
    expect(vi.getTimerCount()).toBe(0)
  })

  test('tell their progress between their own start and end', async () => {
    const events = await run()
    for (const [n, id] of ids.entries()) {
      const told = outcomeOf(n) === 'ok' ? ['progress', 'progress'] : ['progress']
      expect(eventsOf(events, id)).toEqual(['tool.start', ...told, 'tool.end'])
    }
  })

  test('each stand once in the folded state, ended, with their last progress', async () => {
    const seen = folded(await run())
    expect(seen.ignored).toBe(0)
    expect(seen.tools.size).toBe(COUNT)
    const calls = toolCallsOf(seen)
    expect(calls.map(({ id }) => id)).toEqual(ids)
    expect(calls.map(({ status, error }) => error?.code ?? status)).toEqual(
      ids.map((_, n) => (outcomeOf(n) === 'ok' ? 'done' : outcomeOf(n))),
    )
    expect(progressOf(seen, 'call_3')).toMatchObject({ data: { done: 2, total: 2 } })
    expect(progressOf(seen, `call_${FAILING}`)).toMatchObject({ data: { done: 1, total: 2 } })
  })

  test('are all answered: the next call of the model is not refused', async () => {
    const events = await run()
    expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'done' })
    const said = messagesOf(folded(events))
    expect(said.slice(2, -1).map(({ toolCallId }) => toolCallId)).toEqual(ids)
    expect(said.at(-1)?.content).toBe('100 answers')
  })
})

describe('a run that is stopped in the middle of its calls', () => {
  async function stopped(options: ToolNodeOptions) {
    const work: number[] = []
    const stop = new AbortController()
    const graph = graphOf(new AbortController(), options, (n) => void work.push(n))
    const reading = all(graph.events({ messages: ['go'] }, { threadId: 't', signal: stop.signal }))
    await settle()
    stop.abort()
    return { graph, work, events: await reading }
  }

  test('ends every call that had begun, once, and begins no other', async () => {
    const { events, work } = await stopped({ maxConcurrency: 50 })
    expect(events.at(-1)).toMatchObject({ status: 'cancelled' })
    await settle()
    expect(startsOf(events)).toEqual(work.map((n) => `call_${n}`))
    expect(new Set(endsOf(events).map(([id]) => id))).toEqual(new Set(startsOf(events)))
    expect(endsOf(events)).toHaveLength(startsOf(events).length)
    expect(Object.fromEntries(endsOf(events))).toMatchObject({ [`call_${LATE}`]: 'CANCELLED', call_3: 'ok' })
    expect([...folded(events).tools.values()].map(({ status }) => status)).not.toContain('running')
  })

  test('begins none of the calls that wait for their turn', async () => {
    const work: number[] = []
    const stop = new AbortController()
    const graph = graphOf(new AbortController(), { maxConcurrency: 1 }, (n) => {
      work.push(n)
      if (n === 4) stop.abort()
    })
    const events = await all(graph.events({ messages: ['go'] }, { threadId: 't', signal: stop.signal }))
    await settle()
    expect(work).toEqual([0, 1, 2, 3, 4])
    expect(startsOf(events)).toEqual(ids.slice(0, 5))
    expect(endsOf(events).at(-1)).toEqual(['call_4', 'CANCELLED'])
  })

  test('leaves a thread whose next question is not refused', async () => {
    const { graph } = await stopped({})
    const { messages: said } = await graph.invoke({ messages: ['and now?'] }, { threadId: 't' })
    expect(said.at(-1)?.content).toBe('hello again')
  })

  test('makes only the calls that had not ended when it goes on', async () => {
    const { graph, work } = await stopped({})
    expect(work).toHaveLength(COUNT)
    vi.useFakeTimers()
    const going = graph.invoke(null, { threadId: 't' })
    await settle()
    await vi.advanceTimersByTimeAsync(1000)
    expect((await going).messages.at(-1)?.content).toBe('100 answers')
    // The failed one had ended too, with an error that the model reads.
    expect(work.slice(COUNT)).toEqual([LATE, ABORTED])
  })
})

test('a node that fails with what its tool threw tries again without the calls that had ended', async () => {
  const made: string[] = []
  let failures = 1
  const count = tool(() => (made.push('count'), 'counted'), { name: 'count', description: 'counts' })
  const flaky = tool(
    () => {
      made.push('flaky')
      if (failures-- > 0) throw new Error('not yet')
      return 'worked'
    },
    { name: 'flaky', description: 'fails once' },
  )
  const calls = {
    id: 'ask',
    role: 'assistant',
    content: '',
    toolCalls: ['count', 'flaky'].map((name) => ({ id: name, name, args: '' })),
  }
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([count, flaky], { onError: 'throw' }), { retry: { delayMs: 0, jitter: false } })
    .addEdge(START, 'tools')
    .compile()
  const events = await all(graph.events({ messages: [calls] }))
  expect(made).toEqual(['count', 'flaky', 'flaky'])
  expect(
    messagesOf(folded(events))
      .slice(1)
      .map(({ content }) => content),
  ).toEqual(['counted', 'worked'])
  expect(toolCallsOf(folded(events)).map(({ status }) => status)).toEqual(['done', 'done'])
})

test('what the model reads of an error is what the node says', async () => {
  const fail = tool(() => Promise.reject(new Error('secret')), { name: 'fail', description: 'fails' })
  const asking = { id: 'ask', role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'fail', args: '' }] }
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([fail], { onError: (_thrown, { name }) => `${name} is out of order` }))
    .addEdge(START, 'tools')
    .compile()
  expect((await graph.invoke({ messages: [asking] })).messages[1]?.content).toBe('fail is out of order')
  const strict = new StateGraph(state({ messages: messages() }))
    .addNode(
      'tools',
      toolNode([fail], {
        onError: (thrown) => {
          throw thrown as Error
        },
      }),
    )
    .addEdge(START, 'tools')
    .compile()
  await expect(strict.invoke({ messages: [asking] })).rejects.toThrow('secret')
})
