import type { RunEvent } from '@rivulet/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { messages, START, state, StateGraph, tool, toolNode, type Tool, type ToolNodeOptions } from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()
afterEach(() => void vi.useRealTimers())

interface Call {
  id?: string
  name: string
  args?: unknown
}

const said = (calls: readonly Call[]) => ({
  id: 'call',
  role: 'assistant' as const,
  content: '',
  toolCalls: calls.map(({ id = 'c', name, args = {} }) => ({
    id,
    name,
    args: typeof args === 'string' ? args : JSON.stringify(args),
  })),
})

const graphOf = (tools: readonly Tool[], options?: ToolNodeOptions) =>
  new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode(tools, options))
    .addEdge(START, 'tools')
    .compile()

/** Runs these calls and answers the events. */
const run = (tools: readonly Tool[], calls: readonly Call[], options?: ToolNodeOptions) =>
  all(graphOf(tools, options).events({ messages: [said(calls)] }))

const answers = async (tools: readonly Tool[], calls: readonly Call[], options?: ToolNodeOptions) =>
  (await graphOf(tools, options).invoke({ messages: [said(calls)] })).messages.slice(1)

/** Starts and ends by call id: `[id, 'ok' | error code]`. */
const ends = (events: readonly RunEvent[]) =>
  ofType(events, 'tool.end').map(({ id, error }) => [id, error?.code ?? 'ok'])
const starts = (events: readonly RunEvent[]) => ofType(events, 'tool.start').map(({ id }) => id)

const add = tool(({ a, b }: { a: number; b: number }) => a + b, {
  name: 'add',
  description: 'adds',
  schema: z.object({ a: z.number(), b: z.number() }),
})

describe('a call of a tool', () => {
  test('has one start with its input and one end with its output, and is answered', async () => {
    const calls = [{ id: '1', name: 'add', args: { a: 1, b: 2 } }]
    const events = await run([add], calls)
    expect(ofType(events, 'tool.start')).toMatchObject([{ id: '1', name: 'add', input: { a: 1, b: 2 }, node: 'tools' }])
    expect(ofType(events, 'tool.end')).toMatchObject([{ id: '1', name: 'add', output: 3, node: 'tools' }])
    expect(await answers([add], calls)).toMatchObject([{ role: 'tool', toolCallId: '1', name: 'add', content: '3' }])
  })

  const broken = tool(
    () => {
      throw new Error('tool broke')
    },
    { name: 'broken', description: 'throws' },
  )

  test.each<[string, Call, string, RegExp]>([
    ['throws', { name: 'broken' }, 'NODE_FAILED', /tool broke/],
    ['gets arguments that are no JSON', { name: 'add', args: '{"a":' }, 'INVALID_INPUT', /no JSON/],
    [
      'gets arguments that do not fit',
      { name: 'add', args: { a: 'x', b: 1 } },
      'INVALID_INPUT',
      /"add" are not valid: a: /,
    ],
    ['does not exist', { name: 'nope' }, 'NOT_FOUND', /there is no tool "nope"; there are: add, broken/],
  ])('that %s has one start and one end with the error, and the model reads it', async (_what, call, code, text) => {
    const events = await run([add, broken], [call])
    expect([starts(events), ends(events)]).toEqual([['c'], [['c', code]]])
    expect(events.at(-1)).toMatchObject({ status: 'done' })
    expect((await answers([add, broken], [call]))[0]?.content).toMatch(text)
  })

  test('may fail its node instead, with what it threw; each start has one end', async () => {
    const calls = [
      { id: '1', name: 'broken' },
      { id: '2', name: 'add', args: { a: 1, b: 1 } },
    ]
    const events = await run([add, broken], calls, { onError: 'throw' })
    expect([starts(events), ends(events)]).toEqual([
      ['1', '2'],
      [
        ['1', 'NODE_FAILED'],
        ['2', 'ok'],
      ],
    ])
    expect(events.at(-1)).toMatchObject({ status: 'error', error: { message: 'tool broke', node: 'tools' } })
  })

  test('without arguments at all gets an empty object', async () => {
    const echo = tool((args) => args, { name: 'echo', description: 'echoes' })
    expect((await answers([echo], [{ name: 'echo', args: '' }]))[0]?.content).toBe('{}')
  })

  test('that changes its arguments does not change what was told of them', async () => {
    const messy = tool(
      (args: Record<string, unknown>) => {
        args['added'] = true
        return 'ok'
      },
      { name: 'messy', description: 'changes its arguments' },
    )
    const events = await run([messy], [{ name: 'messy', args: { q: 1 } }])
    expect(ofType(events, 'tool.start')[0]?.input).toEqual({ q: 1 })
  })

  test('whose output is no JSON ends with an error', async () => {
    const big = tool(() => 1n, { name: 'big', description: 'a bigint' })
    expect(ends(await run([big], [{ name: 'big' }]))).toEqual([['c', 'UNSERIALIZABLE']])
  })

  test('that returns nothing is answered', async () => {
    const quiet = tool(() => {}, { name: 'quiet', description: 'nothing' })
    expect((await answers([quiet], [{ name: 'quiet' }]))[0]?.content).toBe('null')
  })

  test('without an id gets one, the same at start, end and answer', async () => {
    const events = await run([add], [{ id: '', name: 'add', args: { a: 1, b: 2 } }])
    const [id] = starts(events)
    expect(id).not.toBe('')
    expect(ends(events)).toEqual([[id, 'ok']])
  })

  test('is not made again when the conversation has its answer', async () => {
    const graph = graphOf([add])
    const events = await all(
      graph.events({
        messages: [
          said([
            { id: '1', name: 'add', args: { a: 1, b: 1 } },
            { id: '2', name: 'add', args: { a: 2, b: 2 } },
          ]),
          { role: 'tool', toolCallId: '1', content: '2', id: 'a' },
        ],
      }),
    )
    expect(starts(events)).toEqual(['2'])
  })
})

