import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  Command,
  fromAsyncIterable,
  getWriter,
  interrupt,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  value,
  type NodeContext,
} from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

/** Each defect that was measured in LangGraph.js 1.7.3 (A to K), and that this runtime does not have it. */

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })
const never = () => new Promise<never>(() => {})

function nodeOf(run: (ctx: NodeContext) => unknown) {
  return new StateGraph(schema())
    .addNode('node', ((_s: unknown, ctx: NodeContext) => run(ctx)) as () => undefined)
    .addEdge(START, 'node')
    .compile()
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('A: what is queued when an error comes is not dropped', () => {
  const writing = () =>
    nodeOf((ctx) => {
      for (const i of upTo(1000)) ctx.writer(i)
      throw new Error('after a thousand')
    })

  test('a prompt reader gets all of 1,000 writes, then the error', async () => {
    const { items, error } = await allAndError(writing().stream({}, { streamMode: 'custom' }))
    expect(items).toEqual(upTo(1000))
    expect(error).toEqual(new Error('after a thousand'))
  })

  test('so does a reader that takes its time with each', async () => {
    const items: unknown[] = []
    const reading = (async () => {
      for await (const item of writing().stream({}, { streamMode: 'custom' })) {
        await Promise.resolve()
        items.push(item)
      }
    })()
    expect(await rejection(reading)).toEqual(new Error('after a thousand'))
    expect(items).toEqual(upTo(1000))
  })

  test('and the events have them all before the end', async () => {
    const events = await all(writing().events({}))
    expect(ofType(events, 'custom')).toHaveLength(1000)
    expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'error' })
  })

  test('the update of a sibling that had ended is not lost', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', () => ({ n: 1 }))
      .addNode('b', () => ({ n: 2 }))
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .compile()
    const { items, error } = await allAndError(graph.stream({}, { streamMode: 'updates' }))
    expect(items).toEqual([{ a: { n: 1 } }, { b: { n: 2 } }])
    expect(error).toMatchObject({ code: 'INVALID_UPDATE' })
  })
})

describe('B: a run does not get away from its reader', () => {
  test('nothing runs until somebody reads', async () => {
    let ran = false
    const stream = nodeOf(() => void (ran = true)).stream({})
    await settle()
    expect(ran).toBe(false)
    await stream.return?.()
  })

  test('it waits before a step while 1,024 events are queued, and goes on when they are read', async () => {
    let steps = 0
    const graph = new StateGraph(schema())
      .addNode('loop', (_s, ctx) => {
        steps++
        for (const i of upTo(100)) ctx.writer(i)
        return new Command({ goto: steps < 50 ? ['loop'] : [] })
      })
      .addEdge(START, 'loop')
      .compile()
    const stream = graph.stream({}, { streamMode: 'custom', recursionLimit: 100 })
    await stream.next()
    for (let i = 0; i < 10; i++) await settle()
    expect(steps).toBe(11)
    expect(await all(stream)).toHaveLength(50 * 100 - 1)
    expect(steps).toBe(50)
  })

  const MIB = 1024 * 1024
  test('it takes 64 MiB of writes that wait for nobody, then refuses more: all that it took arrive', async () => {
    let taken = 0
    let refused: unknown
    const graph = nodeOf((ctx) => {
      try {
        for (; taken < 100; taken++) ctx.writer('x'.repeat(MIB))
      } catch (error) {
        refused = error
      }
    })
    const items = await all(graph.stream({}, { streamMode: 'custom' }))
    expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', node: 'node' })
    // One went straight to the reader that was waiting.
    expect(taken).toBe(65)
    expect(items).toHaveLength(taken)
  })

  test('a node that does not catch that fails the run typed, and the end is told', async () => {
    const graph = nodeOf((ctx) => {
      for (;;) ctx.writer('x'.repeat(MIB))
    })
    const events = await all(graph.events({}))
    expect(events.at(-1)).toMatchObject({ status: 'error', error: { code: 'LIMIT_EXCEEDED', node: 'node' } })
  })

  test('writes that let the reader in between are not bounded', async () => {
    const graph = nodeOf(async (ctx) => {
      for (const _ of upTo(100)) {
        ctx.writer('x'.repeat(MIB))
        await settle()
      }
    })
    expect(await all(graph.stream({}, { streamMode: 'custom' }))).toHaveLength(100)
  })
})

