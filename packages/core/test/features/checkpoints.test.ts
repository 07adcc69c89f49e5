import { emptyState, foldAll, valuesOf, type RunEvent } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import {
  Command,
  END,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  value,
  type Checkpoint,
  type Checkpointer,
} from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { JsonCheckpointer } from '../json-checkpointer.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })
const thread = { threadId: 't' }
const says = (what: string) => () => ({ log: [what] })

const line = (checkpointer: Checkpointer) =>
  new StateGraph(schema())
    .addNode('a', says('a'))
    .addNode('b', says('b'))
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile({ checkpointer })

const stores = [
  ['in memory', () => new MemoryCheckpointer()],
  ['in a store of text', () => new JsonCheckpointer()],
] as const

describe.each(stores)('a thread %s', (_where, store) => {
  test('has a checkpoint for the input and for each step, linked, newest first', async () => {
    const graph = line(store())
    await graph.invoke({ log: ['in'] }, { ...thread, metadata: { user: 'u' } })
    const history = await all(graph.getStateHistory('t'))
    expect(history.map(({ values, next, step, source }) => [values['log'], next, step, source])).toEqual([
      [['in', 'a', 'b'], [], 2, 'loop'],
      [['in', 'a'], ['b'], 1, 'loop'],
      [['in'], ['a'], 0, 'loop'],
      [[], [START], -1, 'input'],
    ])
    expect(history.map(({ parentCheckpointId }) => parentCheckpointId)).toEqual([
      ...history.slice(1).map(({ checkpointId }) => checkpointId),
      undefined,
    ])
    expect(history[0]).toMatchObject({ metadata: { user: 'u' }, interrupts: [], createdAt: expect.any(Number) })
  })

  test('answers its newest state, one at a checkpoint, and nothing where there is none', async () => {
    const graph = line(store())
    expect(await graph.getState('t')).toBeUndefined()
    expect(await all(graph.getStateHistory('t'))).toEqual([])
    await graph.invoke({}, thread)
    const [newest, before] = await all(graph.getStateHistory('t'))
    expect(await graph.getState('t')).toEqual(newest)
    expect(await graph.getState('t', before?.checkpointId)).toEqual(before)
    expect(await graph.getState('t', 'unknown')).toBeUndefined()
    expect(await graph.getState('other')).toBeUndefined()
  })

  test('answers as much of its history as was asked for', async () => {
    const graph = line(store())
    await graph.invoke({}, thread)
    const history = await all(graph.getStateHistory('t'))
    expect(await all(graph.getStateHistory('t', { limit: 2 }))).toEqual(history.slice(0, 2))
    const before = history[1]!.checkpointId!
    expect(await all(graph.getStateHistory('t', { before, limit: 1 }))).toEqual(history.slice(2, 3))
  })

  test('goes on in the next turn from where it stood', async () => {
    const graph = line(store())
    await graph.invoke({ log: ['1'], n: 1 }, thread)
    expect(await graph.invoke({ log: ['2'] }, thread)).toEqual({ log: ['1', 'a', 'b', '2', 'a', 'b'], n: 1 })
    expect(await graph.invoke({ log: ['x'] }, { threadId: 'u' })).toEqual({ log: ['x', 'a', 'b'] })
    expect(await graph.invoke({ log: ['x'] })).toEqual({ log: ['x', 'a', 'b'] })
  })

  test('runs again from a checkpoint: what follows it, as a branch, and the rest stays', async () => {
    const graph = line(store())
    await graph.invoke({ log: ['in'] }, thread)
    const before = await all(graph.getStateHistory('t'))
    const atB = before[1]!.checkpointId!
    expect((await graph.invoke(null, { ...thread, checkpointId: atB })).log).toEqual(['in', 'a', 'b'])
    const after = await all(graph.getStateHistory('t'))
    expect(after.slice(2)).toEqual(before)
    const [end, fork] = after
    expect(fork).toMatchObject({ source: 'fork', step: 2, next: ['b'], parentCheckpointId: atB })
    expect(end).toMatchObject({ source: 'loop', step: 3, next: [], parentCheckpointId: fork?.checkpointId })
  })

  test('going on, tells the checkpoint it goes on from after its state, and writes none', async () => {
    const graph = line(store())
    await graph.invoke({ log: ['in'] }, { ...thread, interruptBefore: ['b'] })
    const stopped = await graph.getState('t')
    const chunks = await all(graph.stream(null, { ...thread, streamMode: ['values', 'checkpoints', 'tasks'] }))
    expect(chunks.map(([mode]) => mode).slice(0, 3)).toEqual(['values', 'checkpoints', 'tasks'])
    expect(chunks[1]?.[1]).toMatchObject({
      id: stopped?.checkpointId,
      next: ['b'],
      metadata: { source: 'loop', step: 1 },
    })
    expect(chunks.filter(([mode]) => mode === 'checkpoints')).toHaveLength(2)
    expect(await all(graph.getStateHistory('t'))).toHaveLength(4)
  })

  test('runs again from the checkpoint of an input with that input', async () => {
    const graph = line(store())
    await graph.invoke({ log: ['in'], n: 4 }, thread)
    const input = (await all(graph.getStateHistory('t'))).at(-1)!
    const again = await graph.invoke(null, { ...thread, checkpointId: input.checkpointId! })
    expect(again).toEqual({ log: ['in', 'a', 'b'], n: 4 })
  })

  test('takes a new input at a checkpoint', async () => {
    const graph = line(store())
    await graph.invoke({ log: ['in'] }, thread)
    const [, afterA] = await all(graph.getStateHistory('t'))
    const answer = await graph.invoke({ log: ['other'] }, { ...thread, checkpointId: afterA!.checkpointId! })
    expect(answer.log).toEqual(['in', 'a', 'other', 'a', 'b'])
  })

  test('refuses to go on from a checkpoint it does not have, and from nothing', async () => {
    const graph = line(store())
    expect(await rejection(graph.invoke(null, thread))).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await rejection(graph.invoke({}, { ...thread, checkpointId: 'nope' }))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('"nope"'),
    })
  })

  test('keeps what had ended when a sibling failed: going on, it does not run again', async () => {
    const runs: string[] = []
    let broken = true
    const graph = new StateGraph(schema())
      .addNode('good', () => {
        runs.push('good')
        return new Command({ update: { log: ['good'] }, goto: [new Send('sent', { list: ['sent'] })] })
      })
      .addNode('flaky', async () => {
        runs.push('flaky')
        await settle()
        if (broken) throw new Error('flaky')
        return { log: ['flaky'] }
      })
      .addNode('sent', (input) => ({ log: (input as unknown as { list: string[] }).list }))
      .addNode('end', says('end'))
      .addEdge(START, 'good')
      .addEdge(START, 'flaky')
      .addEdge(['good', 'flaky'], 'end')
      .compile({ checkpointer: store() })
    expect(await rejection(graph.invoke({}, thread))).toEqual(new Error('flaky'))
    expect(await graph.getState('t')).toMatchObject({ values: { log: ['good'] }, next: ['flaky'] })
    broken = false
    const events = await all(graph.events(null, thread))
    expect(ofType(events, 'task.end').map(({ node, outcome }) => [node, outcome])).toEqual([
      ['good', 'cached'],
      ['flaky', 'ok'],
      ['sent', 'ok'],
      ['end', 'ok'],
    ])
    expect((await graph.getState('t'))?.values['log']).toEqual(['flaky', 'good', 'end', 'sent'])
    expect(runs).toEqual(['flaky', 'good', 'flaky'])
  })

  test('keeps sends, half a join and deferred nodes over a stop', async () => {
    const graph = new StateGraph(schema())
      .addNode('a', () => new Command({ update: { log: ['a'] }, goto: [new Send('work', 1), new Send('work', 2)] }))
      .addNode('work', (input) => ({ log: [`work ${String(input as unknown as number)}`] }))
      .addNode('b', says('b'))
      .addNode('joined', says('joined'))
      .addNode('last', says('last'), { defer: true })
      .addEdge(START, 'a')
      .addEdge(START, 'last')
      .addEdge('a', 'b')
      .addEdge(['a', 'b'], 'joined')
      .compile({ checkpointer: store(), interruptAfter: ['*'] })
    let answer = await graph.invoke({}, thread)
    const nexts = []
    while ('__interrupt__' in answer) {
      nexts.push((await graph.getState('t'))?.next)
      answer = await graph.invoke(null, thread)
    }
    expect(answer.log).toEqual(['a', 'b', 'work 1', 'work 2', 'joined', 'last'])
    expect(nexts).toEqual([['work', 'work', 'b'], ['joined'], ['last']])
  })

  test('cannot be changed by a node or a reader that holds its state', async () => {
    const graph = new StateGraph(state({ list: value<string[]>(), messages: messages() }))
      .addNode('look', (s) => {
        expect(() => s.list.push('x')).toThrow(TypeError)
        expect(() => s.messages.pop()).toThrow(TypeError)
      })
      .addEdge(START, 'look')
      .compile({ checkpointer: store() })
    await graph.invoke({ list: ['a'], messages: [{ id: 'm', role: 'user', content: 'hi' }] }, thread)
    const { values } = (await graph.getState('t'))!
    try {
      ;(values['list'] as string[]).push('from a reader')
    } catch {
      // Frozen or a copy: either keeps the thread as it is.
    }
    await graph.invoke({}, thread)
    expect((await graph.getState('t'))?.values).toMatchObject({ list: ['a'], messages: [{ id: 'm' }] })
  })

  describe('changed from outside', () => {
    test('takes an update as a node would make it, and keeps what runs next', async () => {
      const graph = line(store())
      await graph.invoke({ log: ['in'] }, { ...thread, interruptBefore: ['b'] })
      const id = await graph.updateState('t', { log: ['edit'], n: 7 })
      expect(await graph.getState('t')).toMatchObject({
        checkpointId: id,
        values: { log: ['in', 'a', 'edit'], n: 7 },
        next: ['b'],
        source: 'update',
        step: 2,
      })
      expect((await graph.invoke(null, thread)).log).toEqual(['in', 'a', 'edit', 'b'])
    })

    test('as a node: what follows that node runs next, in place of it', async () => {
      const graph = line(store())
      await graph.invoke({}, { ...thread, interruptBefore: ['a'] })
      await graph.updateState('t', { log: ['instead of a'] }, { asNode: 'a' })
      expect((await graph.getState('t'))?.next).toEqual(['b'])
      expect((await graph.invoke(null, thread)).log).toEqual(['instead of a', 'b'])
    })

    test('as a node with routers: they are asked, and see the update', async () => {
      const graph = new StateGraph(schema())
        .addNode('route', says('route'))
        .addNode('odd', says('odd'))
        .addNode('even', says('even'))
        .addEdge(START, 'route')
        .addConditionalEdges('route', ({ n }) => (n % 2 ? 'odd' : 'even'))
        .compile({ checkpointer: store() })
      await graph.updateState('t', { n: 3 }, { asNode: 'route' })
      expect((await graph.invoke(null, thread)).log).toEqual(['odd'])
      await graph.updateState('t', { n: 4 }, { asNode: 'route' })
      expect((await graph.invoke(null, thread)).log).toEqual(['odd', 'even'])
    })

    test('as a node, leaves what else was to run', async () => {
      const graph = new StateGraph(schema())
        .addNode('a', says('a'))
        .addNode('b', says('b'))
        .addNode('after', says('after'))
        .addEdge(START, 'a')
        .addEdge(START, 'b')
        .addEdge('a', 'after')
        .compile({ checkpointer: store(), interruptBefore: ['a'] })
      await graph.invoke({}, thread)
      await graph.updateState('t', {}, { asNode: 'a' })
      expect((await graph.getState('t'))?.next).toEqual(['b', 'after'])
    })

    test('at an earlier checkpoint makes a branch', async () => {
      const graph = line(store())
      await graph.invoke({ log: ['in'] }, thread)
      const history = await all(graph.getStateHistory('t'))
      const id = await graph.updateState('t', { log: ['edit'] }, { checkpointId: history[1]!.checkpointId! })
      expect(await graph.getState('t', id)).toMatchObject({
        values: { log: ['in', 'a', 'edit'] },
        source: 'update',
        parentCheckpointId: history[1]!.checkpointId,
      })
      expect((await graph.invoke(null, thread)).log).toEqual(['in', 'a', 'edit', 'b'])
      expect((await all(graph.getStateHistory('t'))).slice(2)).toEqual(history)
    })

    test('while a question waits: it keeps waiting, and what had ended beside it counts', async () => {
      const runs: string[] = []
      const graph = new StateGraph(schema())
        .addNode('ask', (s, ctx) => ({ log: [`${s.n}: ${ctx.interrupt<string>('?')}`] }))
        .addNode('side', () => {
          runs.push('side')
          return { log: ['side'] }
        })
        .addEdge(START, 'ask')
        .addEdge(START, 'side')
        .compile({ checkpointer: store() })
      await graph.invoke({ n: 1 }, thread)
      const { interrupts } = (await graph.getState('t'))!
      await graph.updateState('t', { n: 2 })
      expect(await graph.getState('t')).toMatchObject({ values: { log: ['side'], n: 2 }, next: ['ask'], interrupts })
      expect(await graph.invoke(new Command({ resume: 'yes' }), thread)).toEqual({ log: ['2: yes', 'side'], n: 2 })
      expect(runs).toEqual(['side'])
    })

    test('as the node that asks: its question is gone, and what had ended beside it counts', async () => {
      const graph = new StateGraph(schema())
        .addNode('ask', (_s, ctx) => ({ log: [ctx.interrupt<string>('?')] }))
        .addNode('side', says('side'))
        .addNode('end', says('end'))
        .addEdge(START, 'ask')
        .addEdge(START, 'side')
        .addEdge(['ask', 'side'], 'end')
        .compile({ checkpointer: store() })
      await graph.invoke({}, thread)
      await graph.updateState('t', { log: ['answered elsewhere'] }, { asNode: 'ask' })
      expect(await graph.getState('t')).toMatchObject({ next: ['end'], interrupts: [] })
      expect((await graph.invoke(null, thread)).log).toEqual(['side', 'answered elsewhere', 'end'])
    })

    test('refuses unknown keys, nodes and checkpoints, and what is no update', async () => {
      const graph = line(store())
      const bad = (update: unknown, options = {}) => rejection(graph.updateState('t', update, options))
      expect(await bad({ nope: 1 })).toMatchObject({
        code: 'INVALID_UPDATE',
        message: expect.stringContaining('"nope"'),
      })
      expect(await bad({}, { asNode: 'nope' })).toMatchObject({ code: 'INVALID_INPUT' })
      expect(await bad({}, { checkpointId: 'nope' })).toMatchObject({ code: 'NOT_FOUND' })
      expect(await bad('text')).toMatchObject({ code: 'INVALID_INPUT' })
    })
  })
})

