import { describe, expect, test } from 'vitest'
import { Command, END, reduced, Send, START, state, StateGraph, value } from '../../src/index.ts'
import { gate, settle, type Gate } from '../gate.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })

describe('a send', () => {
  test('runs its node once for each, with its own input in place of the state', async () => {
    const graph = new StateGraph(schema())
      .addNode('work', (input, ctx) => {
        expect(ctx.state).toBe(input)
        return { log: [JSON.stringify(input)] }
      })
      .addConditionalEdges(START, () => [new Send('work', { i: 0 }), new Send('work', 'text')])
      .compile()
    expect((await graph.invoke({ n: 9 })).log).toEqual(['{"i":0}', '"text"'])
  })

  test('starts before the nodes that edges reach and applies after them, in the order sent', async () => {
    const gates = [gate(), gate(), gate()]
    const graph = new StateGraph(schema())
      .addNode('work', async (input) => {
        // What was sent, which is not the state.
        const { i } = input as unknown as { i: number }
        await gates[i]!.opened
        return { log: [`w${i}`] }
      })
      .addNode('edge', () => ({ log: ['edge'] }))
      .addConditionalEdges(START, () => [
        new Send('work', { i: 0 }),
        new Send('work', { i: 1 }),
        new Send('work', { i: 2 }),
      ])
      .addEdge(START, 'edge')
      .compile()
    const events = all(graph.events({}))
    for (const one of [...gates].reverse()) {
      await settle()
      one.open()
    }
    const told = await events
    expect(ofType(told, 'task.start').map(({ node }) => node)).toEqual(['work', 'work', 'work', 'edge'])
    const ids = ofType(told, 'task.start').map(({ task }) => task)
    expect(ofType(told, 'task.end').map(({ task }) => ids.indexOf(task))).toEqual([3, 2, 1, 0])
    expect(ofType(told, 'values').at(-1)?.set).toEqual({ log: ['edge', 'w0', 'w1', 'w2'] })
  })

  test('may come from a command, and tasks of one node have ids of their own', async () => {
    const graph = new StateGraph(schema())
      .addNode('plan', () => new Command({ goto: [new Send('work', { i: 1 }), new Send('work', { i: 2 }), 'other'] }))
      .addNode('work', (_input, ctx) => ({ log: [ctx.task] }))
      .addNode('other', () => ({ log: ['other'] }))
      .addEdge(START, 'plan')
      .compile()
    const { log: ids } = await graph.invoke({})
    expect(ids[0]).toBe('other')
    expect(new Set(ids).size).toBe(3)
  })

  test('leads on from each: what follows runs once', async () => {
    const graph = new StateGraph(schema())
      .addNode('work', () => ({ log: ['work'] }))
      .addNode('done', () => ({ log: ['done'] }))
      .addConditionalEdges(START, () => [1, 2, 3].map((i) => new Send('work', i)))
      .addEdge('work', 'done')
      .compile()
    expect((await graph.invoke({})).log).toEqual(['work', 'work', 'work', 'done'])
  })

  test('to no node fails naming it', async () => {
    const graph = new StateGraph(schema())
      .addNode('work', () => ({}))
      .addConditionalEdges(START, () => new Send('nope' as string as 'work', {}))
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({
      code: 'INVALID_UPDATE',
      message: expect.stringContaining('"nope"'),
    })
  })

  test('to the end fails: nothing can be sent there', async () => {
    const graph = new StateGraph(schema())
      .addNode('work', () => ({}))
      .addConditionalEdges(START, () => new Send(END as string as 'work', {}))
      .compile()
    expect(await rejection(graph.invoke({}))).toMatchObject({ code: 'INVALID_UPDATE' })
  })

  test('cannot be changed after it was made, by its maker or by who reads the stream', async () => {
    const input = { list: ['sent'] }
    const opened = gate()
    const graph = new StateGraph(schema())
      .addNode('work', async (sent) => {
        await opened.opened
        // What was sent, which is not the state.
        return { log: [...(sent as unknown as typeof input).list] }
      })
      .addConditionalEdges(START, () => new Send('work', input))
      .compile()
    const refused: unknown[] = []
    const shown: unknown[] = []
    for await (const [mode, chunk] of graph.stream({}, { streamMode: ['tasks', 'values'] })) {
      if (mode === 'values') shown.push(chunk.log)
      if (mode !== 'tasks' || !('input' in chunk)) continue
      input.list.push('late')
      try {
        ;(chunk.input as typeof input).list.push('from the reader')
      } catch (error) {
        refused.push(error)
      }
      opened.open()
    }
    expect(shown).toEqual([['sent']])
    expect(refused).toEqual([expect.any(TypeError)])
  })
})

describe('maxConcurrency', () => {
  test('bounds how many tasks of a step run at once, sends and nodes together', async () => {
    const running = new Set<number>()
    let most = 0
    const gates: Gate[] = Array.from({ length: 7 }, () => gate())
    const graph = new StateGraph(schema())
      .addNode('work', async (input) => {
        // What was sent, which is not the state.
        const i = input as unknown as number
        running.add(i)
        most = Math.max(most, running.size)
        await gates[i]!.opened
        running.delete(i)
        return { log: [String(i)] }
      })
      .addConditionalEdges(START, () => gates.map((_, i) => new Send('work', i)))
      .compile()
    const answer = graph.invoke({}, { maxConcurrency: 3 })
    await settle()
    expect([...running]).toEqual([0, 1, 2])
    gates[1]!.open()
    await settle()
    expect([...running]).toEqual([0, 2, 3])
    for (const one of gates) one.open()
    expect((await answer).log).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect(most).toBe(3)
  })

  test('with one at a time a failure keeps the rest from starting', async () => {
    const started: unknown[] = []
    const graph = new StateGraph(schema())
      .addNode('work', (input) => {
        started.push(input)
        if (started.length === 2) throw new Error('stop here')
      })
      .addConditionalEdges(START, () => [0, 1, 2, 3].map((i) => new Send('work', i)))
      .compile()
    const events = await all(graph.events({}, { maxConcurrency: 1 }))
    expect(started).toEqual([0, 1])
    expect(ofType(events, 'task.end').map(({ outcome }) => outcome)).toEqual(['ok', 'error', 'aborted', 'aborted'])
  })

  test.each([0, -2, Number.NaN, 1.5])('of %s is refused', async (maxConcurrency) => {
    const graph = new StateGraph(schema())
      .addNode('work', () => ({}))
      .addEdge(START, 'work')
      .compile()
    expect(await rejection(graph.invoke({}, { maxConcurrency }))).toMatchObject({ code: 'INVALID_INPUT' })
  })
})