describe('C: cancelling does not look like a crash', () => {
  test('return() while a read waits ends both as done', async () => {
    const stream = nodeOf(never).stream({})
    const waiting = stream.next()
    await settle()
    expect(await stream.return?.()).toEqual({ value: undefined, done: true })
    expect(await waiting).toEqual({ value: undefined, done: true })
  })

  test('a signal ends the loop with CANCELLED and nothing else', async () => {
    const stop = new AbortController()
    const reading = allAndError(nodeOf(never).stream({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect((await reading).error).toMatchObject({ name: 'RivuletError', code: 'CANCELLED' })
  })
})

describe('D: leaving ends the run cleanly', () => {
  test.each(['break', 'signal'] as const)(
    'by %s: the signal fires, the next node does not start, deaf nodes are left behind',
    async (how) => {
      const ran: string[] = []
      const stop = new AbortController()
      const graph = new StateGraph(schema())
        .addNode('deaf', async (_s, ctx) => {
          ctx.signal.addEventListener('abort', () => ran.push('signal'))
          ctx.writer('here')
          await never()
        })
        .addNode('next', () => void ran.push('next'))
        .addEdge(START, 'deaf')
        .addEdge('deaf', 'next')
        .compile()
      const stream = graph.stream({}, { streamMode: 'custom', signal: stop.signal })
      const reading = (async () => {
        for await (const _ of stream) {
          if (how === 'break') break
          stop.abort()
        }
      })()
      const outcome = await reading.then(
        () => 'left',
        (error: { code: string }) => error.code,
      )
      await settle()
      expect([outcome, ran]).toEqual([how === 'break' ? 'left' : 'CANCELLED', ['signal']])
    },
  )
})

describe('E: a reader cannot change the state through a chunk', () => {
  const image = { kind: 'image' as const, mediaType: 'image/png', url: 'https://example.test/a.png' }
  const parts = () => [{ kind: 'text' as const, text: 'hi' }, { ...image }]
  const input = () => ({
    log: ['in'],
    messages: [{ id: 'q', role: 'user' as const, content: 'hi', parts: parts() }],
  })
  const graph = () =>
    new StateGraph(state({ log: log(), messages: messages() }))
      .addNode('a', async () => {
        await settle()
        return { log: ['a'], messages: [{ id: 'm', role: 'assistant', content: 'hello' }] }
      })
      .addNode('b', () => ({ log: ['b'] }))
      .addNode('c', async () => {
        await settle()
        return { log: ['c'] }
      })
      .addEdge(START, 'a')
      .addEdge(START, 'b')
      .addEdge('a', 'c')
      .compile({ checkpointer: new MemoryCheckpointer() })

  /** Does to a value all that a careless reader might, as far as it lets itself be changed. */
  function spoil(given: unknown): void {
    if (typeof given !== 'object' || given === null) return
    const spoiled = given as Record<string, unknown>
    for (const key of Object.keys(spoiled)) spoil(spoiled[key])
    for (const act of [
      () => Array.isArray(given) && given.push('spoiled'),
      () => Array.isArray(given) && given.reverse(),
      () => (spoiled['spoiled'] = true),
      () => (spoiled['content'] = 'spoiled'),
      () => delete spoiled['log'],
    ]) {
      try {
        act()
      } catch {
        // Frozen: that is one way of not being changed.
      }
    }
  }

  const expected = {
    log: ['in', 'a', 'b', 'c'],
    messages: [...input().messages, { id: 'm', role: 'assistant', content: 'hello' }],
  }
  const modes = ['values', 'updates', 'messages', 'tasks', 'checkpoints', 'debug'] as const

  test('of any mode, while the run goes on', async () => {
    const one = graph()
    for await (const chunk of one.stream(input(), { streamMode: modes, subgraphs: true, threadId: 't' })) spoil(chunk)
    expect((await one.getState('t'))?.values).toEqual(expected)
  })

  test('nor through events, an answer, or the state of a thread', async () => {
    const one = graph()
    for await (const event of one.events(input(), { threadId: 't', modes })) spoil(event)
    expect((await one.getState('t'))?.values).toEqual(expected)
    spoil(await one.invoke({ log: [] }, { threadId: 't' }))
    spoil(await one.getState('t'))
    const { values } = (await one.getState('t'))!
    expect(values['log']).toEqual(['in', 'a', 'b', 'c', 'a', 'b', 'c'])
    expect(values['messages']).toEqual(expected.messages)
  })

  test('nor through what was passed in, once the run has begun', async () => {
    const given = input()
    const one = graph()
    for await (const _ of one.stream(given, { streamMode: 'updates', threadId: 't' })) spoil(given)
    expect((await one.getState('t'))?.values).toEqual(expected)
  })
})

describe('F: what a node throws is not exchanged for another error', () => {
  test.each([
    ['a string', 'just text'],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['undefined', undefined],
  ])('%s', async (_what, thrown) => {
    const graph = nodeOf(() => {
      // oxlint-disable-next-line only-throw-error -- what is thrown is the subject
      throw thrown
    })
    expect(await rejection(graph.invoke({}))).toBe(thrown)
    const { threw, error } = await allAndError(graph.stream({}))
    expect(threw).toBe(true)
    expect(error).toBe(thrown)
  })
})

test('G: a writer that one node keeps is refused in the next and after the end, and every write says whose it is', async () => {
  let kept: NodeContext['writer'] = () => {}
  let refused: unknown
  const graph = new StateGraph(schema())
    .addNode('a', (_s, ctx) => {
      kept = ctx.writer
      kept('from a')
    })
    .addNode('b', (_s, ctx) => {
      ctx.writer('from b')
      try {
        kept('from a, in b')
      } catch (error) {
        refused = error
      }
    })
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile()
  const events = await all(graph.events({}))
  const tasks = ofType(events, 'task.start').map(({ task }) => task)
  expect(ofType(events, 'custom').map(({ node, task, data }) => [node, task, data])).toEqual([
    ['a', tasks[0], 'from a'],
    ['b', tasks[1], 'from b'],
  ])
  expect(refused).toMatchObject({ code: 'NO_CONTEXT', node: 'a' })
  expect(() => kept('after the end')).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }))
})