test('without a checkpointer there is no state to read or change: UNSUPPORTED', async () => {
  const graph = new StateGraph(schema()).addNode('a', says('a')).addEdge(START, 'a').compile({ name: 'bare' })
  expect(await rejection(graph.getState('t'))).toMatchObject({ code: 'UNSUPPORTED' })
  expect(() => graph.getStateHistory('t')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  expect(await rejection(graph.updateState('t', {}))).toMatchObject({ code: 'UNSUPPORTED' })
  const remembering = graph.withMemory()
  await remembering.invoke({}, thread)
  expect((await remembering.getState('t'))?.values).toEqual({ log: ['a'] })
  expect(remembering.withMemory()).toBe(remembering)
})

/** A store whose writes wait for a gate each. */
class SlowCheckpointer extends MemoryCheckpointer {
  readonly puts: { checkpoint: Checkpoint; open: () => void }[] = []

  override async put(...[threadId, ns, checkpoint, change]: Parameters<MemoryCheckpointer['put']>): Promise<void> {
    const opened = gate()
    this.puts.push({ checkpoint, open: opened.open })
    await opened.opened
    await super.put(threadId, ns, checkpoint, change)
  }
}

describe('durability', () => {
  const counting = (checkpointer: Checkpointer) => {
    const ran: string[] = []
    const node = (name: string) => () => {
      ran.push(name)
      return { log: [name] }
    }
    const graph = new StateGraph(schema())
      .addNode('a', node('a'))
      .addNode('b', node('b'))
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .compile({ checkpointer })
    return { graph, ran }
  }

  test('sync: a step begins only when the checkpoint before it is kept', async () => {
    const store = new SlowCheckpointer()
    const { graph, ran } = counting(store)
    const running = graph.invoke({}, { ...thread, durability: 'sync' })
    for (const [i, before] of [[], [], ['a'], ['a', 'b']].entries()) {
      await settle()
      expect([store.puts.length, [...ran]]).toEqual([i + 1, before])
      store.puts[i]!.open()
    }
    expect((await running).log).toEqual(['a', 'b'])
  })

  test('async: the run goes on and ends when everything is kept, in order', async () => {
    const store = new SlowCheckpointer()
    const { graph, ran } = counting(store)
    let ended = false
    const running = graph.invoke({}, thread).then(() => (ended = true))
    await settle()
    expect(ran).toEqual(['a', 'b'])
    for (let i = 0; i < 4; i++) {
      expect([store.puts.length, ended]).toEqual([i + 1, false])
      store.puts[i]!.open()
      await settle()
    }
    await running
    expect(store.puts.map(({ checkpoint }) => checkpoint.step)).toEqual([-1, 0, 1, 2])
  })

  test('exit: only the last checkpoint is kept, when the run ends, with its parent from before the run', async () => {
    const store = new SlowCheckpointer()
    const { graph } = counting(store)
    const turn = async () => {
      const running = graph.invoke({}, { ...thread, durability: 'exit' })
      await settle()
      store.puts.at(-1)!.open()
      await running
    }
    await turn()
    await turn()
    const history = await all(graph.getStateHistory('t'))
    expect(history.map(({ values, step }) => [values['log'], step])).toEqual([
      [['a', 'b', 'a', 'b'], 6],
      [['a', 'b'], 2],
    ])
    expect(history.map(({ parentCheckpointId }) => parentCheckpointId)).toEqual([history[1]?.checkpointId, undefined])
    expect(store.puts.map(({ checkpoint }) => checkpoint.parent)).toEqual([undefined, history[1]?.checkpointId])
  })

  test.each(['sync', 'async', 'exit'] as const)('%s: what a question needs is kept, below too', async (durability) => {
    const child = new StateGraph(schema())
      .addNode('first', says('first'))
      .addNode('ask', (_s, ctx) => ({ log: [ctx.interrupt<string>('?')] }))
      .addEdge(START, 'first')
      .addEdge('first', 'ask')
      .compile()
    const graph = new StateGraph(schema())
      .addNode('child', child)
      .addEdge(START, 'child')
      .compile({ checkpointer: new JsonCheckpointer() })
    await graph.invoke({}, { ...thread, durability })
    const answer = await graph.invoke(new Command({ resume: 'yes' }), { ...thread, durability })
    expect(answer.log).toEqual(['first', 'yes'])
  })

  test.each(['async', 'exit'] as const)(
    '%s: a failing run keeps what was there before its failure',
    async (durability) => {
      const graph = new StateGraph(schema())
        .addNode('a', says('a'))
        .addNode('b', () => {
          throw new Error('x')
        })
        .addEdge(START, 'a')
        .addEdge('a', 'b')
        .compile({ checkpointer: new MemoryCheckpointer() })
      await rejection(graph.invoke({}, { ...thread, durability }))
      expect(await graph.getState('t')).toMatchObject({ values: { log: ['a'] }, next: ['b'] })
    },
  )
})

describe('a store that fails', () => {
  const broken = new Error('disk full')
  const failing = (method: 'get' | 'put' | 'putPending', until = 0) => {
    const store = new MemoryCheckpointer()
    const working = store[method].bind(store) as (...args: unknown[]) => Promise<never>
    let calls = 0
    Object.assign(store, {
      [method]: (...args: unknown[]) => (calls++ < until ? working(...args) : Promise.reject(broken)),
    })
    return store
  }
  const storeError = { code: 'INTERNAL', message: 'the checkpointer failed: disk full', cause: broken }

  test.each(['sync', 'async', 'exit'] as const)(
    'to write fails the run, %s, after everything it told',
    async (durability) => {
      const { items, error } = await allAndError(
        line(failing('put')).stream({}, { ...thread, durability, streamMode: 'updates' }),
      )
      expect(error).toMatchObject(storeError)
      expect(items).toEqual(durability === 'sync' ? [] : [{ a: { log: ['a'] } }, { b: { log: ['b'] } }])
      const events = await all(line(failing('put', 1)).events({}, { ...thread, durability: 'sync' }))
      expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'error', error: { code: 'INTERNAL' } })
    },
  )

  test('to read fails the run before any node', async () => {
    const events = await all(line(failing('get')).events({}, thread))
    expect(events.map(({ type }) => type)).toEqual(['run.start', 'run.end'])
    expect(await rejection(line(failing('get')).invoke({}, thread))).toMatchObject(storeError)
  })

  test('to keep a question fails the run: nobody is asked for an answer that would be lost', async () => {
    const graph = new StateGraph(schema())
      .addNode('ask', (_s, ctx) => ({ log: [ctx.interrupt<string>('?')] }))
      .addEdge(START, 'ask')
      .compile({ checkpointer: failing('putPending') })
    expect(await rejection(graph.invoke({}, thread))).toMatchObject(storeError)
  })

  test('does not hide what a node threw: both are told', async () => {
    const failure = new Error('node')
    const graph = new StateGraph(schema())
      .addNode('a', () => {
        throw failure
      })
      .addEdge(START, 'a')
      .compile({ checkpointer: failing('put') })
    expect(await rejection(graph.invoke({}, thread))).toBe(failure)
    const events = await all(graph.events({}, thread))
    expect(ofType(events, 'error').map(({ error }) => error.message)).toEqual([storeError.message])
    expect(events.at(-1)).toMatchObject({ error: { node: 'a', message: 'node' } })
  })

  test('that hangs does not hold up a run that is cancelled', async () => {
    const store = new MemoryCheckpointer()
    Object.assign(store, { get: () => new Promise(() => {}) })
    const stop = new AbortController()
    const ended = rejection(line(store).invoke({}, { ...thread, signal: stop.signal }))
    await settle()
    stop.abort()
    expect(await ended).toMatchObject({ code: 'CANCELLED' })
  })
})