describe('a call that takes long', () => {
  test('ends with NODE_TIMEOUT when its time is up, its signal fires, and what it does later is not told', async () => {
    vi.useFakeTimers()
    const opened = gate()
    const seen: unknown[] = []
    const slow = tool(
      async (_args, ctx) => {
        ctx.signal.addEventListener('abort', () => seen.push((ctx.signal.reason as { code: string }).code))
        await opened.opened
        ctx.progress(1)
        return 'late'
      },
      { name: 'slow', description: 'slow', timeoutMs: 50 },
    )
    const running = run([slow], [{ name: 'slow' }])
    await vi.advanceTimersByTimeAsync(50)
    const events = await running
    opened.open()
    await settle()
    expect(ends(events)).toEqual([['c', 'NODE_TIMEOUT']])
    expect(seen).toEqual(['NODE_TIMEOUT'])
    expect(ofType(events, 'custom')).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends as cancelled, once, when the run is stopped', async () => {
    const stop = new AbortController()
    const seen: boolean[] = []
    const hanging = tool(
      (_args, ctx) => {
        ctx.signal.addEventListener('abort', () => seen.push(true))
        return new Promise<never>(() => {})
      },
      { name: 'hang', description: 'hangs' },
    )
    const reading = allAndError(
      graphOf([hanging]).events({ messages: [said([{ name: 'hang' }])] }, { signal: stop.signal }),
    )
    await settle()
    stop.abort()
    const { items } = await reading
    expect([starts(items), ends(items), seen]).toEqual([['c'], [['c', 'CANCELLED']], [true]])
    expect(items.at(-1)).toMatchObject({ type: 'run.end', status: 'cancelled' })
  })
})

describe('calls side by side', () => {
  const gates = { a: gate(), b: gate() }
  const work = tool(
    async ({ what }: { what: 'a' | 'b' }, ctx) => {
      ctx.progress({ message: `${what} begins` })
      await gates[what].opened
      ctx.writer(`${what} ends`)
      return what
    },
    { name: 'work', description: 'works' },
  )

  test('tell their progress under their own ids, and are answered in their order', async () => {
    const calls = (['a', 'b'] as const).map((what) => ({ id: what, name: 'work', args: { what } }))
    const running = run([work], calls)
    await settle()
    gates.b.open()
    await settle()
    gates.a.open()
    const events = await running
    expect(ofType(events, 'custom').map(({ toolCallId, name, data }) => [toolCallId, name, data])).toEqual([
      ['a', 'progress', { message: 'a begins' }],
      ['b', 'progress', { message: 'b begins' }],
      ['b', undefined, 'b ends'],
      ['a', undefined, 'a ends'],
    ])
    expect(ends(events)).toEqual([
      ['b', 'ok'],
      ['a', 'ok'],
    ])
    const order = ofType(events, 'message').flatMap(({ message }) => message.toolCallId ?? [])
    expect(order).toEqual(['a', 'b'])
  })

  test('run at most as many at once as allowed', async () => {
    let now = 0
    let most = 0
    const count = tool(
      async () => {
        most = Math.max(most, ++now)
        await Promise.resolve()
        now--
      },
      { name: 'count', description: 'counts' },
    )
    const calls = Array.from({ length: 6 }, (_, i) => ({ id: String(i), name: 'count' }))
    expect(ends(await run([count], calls, { maxConcurrency: 2 }))).toHaveLength(6)
    expect(most).toBe(2)
  })
})

