import { describe, expect, test } from 'vitest'
import { Command, END, messages, reduced, START, state, StateGraph } from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

describe('an error handler', () => {
  test('stands in for a node that failed for good: it gets the error, the state and a context', async () => {
    const failure = new Error('broken')
    const graph = new StateGraph(schema())
      .addNode(
        'node',
        () => {
          throw failure
        },
        {
          retry: { attempts: 2, delayMs: 0, jitter: false },
          onError: (error, s, ctx) => ({ log: [String(error === failure), s.log.join(), String(ctx.attempt)] }),
        },
      )
      .addEdge(START, 'node')
      .compile()
    expect((await graph.invoke({ log: ['in'] })).log).toEqual(['in', 'true', 'in', '3'])
  })

  test('withdraws what the failed attempt told, and its own messages say their attempt', async () => {
    const graph = new StateGraph(schema())
      .addNode(
        'node',
        (_s, ctx) => {
          ctx.writer('before')
          throw new Error('x')
        },
        { onError: () => ({ messages: [{ id: 'sorry', role: 'assistant', content: 'sorry' }] }) },
      )
      .addEdge(START, 'node')
      .compile()
    const events = (await all(graph.events({ messages: [] }))).filter(({ node }) => node === 'node')
    expect(events.map(({ type, attempt = 1 }) => [type, attempt])).toEqual([
      ['task.start', 1],
      ['custom', 1],
      ['rewind', 1],
      ['message', 2],
      ['task.end', 1],
    ])
  })

  test('may go elsewhere with a command, and the edges of the node hold', async () => {
    const graph = new StateGraph(schema(), { nodes: ['node', 'next', 'rescue'] })
      .addNode(
        'node',
        () => {
          throw new Error('x')
        },
        { onError: () => new Command({ goto: 'rescue' }) },
      )
      .addNode('next', () => ({ log: ['next'] }))
      .addNode('rescue', () => ({ log: ['rescue'] }))
      .addEdge(START, 'node')
      .addEdge('node', 'next')
      .addEdge('rescue', END)
      .compile()
    expect((await graph.invoke({})).log).toEqual(['next', 'rescue'])
  })

  test('that throws fails the run with its own error', async () => {
    const graph = new StateGraph(schema())
      .addNode(
        'node',
        () => {
          throw new Error('first')
        },
        {
          onError: () => {
            throw new Error('second')
          },
        },
      )
      .addEdge(START, 'node')
      .compile()
    expect(await rejection(graph.invoke({}))).toEqual(new Error('second'))
  })

  test('is not asked when the run was cancelled, nor when a sibling failed', async () => {
    const asked: string[] = []
    const opened = gate()
    const build = () =>
      new StateGraph(schema())
        .addNode('waits', (_s, ctx) => opened.opened.then(() => ctx.signal.throwIfAborted()), {
          onError: () => void asked.push('waits'),
        })
        .addNode('fails', async (_s, ctx) => {
          await new Promise((_resolve, reject) => {
            ctx.signal.addEventListener('abort', () => reject(new Error('aborted')))
            if (ctx.context === 'fail') reject(new Error('x'))
          })
        })
        .addEdge(START, 'waits')
        .addEdge(START, 'fails')
        .compile()
    expect(await rejection(build().invoke({}, { context: 'fail' }))).toEqual(new Error('x'))
    const stop = new AbortController()
    const ended = rejection(build().invoke({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect(await ended).toMatchObject({ code: 'CANCELLED' })
    opened.open()
    await settle()
    expect(asked).toEqual([])
  })

  test('is asked for a node whose time is up', async () => {
    const graph = new StateGraph(schema())
      .addNode('slow', () => new Promise<never>(() => {}), {
        timeout: 1,
        onError: (error) => ({ log: [(error as { code: string }).code] }),
      })
      .addEdge(START, 'slow')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['NODE_TIMEOUT'])
  })

  test('leaves one end to the task: ok', async () => {
    const graph = new StateGraph(schema())
      .addNode(
        'node',
        () => {
          throw new Error('x')
        },
        { onError: () => ({}) },
      )
      .addEdge(START, 'node')
      .compile()
    expect(ofType(await all(graph.events({})), 'task.end').map(({ outcome }) => outcome)).toEqual(['ok'])
  })
})