describe('what readers see of checkpoints', () => {
  test('each names its parent, its source, its step and what runs next, after the values it is of', async () => {
    const chunks = await all(
      line(new MemoryCheckpointer()).stream({ log: ['in'] }, { ...thread, streamMode: ['values', 'checkpoints'] }),
    )
    const seen = chunks.map(([mode, chunk]) =>
      mode === 'values' ? chunk.log : [chunk.metadata.source, chunk.metadata.step, chunk.next],
    )
    expect(seen).toEqual([
      ['input', -1, [START]],
      ['in'],
      ['loop', 0, ['a']],
      ['in', 'a'],
      ['loop', 1, ['b']],
      ['in', 'a', 'b'],
      ['loop', 2, []],
    ])
    const checkpoints = chunks.flatMap(([mode, chunk]) => (mode === 'checkpoints' ? [chunk] : []))
    expect(checkpoints.map(({ parentId }) => parentId)).toEqual([
      undefined,
      ...checkpoints.slice(0, -1).map(({ id }) => id),
    ])
    expect(() => JSON.stringify(checkpoints)).not.toThrow()
  })

  test('messages name the checkpoint their step started from', async () => {
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('a', () => ({ messages: [{ id: 'a', role: 'assistant', content: 'a' }] }))
      .addNode('b', () => ({ messages: [{ id: 'b', role: 'assistant', content: 'b' }] }))
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const events = await all(graph.events({ messages: [] }, thread))
    const [, afterA, afterInput] = await all(graph.getStateHistory('t'))
    expect(ofType(events, 'message').map(({ message }) => [message.id, message.meta?.checkpoint])).toEqual([
      ['a', afterInput?.checkpointId],
      ['b', afterA?.checkpointId],
    ])
  })

  test('a run from an earlier checkpoint takes readers of the log back first', async () => {
    const graph = new StateGraph(state({ messages: messages(), n: value<number>() }))
      .addNode('say', (_s, ctx) => ({ messages: [{ id: ctx.runId, role: 'assistant', content: ctx.runId }], n: 1 }))
      .addEdge(START, 'say')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const runs: RunEvent[][] = []
    const run = async (runId: string, input: object | null, options: object = {}) =>
      runs.push(await all(graph.events(input, { ...thread, runId, historyInLog: true, ...options })))
    await run('1', { messages: [] })
    const [first] = await all(graph.getStateHistory('t'))
    await run('2', { messages: [] })
    await run('3', { messages: [] }, { checkpointId: first!.checkpointId })
    expect(ofType(runs[2]!, 'rewind')).toMatchObject([{ to: first?.checkpointId, reason: 'fork' }])
    const folded = foldAll(
      emptyState(),
      runs.flat().map((event, i) => ({ ...event, seq: i + 1 })),
    )
    const ids = (valuesOf(folded)['messages'] as { id: string }[]).map(({ id }) => id)
    expect(ids).toEqual(['1', '3'])
  })
})