describe('a tool that is a generator', () => {
  const steps = tool(
    async function* () {
      yield { done: 1 }
      yield { done: 2 }
      return await Promise.resolve('finished')
    },
    { name: 'steps', description: 'tells its progress' },
  )

  test('yields progress and returns its output', async () => {
    const events = await run([steps], [{ name: 'steps' }])
    expect(ofType(events, 'custom').map(({ name, data, toolCallId }) => [name, data, toolCallId])).toEqual([
      ['progress', { done: 1 }, 'c'],
      ['progress', { done: 2 }, 'c'],
    ])
    expect(ofType(events, 'tool.end')[0]?.output).toBe('finished')
  })

  test('shows in the tools mode as start, events and end', async () => {
    const stream = graphOf([steps]).stream({ messages: [said([{ name: 'steps' }])] }, { streamMode: 'tools' })
    expect(await all(stream)).toEqual([
      { event: 'on_tool_start', toolCallId: 'c', name: 'steps', input: {} },
      { event: 'on_tool_event', toolCallId: 'c', name: 'steps', data: { done: 1 } },
      { event: 'on_tool_event', toolCallId: 'c', name: 'steps', data: { done: 2 } },
      { event: 'on_tool_end', toolCallId: 'c', name: 'steps', output: 'finished' },
    ])
  })

  /** A tool that never ends, and what tells that it was closed. */
  const endless = (timeoutMs?: number) => {
    const closed = gate()
    const made = tool(
      async function* () {
        try {
          for (let i = 0; ; i++) {
            await settle()
            yield i
          }
        } finally {
          closed.open()
        }
      },
      { name: 'endless', description: 'never ends', ...(timeoutMs !== undefined && { timeoutMs }) },
    )
    return { made, closed }
  }

  test('is closed when the run is stopped', async () => {
    const { made, closed } = endless()
    const stop = new AbortController()
    const stream = graphOf([made]).events({ messages: [said([{ name: 'endless' }])] }, { signal: stop.signal })
    for await (const event of stream) if (event.type === 'custom') stop.abort()
    await expect(closed.opened).resolves.toBeUndefined()
  })

  test('is closed when its time is up, and tells no progress after its end, though others of its node go on', async () => {
    vi.useFakeTimers()
    const { made, closed } = endless(50)
    const opened = gate()
    const other = tool(() => opened.opened, { name: 'other', description: 'takes its time' })
    const calls = [
      { id: '1', name: 'endless' },
      { id: '2', name: 'other' },
    ]
    const running = run([made, other], calls)
    await settle()
    await vi.advanceTimersByTimeAsync(50)
    await closed.opened
    opened.open()
    const mine = (await running).filter(
      (event) =>
        (event.type === 'custom' && event.toolCallId === '1') || (event.type === 'tool.end' && event.id === '1'),
    )
    expect(mine.at(-1)).toMatchObject({ type: 'tool.end', error: { code: 'NODE_TIMEOUT' } })
    expect(mine.length).toBeGreaterThan(1)
  })
})

describe('a tool by itself', () => {
  test('checks its arguments, runs, and writes to nobody', async () => {
    const talkative = tool(
      ({ n }: { n: number }, ctx) => {
        ctx.writer('x')
        ctx.progress(1)
        expect([ctx.toolCallId, ctx.signal.aborted]).toEqual([undefined, false])
        return n * 2
      },
      { name: 'double', description: 'doubles', schema: z.object({ n: z.coerce.number() }) },
    )
    expect(await talkative.invoke({ n: '21' })).toBe(42)
    expect(await rejection(talkative.invoke({ n: 'x' }))).toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('can ask nobody', async () => {
    const asking = tool((_args, ctx) => ctx.interrupt('?'), { name: 'ask', description: 'asks' })
    expect(await rejection(asking.invoke({}))).toMatchObject({ code: 'NO_CONTEXT' })
  })

  test('passes on what it throws, untouched', async () => {
    const failure = new Error('x')
    Object.freeze(failure)
    const failing = tool(
      () => {
        throw failure
      },
      { name: 'f', description: 'fails' },
    )
    expect(await rejection(failing.invoke({}))).toBe(failure)
  })
})
