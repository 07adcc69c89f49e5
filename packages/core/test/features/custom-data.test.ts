import { describe, expect, test } from 'vitest'
import { getContext, getWriter, reduced, START, state, StateGraph, type NodeContext } from '../../src/index.ts'
import { gate } from '../gate.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })

function graphOf(run: (ctx: NodeContext) => unknown, after: (ctx: NodeContext) => unknown = () => {}) {
  return new StateGraph(state({ log: log() }))
    .addNode('node', ((_s: unknown, ctx: NodeContext) => run(ctx)) as () => undefined)
    .addNode('after', ((_s: unknown, ctx: NodeContext) => after(ctx)) as () => undefined)
    .addEdge(START, 'node')
    .addEdge('node', 'after')
    .compile()
}

describe('what a node writes', () => {
  test('arrives in order, with node, task and step, and a name if it has one', async () => {
    let task = ''
    const graph = graphOf((ctx) => {
      task = ctx.task
      ctx.writer({ at: 1 })
      ctx.writer('two', 'named')
      ctx.progress(3)
      ctx.progress({ done: 4, total: 5, message: 'nearly' })
    })
    const events = ofType(await all(graph.events({}, { runId: 'r' })), 'custom')
    const common = { type: 'custom', run: 'r', node: 'node', task, step: 1 }
    expect(events).toEqual([
      { ...common, data: { at: 1 } },
      { ...common, data: 'two', name: 'named' },
      { ...common, data: { done: 3 }, name: 'progress' },
      { ...common, data: { done: 4, total: 5, message: 'nearly' }, name: 'progress' },
    ])
  })

  test('is what it was when it was written', async () => {
    const data = { list: [1] }
    const graph = graphOf((ctx) => {
      ctx.writer(data)
      data.list.push(2)
      ctx.writer(data)
    })
    expect(await all(graph.stream({}, { streamMode: 'custom' }))).toEqual([{ list: [1] }, { list: [1, 2] }])
  })

  test.each<[string, unknown, unknown]>([
    ['undefined', undefined, null],
    ['null', null, null],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['NaN', Number.NaN, null],
    ['missing members', { a: undefined, b: [undefined] }, { b: [null] }],
  ])('is JSON: %s', async (_what, data, shown) => {
    expect(await all(graphOf((ctx) => ctx.writer(data)).stream({}, { streamMode: 'custom' }))).toEqual([shown])
  })

  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  test.each<[string, unknown]>([
    ['a bigint', 1n],
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a cycle', cycle],
    ['a map', new Map()],
    [
      'something that throws when read',
      {
        get a() {
          throw new Error('no')
        },
      },
    ],
  ])('that is no JSON becomes one error event, and the run goes on: %s', async (_what, data) => {
    const graph = graphOf((ctx) => {
      ctx.writer('before')
      ctx.writer({ nested: data })
      ctx.writer('after')
      return { log: ['fine'] }
    })
    const events = await all(graph.events({}))
    const told = events.flatMap((event) => {
      if (event.type === 'custom') return [event.data]
      return event.type === 'error' ? [event.error] : []
    })
    expect(told).toEqual([
      'before',
      {
        code: 'UNSERIALIZABLE',
        node: 'node',
        message: expect.stringMatching(/what node "node" wrote is left out: .*nested/),
      },
      'after',
    ])
    expect(events.at(-1)).toMatchObject({ status: 'done' })
    expect(await graph.invoke({})).toEqual({ log: ['fine'] })
  })
})

describe('a writer', () => {
  test('kept by a node and used after it ended is refused, naming the node', async () => {
    let kept: NodeContext | undefined
    const refused: unknown[] = []
    const graph = graphOf(
      (ctx) => {
        kept = ctx
        ctx.writer('in time')
      },
      () => {
        for (const act of [() => kept!.writer('late'), () => kept!.progress(1), () => kept!.pushMessage('late')]) {
          try {
            act()
          } catch (error) {
            refused.push(error)
          }
        }
      },
    )
    const events = await all(graph.events({}))
    expect(ofType(events, 'custom').map(({ data }) => data)).toEqual(['in time'])
    expect(refused).toHaveLength(3)
    for (const error of refused) {
      expect(error).toMatchObject({
        code: 'NO_CONTEXT',
        node: 'node',
        message: expect.stringMatching(/node "node" has already ended/),
      })
    }
  })

  test('of a router of the entry is refused after the routing', async () => {
    let kept: NodeContext | undefined
    const graph = new StateGraph(state({ log: log() }))
      .addNode('a', () => {
        kept!.writer('late')
      })
      .addConditionalEdges(START, (_s, ctx) => {
        kept = ctx
        return 'a'
      })
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'NO_CONTEXT' })
  })
})

describe('getWriter() and getContext()', () => {
  test('outside of a run are NO_CONTEXT', () => {
    expect(() => getWriter()).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }))
    expect(() => getContext()).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }))
  })

  test('in what a node left running are refused when they write', async () => {
    const opened = gate()
    let late: Promise<unknown> = Promise.resolve()
    const graph = graphOf(() => {
      late = opened.opened.then(() => getWriter()('late'))
      late.catch(() => {})
    })
    await graph.invoke({})
    opened.open()
    expect(await rejection(late)).toMatchObject({ code: 'NO_CONTEXT' })
  })
})