test('the state of a graph below is kept under its namespace while its task waits', async () => {
  const checkpointer = new MemoryCheckpointer()
  const child = new StateGraph(schema())
    .addNode('first', says('first'))
    .addNode('ask', (_s, ctx) => ({ log: [ctx.interrupt<string>('?')] }))
    .addEdge(START, 'first')
    .addEdge('first', 'ask')
    .compile()
  const graph = new StateGraph(schema()).addNode('child', child).addEdge(START, 'child').compile({ checkpointer })
  const events = await all(graph.events({}, thread))
  const { ns } = ofType(events, 'interrupt')[0]!
  expect(await checkpointer.get('t', ns!.join('|'))).toMatchObject({
    values: { log: ['first'] },
    next: { nodes: [{ name: 'ask' }] },
  })
})

test('a thread that was deleted is gone', async () => {
  const checkpointer = new MemoryCheckpointer()
  const graph = line(checkpointer)
  await graph.invoke({}, thread)
  await checkpointer.deleteThread('t')
  expect(await graph.getState('t')).toBeUndefined()
  expect((await graph.invoke({}, thread)).log).toEqual(['a', 'b'])
})

test('a graph that ends at once keeps its input', async () => {
  const graph = new StateGraph(schema())
    .addNode('a', says('a'))
    .addConditionalEdges(START, () => END)
    .compile({ checkpointer: new MemoryCheckpointer() })
  expect(await graph.invoke({ n: 1 }, thread)).toEqual({ log: [], n: 1 })
  expect((await graph.getState('t'))?.values).toEqual({ log: [], n: 1 })
})

test('an update makes a thread where there is none: its first checkpoint is of step 0, as after an input', async () => {
  const graph = line(new MemoryCheckpointer())
  await graph.updateState('t', { log: ['x'] }, { asNode: 'a' })
  expect(await graph.getState('t')).toMatchObject({ values: { log: ['x'] }, next: ['b'], step: 0, source: 'update' })
  expect((await graph.invoke(null, thread)).log).toEqual(['x', 'b'])
  expect((await graph.getState('t'))?.step).toBe(1)
})

test('a deferred node waits for sends and for what they lead to', async () => {
  const graph = new StateGraph(schema())
    .addNode('split', says('split'))
    .addNode('work', says('work'))
    .addNode('more', says('more'))
    .addNode('last', ({ log: before }) => ({ log: [`last of ${before.length}`] }), { defer: true })
    .addEdge(START, 'split')
    .addConditionalEdges('split', () => [new Send('work', {}), new Send('work', {})])
    .addEdge('split', 'last')
    .addEdge('work', 'more')
    .addEdge('more', 'last')
    .compile()
  expect((await graph.invoke({})).log).toEqual(['split', 'work', 'work', 'more', 'last of 4'])
})