test('H: try and catch around a question do not swallow it', async () => {
  const graph = new StateGraph(schema())
    .addNode('ask', () => {
      try {
        return { log: [interrupt<string>('?')] }
      } catch {
        return { log: ['swallowed'] }
      }
    })
    .addEdge(START, 'ask')
    .compile({ checkpointer: new MemoryCheckpointer() })
  expect(await graph.invoke({}, { threadId: 't' })).toMatchObject({ log: [], __interrupt__: [{ value: '?' }] })
  expect((await graph.invoke(new Command({ resume: 'yes' }), { threadId: 't' })).log).toEqual(['yes'])
})

describe('I: without AsyncLocalStorage, as in a browser', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  /** The package as a platform loads it that has no AsyncLocalStorage. */
  async function browser() {
    vi.resetModules()
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
    return import('../../src/index.ts')
  }

  test('everything works with ctx: writes, questions, models, tools and graphs below, with their namespaces', async () => {
    const core = await browser()
    const model = core.fromAsyncIterable(async function* () {
      yield await Promise.resolve('Hel')
      yield 'lo'
    })
    const look = core.tool((_args, ctx) => ctx.progress(1), { name: 'look', description: 'looks' })
    const chat = () => core.state({ messages: core.messages() })
    const child = new core.StateGraph(chat())
      .addNode('inner', async (_s, ctx) => {
        ctx.writer('below')
        return { messages: await model.invoke('hi', { ctx }) }
      })
      .addNode('tools', core.toolNode([look]))
      .addEdge(core.START, 'inner')
      .addEdge('inner', 'tools')
      .compile()
    const graph = new core.StateGraph(chat())
      .addNode('outer', async (_s, ctx) => {
        const answer = ctx.interrupt<string>('?')
        const { messages: said } = await ctx.run(child, { messages: [] })
        return { messages: [...said, { role: 'user', content: answer }] }
      })
      .addNode('child', child)
      .addEdge(core.START, 'outer')
      .addEdge('outer', 'child')
      .compile({ checkpointer: new core.MemoryCheckpointer() })
    const asked = await graph.invoke({ messages: [] }, { threadId: 't' })
    expect(asked.__interrupt__).toHaveLength(1)
    const events = await all(graph.events(new core.Command({ resume: 'fine' }), { threadId: 't' }))
    expect(events.at(-1)).toMatchObject({ status: 'done' })
    const below = (type: 'custom' | 'message.start') =>
      ofType(events, type).map(({ ns }) => ns?.map((segment) => segment.split(':')[0]))
    expect(below('custom')).toEqual([['outer'], ['child']])
    expect(below('message.start')).toEqual([['outer'], ['child']])
    const state1 = (await graph.getState('t'))!.values as { messages: { content: string }[] }
    expect(state1.messages.map(({ content }) => content)).toEqual(['Hello', 'fine', 'Hello'])
  })

  test('what needs it says so, and what to do instead', async () => {
    const core = await browser()
    const refused: unknown[] = []
    const graph = new core.StateGraph(core.state({}))
      .addNode('node', () => {
        for (const act of [core.getWriter, core.getContext, () => core.interrupt('?')]) {
          try {
            act()
          } catch (error) {
            refused.push(error)
          }
        }
      })
      .addEdge(core.START, 'node')
      .compile()
    await graph.invoke({})
    expect(refused).toHaveLength(3)
    for (const error of refused)
      expect(error).toMatchObject({ code: 'NO_CONTEXT', message: expect.stringMatching(/use the node's ctx instead/) })
  })

  test('with it, the same are found without being passed', async () => {
    const model = fromAsyncIterable(async function* () {
      yield await Promise.resolve('Hello')
    })
    const child = new StateGraph(state({ messages: messages() }))
      .addNode('inner', async () => {
        getWriter()('below')
        return { messages: await model.invoke('hi') }
      })
      .addEdge(START, 'inner')
      .compile()
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('outer', async (s) => ({ messages: (await child.invoke(s)).messages }))
      .addEdge(START, 'outer')
      .compile()
    const events = await all(graph.events({ messages: [] }))
    const seen = [...ofType(events, 'custom'), ...ofType(events, 'message.start')].map(({ ns }) => ns?.length)
    expect(seen).toEqual([1, 1])
  })
})

test('J: checkpoints of a graph below are plain data', async () => {
  const child = new StateGraph(schema())
    .addNode('inner', () => ({ log: ['inner'] }))
    .addEdge(START, 'inner')
    .compile()
  const graph = new StateGraph(schema())
    .addNode('child', child)
    .addEdge(START, 'child')
    .compile({ checkpointer: new MemoryCheckpointer() })
  const chunks = await all(
    graph.stream({}, { streamMode: ['checkpoints', 'debug', 'tasks'], subgraphs: true, threadId: 't' }),
  )
  expect(chunks.filter(([ns, mode]) => ns.length > 0 && mode === 'checkpoints').length).toBeGreaterThan(1)
  const plain = chunks.map(([, , chunk]) => chunk)
  // Text and back, with what is `undefined` left out on both sides.
  expect(JSON.parse(JSON.stringify(plain))).toEqual(plain.map((chunk) => structuredClone(chunk)))
})

test('K: 1,000 sends that listen to their signals warn of nothing and leave no listener', async () => {
  const stop = new AbortController()
  const opened = gate()
  const graph = new StateGraph(schema())
    .addNode('work', async (_sent, ctx) => {
      ctx.signal.addEventListener('abort', () => {})
      await opened.opened
    })
    .addConditionalEdges(START, () => upTo(1000).map((i) => new Send('work', i)))
    .compile()
  const running = graph.invoke({}, { signal: stop.signal })
  await settle()
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
  opened.open()
  await running
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})
