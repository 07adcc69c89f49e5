import { foldAll, emptyState, interruptsOf, valuesOf, type RunEvent } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  Command,
  END,
  interrupt,
  MemoryCheckpointer,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  value,
  type InterruptUpdate,
} from '../../src/index.ts'
import { settle } from '../gate.ts'
import { JsonCheckpointer } from '../json-checkpointer.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), n: value<number>() })
const thread = { threadId: 't' }

const stores = [
  ['in memory', () => new MemoryCheckpointer()],
  ['in a store of text', () => new JsonCheckpointer()],
] as const

/** What a run asks, as `[id, value]`. */
const asked = (answer: Partial<InterruptUpdate>) =>
  (answer.__interrupt__ ?? []).map(({ id, value: question }) => [id, question] as const)

/** The state of one thread as its events tell it. */
function told(...runs: readonly (readonly RunEvent[])[]) {
  return foldAll(
    emptyState(),
    runs.flat().map((event, i) => ({ ...event, seq: i + 1 })),
  )
}

describe.each(stores)('a question, with threads %s,', (_where, store) => {
  const asking = () => {
    const runs: string[] = []
    const graph = new StateGraph(schema())
      .addNode('ask', (_s, ctx) => {
        runs.push('ask')
        const first = ctx.interrupt({ q: 'ok?' })
        const second = ctx.interrupt('sure?')
        return { log: [`${String(first)}, ${String(second)}`] }
      })
      .addNode('side', (_s, ctx) => {
        runs.push('side')
        ctx.writer('side wrote')
        return { log: ['side'] }
      })
      .addNode('end', () => ({ log: ['end'] }))
      .addEdge(START, 'ask')
      .addEdge(START, 'side')
      .addEdge(['ask', 'side'], 'end')
      .compile({ checkpointer: store() })
    return { graph, runs }
  }

  test('stops the run, is answered, and the node runs again from its start', async () => {
    const { graph, runs } = asking()
    const first = await graph.invoke({}, thread)
    expect(asked(first)).toEqual([[expect.any(String), { q: 'ok?' }]])
    const second = await graph.invoke(new Command({ resume: 'yes' }), thread)
    expect(asked(second)).toEqual([[expect.any(String), 'sure?']])
    expect(asked(second)[0]![0]).not.toBe(asked(first)[0]![0])
    const done = await graph.invoke(new Command({ resume: 'very' }), thread)
    expect(done).toEqual({ log: ['yes, very', 'side', 'end'] })
    expect(runs.filter((node) => node === 'ask')).toHaveLength(3)
  })

  test('leaves siblings that had ended as they are: they do not run again', async () => {
    const { graph, runs } = asking()
    await graph.invoke({}, thread)
    await graph.invoke(new Command({ resume: 'a' }), thread)
    await graph.invoke(new Command({ resume: 'b' }), thread)
    expect(runs.filter((node) => node === 'side')).toHaveLength(1)
  })

  test('shows the values with what siblings wrote, and they never go backwards', async () => {
    const { graph } = asking()
    const logs: string[][] = []
    for (const input of [{}, new Command({ resume: 'a' }), new Command({ resume: 'b' })]) {
      for await (const chunk of graph.stream(input, { ...thread, streamMode: 'values' })) logs.push([...chunk.log])
    }
    expect(logs).toEqual([['side'], ['side'], ['side'], ['side'], ['a, b', 'side'], ['a, b', 'side', 'end']])
  })

  test('is in the state of the thread until it is answered', async () => {
    const { graph } = asking()
    const first = await graph.invoke({}, thread)
    expect(await graph.getState('t')).toMatchObject({
      values: { log: ['side'] },
      next: ['ask'],
      interrupts: asked(first).map(([id, question]) => ({ id, value: question })),
    })
    await graph.invoke(new Command({ resume: 'a' }), thread)
    await graph.invoke(new Command({ resume: 'b' }), thread)
    expect(await graph.getState('t')).toMatchObject({ next: [], interrupts: [] })
  })

  test('ends its task as interrupted; a sibling that had ended has a start and an end on resuming', async () => {
    const { graph } = asking()
    const first = await all(graph.events({}, thread))
    expect(ofType(first, 'task.end').map(({ node, outcome }) => [node, outcome])).toEqual([
      ['ask', 'interrupted'],
      ['side', 'ok'],
    ])
    expect(first.at(-1)).toMatchObject({ type: 'run.end', status: 'interrupted' })
    const second = await all(graph.events(new Command({ resume: 'a' }), thread))
    expect(ofType(second, 'run.start')[0]?.resume).toEqual([ofType(first, 'interrupt')[0]?.id])
    const tasks = second.flatMap((event) => {
      if (event.type === 'task.start') return [[event.type, event.node]]
      return event.type === 'task.end' ? [[event.type, event.node, event.outcome]] : []
    })
    expect(tasks).toEqual([
      ['task.start', 'side'],
      ['task.end', 'side', 'cached'],
      ['task.start', 'ask'],
      ['task.end', 'ask', 'interrupted'],
    ])
  })

  test('withdraws on resuming what the node told before it asked', async () => {
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('ask', (_s, ctx) => {
        ctx.pushMessage({ id: `draft${ctx.runId}`, role: 'assistant', content: 'a draft' })
        ctx.writer('thinking')
        return { messages: [{ id: 'm', role: 'assistant', content: String(ctx.interrupt('ok?')) }] }
      })
      .addEdge(START, 'ask')
      .compile({ checkpointer: store() })
    const first = await all(graph.events({ messages: [] }, { ...thread, runId: '1' }))
    const whileAsking = told(first)
    expect([whileAsking.settled.has('draft1'), whileAsking.recent.length]).toEqual([true, 1])
    const second = await all(graph.events(new Command({ resume: 'yes' }), { ...thread, runId: '2' }))
    const after = told(first, second)
    expect([after.settled.has('draft1'), after.settled.has('draft2'), after.recent.length]).toEqual([false, true, 1])
    expect(ofType(second, 'rewind')).toEqual([
      expect.objectContaining({ node: 'ask', attempt: 1, task: ofType(first, 'task.start')[0]?.task }),
    ])
  })
})

describe.each(stores)('several questions at once, with threads %s,', (_where, store) => {
  const both = () => {
    const runs: string[] = []
    const graph = new StateGraph(schema())
      .addNode('work', (sent, ctx) => {
        // What was sent, which is not the state.
        const name = sent as unknown as string
        runs.push(name)
        return { log: [`${name}: ${ctx.interrupt<string>(`how is ${name}?`)}`] }
      })
      .addConditionalEdges(START, () => [new Send('work', 'a'), new Send('work', 'b'), new Send('work', 'c')])
      .compile({ checkpointer: store() })
    return { graph, runs }
  }

  test('are all shown, each with an id of its own', async () => {
    const { graph } = both()
    const questions = asked(await graph.invoke({}, thread))
    expect(questions.map(([, question]) => question)).toEqual(['how is a?', 'how is b?', 'how is c?'])
    expect(new Set(questions.map(([id]) => id)).size).toBe(3)
  })

  test('refuse a single answer, naming the ids, and can still be answered', async () => {
    const { graph } = both()
    const ids = asked(await graph.invoke({}, thread)).map(([id]) => id)
    const error = await rejection(graph.invoke(new Command({ resume: 'fine' }), thread))
    expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(ids.join(', ')) })
    const resume = Object.fromEntries(ids.map((id, i) => [id, `fine${i}`]))
    const { log: answers } = await graph.invoke(new Command({ resume }), thread)
    expect(answers).toEqual(['a: fine0', 'b: fine1', 'c: fine2'])
  })

  test('can be answered one after the other: what is answered runs once more, the rest goes on asking', async () => {
    const { graph, runs } = both()
    const [a, b, c] = asked(await graph.invoke({}, thread)).map(([id]) => id)
    const second = asked(await graph.invoke(new Command({ resume: { [b!]: 'B' } }), thread))
    expect(second.map(([id]) => id)).toEqual([a, c])
    const third = asked(await graph.invoke(new Command({ resume: { [c!]: 'C' } }), thread))
    expect(third.map(([id]) => id)).toEqual([a])
    const done = await graph.invoke(new Command({ resume: 'A' }), thread)
    expect(done.log).toEqual(['a: A', 'b: B', 'c: C'])
    expect(runs.filter((name) => name === 'b')).toHaveLength(2)
  })

  test('refuse answers to ids that do not ask', async () => {
    const { graph } = both()
    await graph.invoke({}, thread)
    expect(await rejection(graph.invoke(new Command({ resume: { nobody: 1 } }), thread))).toMatchObject({
      code: 'INVALID_INPUT',
    })
  })
})

test.each([[null], [false], [0], [''], [{}], [['list']]])('an answer may be %j', async (answer) => {
  const seen: unknown[] = []
  const graph = new StateGraph(schema())
    .addNode('ask', (_s, ctx) => void seen.push(ctx.interrupt('?')))
    .addEdge(START, 'ask')
    .compile({ checkpointer: new MemoryCheckpointer() })
  await graph.invoke({}, thread)
  await graph.invoke(new Command({ resume: answer }), thread)
  expect(seen).toEqual([answer])
})

test('an answer nobody asked for is INVALID_INPUT', async () => {
  const graph = new StateGraph(schema())
    .addNode('a', () => ({}))
    .addEdge(START, 'a')
    .compile({ checkpointer: new MemoryCheckpointer() })
  await graph.invoke({}, thread)
  for (const threadId of ['t', 'unknown']) {
    expect(await rejection(graph.invoke(new Command({ resume: 1 }), { threadId }))).toMatchObject({
      code: 'INVALID_INPUT',
    })
  }
})

test('a question without a thread to keep it is UNSUPPORTED, naming the node', async () => {
  const graph = (checkpointer: { checkpointer?: MemoryCheckpointer }) =>
    new StateGraph(schema())
      .addNode('ask', (_s, ctx) => void ctx.interrupt('?'))
      .addEdge(START, 'ask')
      .compile(checkpointer)
  const expected = { code: 'UNSUPPORTED', message: expect.stringContaining('"ask"') }
  expect(await rejection(graph({}).invoke({}, thread))).toMatchObject(expected)
  expect(await rejection(graph({ checkpointer: new MemoryCheckpointer() }).invoke({}))).toMatchObject(expected)
})

test('interrupt() outside of a node is NO_CONTEXT', () => {
  expect(() => interrupt('?')).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }))
})

describe('a question in graphs below', () => {
  const runs: string[] = []
  const nested = () => {
    runs.length = 0
    const grandchild = new StateGraph(schema())
      .addNode('before', () => {
        runs.push('before')
        return { log: ['before'] }
      })
      .addNode('ask', (_s, ctx) => {
        runs.push('ask')
        return { log: [`said ${ctx.interrupt<string>('deep?')}`] }
      })
      .addEdge(START, 'before')
      .addEdge('before', 'ask')
      .compile()
    const child = new StateGraph(schema()).addNode('grandchild', grandchild).addEdge(START, 'grandchild').compile()
    return new StateGraph(schema())
      .addNode('child', child)
      .addNode('end', () => ({ n: 1 }))
      .addEdge(START, 'child')
      .addEdge('child', 'end')
      .compile({ checkpointer: new MemoryCheckpointer() })
  }

  test('is shown once, where it was asked, two graphs deep', async () => {
    const graph = nested()
    const events = await all(graph.events({}, thread))
    const questions = ofType(events, 'interrupt')
    expect(questions).toHaveLength(1)
    expect(questions[0]?.ns?.map((segment) => segment.split(':')[0])).toEqual(['child', 'grandchild'])
    const chunks = await all(nested().stream({}, { threadId: 'u', streamMode: ['updates', 'values'], subgraphs: true }))
    expect(chunks.filter(([, , chunk]) => Object.hasOwn(chunk as object, '__interrupt__'))).toHaveLength(1)
  })

  test('is shown once to who watches the root only', async () => {
    const chunks = await all(nested().stream({}, { ...thread, streamMode: 'updates' }))
    expect(chunks).toEqual([{ __interrupt__: [{ id: expect.any(String), value: 'deep?' }] }])
  })

  test('goes on where it stopped: what had ended below does not run again', async () => {
    const graph = nested()
    await graph.invoke({}, thread)
    expect(await graph.invoke(new Command({ resume: 'hi' }), thread)).toEqual({ log: ['before', 'said hi'], n: 1 })
    expect(runs).toEqual(['before', 'ask', 'ask'])
  })

  test('is answered in a graph that a node calls, twice in one node', async () => {
    const child = new StateGraph(schema())
      .addNode('ask', ({ n }, ctx) => ({ log: [`${n}: ${ctx.interrupt<string>(`q${n}`)}`] }))
      .addEdge(START, 'ask')
      .compile()
    const graph = new StateGraph(schema())
      .addNode('call', async (_s, ctx) => {
        const first = await ctx.run(child, { n: 1 })
        const second = await ctx.run(child, { n: 2 })
        return { log: [...first.log, ...second.log] }
      })
      .addEdge(START, 'call')
      .compile({ checkpointer: new MemoryCheckpointer() })
    expect(asked(await graph.invoke({}, thread)).map(([, question]) => question)).toEqual(['q1'])
    expect(asked(await graph.invoke(new Command({ resume: 'a' }), thread)).map(([, q]) => q)).toEqual(['q2'])
    expect((await graph.invoke(new Command({ resume: 'b' }), thread)).log).toEqual(['1: a', '2: b'])
  })

  test('leaves the state below whole for who reads the events of both runs', async () => {
    const child = new StateGraph(state({ messages: messages() }))
      .addNode('say', () => ({ messages: [{ id: 'said', role: 'assistant', content: 'first' }] }))
      .addNode('ask', (_s, ctx) => ({
        messages: [{ id: 'answer', role: 'user', content: ctx.interrupt<string>('?') }],
      }))
      .addEdge(START, 'say')
      .addEdge('say', 'ask')
      .compile()
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('child', child)
      .addEdge(START, 'child')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const first = await all(graph.events({ messages: [] }, thread))
    const second = await all(graph.events(new Command({ resume: 'yes' }), { ...thread, historyInLog: true }))
    const ns = ofType(second, 'values').find((event) => event.ns !== undefined)?.ns
    const contents = (runs: RunEvent[][]) =>
      (valuesOf(told(...runs), ns)['messages'] as { content: string }[]).map(({ content }) => content)
    expect(contents([first])).toEqual(['first'])
    expect(contents([first, second])).toEqual(['first', 'yes'])
  })

  test('leaves the state below whole for who reads the events of the second run only', async () => {
    const child = new StateGraph(state({ messages: messages() }))
      .addNode('say', () => ({ messages: [{ id: 'said', role: 'assistant', content: 'first' }] }))
      .addNode('ask', (_s, ctx) => ({
        messages: [{ id: 'answer', role: 'user', content: ctx.interrupt<string>('?') }],
      }))
      .addEdge(START, 'say')
      .addEdge('say', 'ask')
      .compile()
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('child', child)
      .addEdge(START, 'child')
      .compile({ checkpointer: new MemoryCheckpointer() })
    await graph.invoke({ messages: [{ id: 'q', role: 'user', content: 'hi' }] }, thread)
    const second = told(await all(graph.events(new Command({ resume: 'yes' }), thread)))
    const ns = [...second.spaces.values()].find((space) => space.ns.length > 0)?.ns
    const contents = (values: object) => (values as { messages: { content: string }[] }).messages.map((m) => m.content)
    expect(contents(valuesOf(second, ns))).toEqual(['hi', 'first', 'yes'])
    expect(contents(valuesOf(second))).toEqual(['hi', 'first', 'yes'])
  })
})

describe('an answer', () => {
  const checked = () =>
    new StateGraph(schema())
      .addNode('ask', (_s, ctx) => ({ n: ctx.interrupt('how many?', { schema: z.coerce.number().min(1) }) }))
      .addEdge(START, 'ask')
      .compile({ checkpointer: new MemoryCheckpointer() })

  test('is validated and converted by the schema of the question', async () => {
    const graph = checked()
    await graph.invoke({}, thread)
    expect(await graph.invoke(new Command({ resume: '5' }), thread)).toEqual({ log: [], n: 5 })
  })

  test('that does not fit is INVALID_INPUT, and the question can be answered again', async () => {
    const graph = checked()
    await graph.invoke({}, thread)
    expect(await rejection(graph.invoke(new Command({ resume: '0' }), thread))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/the answer to interrupt \w+ is not valid/),
    })
    expect((await graph.getState('t'))?.interrupts).toHaveLength(1)
    expect(await graph.invoke(new Command({ resume: '2' }), thread)).toEqual({ log: [], n: 2 })
  })

  test('that does not fit leaves the questions beside it and below it waiting, and can be given again', async () => {
    const question = { schema: z.number() }
    const child = new StateGraph(schema())
      .addNode('ask', (_s, ctx) => ({ log: [`below ${ctx.interrupt('below?', question)}`] }))
      .addEdge(START, 'ask')
      .compile()
    const graph = new StateGraph(schema())
      .addNode('beside', (_s, ctx) => ({ log: [`beside ${ctx.interrupt('beside?', question)}`] }))
      .addNode('child', child)
      .addEdge(START, 'beside')
      .addEdge(START, 'child')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const { __interrupt__: asked = [] } = await graph.invoke({}, thread)
    const idOf = (value: string) => asked.find((one) => one.value === value)!.id
    for (const value of ['beside?', 'below?']) {
      const wrong = graph.invoke(new Command({ resume: { [idOf(value)]: 'seven' } }), thread)
      expect(await rejection(wrong)).toMatchObject({ code: 'INVALID_INPUT' })
      expect((await graph.getState('t'))?.interrupts).toHaveLength(2)
    }
    const one = await graph.invoke(new Command({ resume: { [idOf('below?')]: 1 } }), thread)
    expect(one.__interrupt__).toHaveLength(1)
    const both = await graph.invoke(new Command({ resume: { [idOf('beside?')]: 2 } }), thread)
    expect(both.log).toEqual(['beside 2', 'below 1'])
  })

  test('may come with an update of the state', async () => {
    const graph = new StateGraph(schema())
      .addNode('ask', (s, ctx) => ({ log: [`${s.n}: ${ctx.interrupt<string>('?')}`] }))
      .addEdge(START, 'ask')
      .compile({ checkpointer: new MemoryCheckpointer() })
    await graph.invoke({ n: 1 }, thread)
    expect(await graph.invoke(new Command({ resume: 'x', update: { n: 2 } }), thread)).toEqual({ log: ['2: x'], n: 2 })
  })
})

describe('a question that the node swallows', () => {
  test('still wins: the run stops, and what the node returned does not count', async () => {
    const graph = new StateGraph(schema())
      .addNode('ask', (_s, ctx) => {
        try {
          return { log: [`said ${ctx.interrupt<string>('?')}`] }
        } catch {
          return { log: ['swallowed'] }
        }
      })
      .addEdge(START, 'ask')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const first = await graph.invoke({}, thread)
    expect(first).toMatchObject({ log: [], __interrupt__: [{ value: '?' }] })
    expect((await graph.invoke(new Command({ resume: 'x' }), thread)).log).toEqual(['said x'])
  })

  test('is not hidden by a second one, nor by an error thrown in its place', async () => {
    const graph = new StateGraph(schema())
      .addNode('ask', (_s, ctx) => {
        let first: unknown
        try {
          first = ctx.interrupt('first?')
        } catch {
          throw new Error('instead')
        }
        return { log: [String(first)] }
      })
      .addEdge(START, 'ask')
      .compile({ checkpointer: new MemoryCheckpointer() })
    expect(asked(await graph.invoke({}, thread)).map(([, question]) => question)).toEqual(['first?'])
    const twice = new StateGraph(schema())
      .addNode('ask', async (_s, ctx) => {
        const answers = await Promise.allSettled([1, 2].map(async (i) => ctx.interrupt(`q${i}`)))
        return { log: answers.map((answer) => ('value' in answer ? String(answer.value) : 'none')) }
      })
      .addEdge(START, 'ask')
      .compile({ checkpointer: new MemoryCheckpointer() })
    const questions = asked(await twice.invoke({}, thread))
    expect(questions.map(([, question]) => question)).toEqual(['q1', 'q2'])
    const resume = Object.fromEntries(questions.map(([id, question]) => [id, `${String(question)}!`]))
    expect((await twice.invoke(new Command({ resume }), thread)).log).toEqual(['q1!', 'q2!'])
  })
})

test('tools that ask side by side get each its own answer, whatever order they ask in', async () => {
  const order: string[] = []
  const ask = tool(
    async ({ what }: { what: string }, ctx) => {
      if (order.length === 0 && what === 'slow') await Promise.resolve()
      const answer = ctx.interrupt(what)
      order.push(what)
      return `${what} -> ${String(answer)}`
    },
    { name: 'ask', description: 'asks' },
  )
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([ask]))
    .addEdge(START, 'tools')
    .compile({ checkpointer: new MemoryCheckpointer() })
  const toolCalls = ['slow', 'quick'].map((what) => ({ id: what, name: 'ask', args: JSON.stringify({ what }) }))
  const first = await graph.invoke({ messages: [{ id: 'c', role: 'assistant', content: '', toolCalls }] }, thread)
  let pending = asked(first)
  let last = first
  while (pending.length > 0) {
    const resume = Object.fromEntries(pending.map(([id, question]) => [id, `answer to ${String(question)}`]))
    last = await graph.invoke(new Command({ resume }), thread)
    pending = asked(last)
  }
  expect(last.messages.slice(1).map(({ content }) => content)).toEqual([
    'slow -> answer to slow',
    'quick -> answer to quick',
  ])
})

test('a tool that asks lets those beside it come to their end, and all questions are shown at once', async () => {
  const ended: string[] = []
  const ask = tool((_args, ctx) => ctx.interrupt(`ask ${ctx.toolCallId}`), { name: 'ask', description: 'asks' })
  const work = tool(
    async () => {
      await settle()
      ended.push('work')
    },
    { name: 'work', description: 'works' },
  )
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode([ask, work]))
    .addEdge(START, 'tools')
    .compile({ checkpointer: new MemoryCheckpointer() })
  const toolCalls = ['ask', 'work', 'ask'].map((name, i) => ({ id: String(i), name, args: '{}' }))
  const answer = await graph.invoke({ messages: [{ id: 'c', role: 'assistant', content: '', toolCalls }] }, thread)
  expect(asked(answer).map(([, question]) => question)).toEqual(['ask 0', 'ask 2'])
  expect(ended).toEqual(['work'])
})

test('a question must be JSON: anything else is an error of the node', async () => {
  const graph = new StateGraph(schema())
    .addNode('ask', (_s, ctx) => void ctx.interrupt({ how: 1n }))
    .addEdge(START, 'ask')
    .compile({ checkpointer: new MemoryCheckpointer() })
  expect(await rejection(graph.invoke({}, thread))).toMatchObject({ code: 'UNSERIALIZABLE' })
})

describe('interruptBefore and interruptAfter', () => {
  const stepping = (options: object) =>
    new StateGraph(schema())
      .addNode('a', () => ({ log: ['a'] }))
      .addNode('b', () => ({ log: ['b'] }))
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .addEdge('b', END)
      .compile({ checkpointer: new MemoryCheckpointer(), ...options })

  const steps = async (graph: ReturnType<typeof stepping>) => {
    const logs = []
    for (let input: object | null = {}; ; input = null) {
      const answer = await graph.invoke(input, thread)
      logs.push([...answer.log])
      if (!('__interrupt__' in answer)) return logs
    }
  }

  test('stop before a node, the first one too, and go on with null', async () => {
    expect(await steps(stepping({ interruptBefore: ['a', 'b'] }))).toEqual([[], ['a'], ['a', 'b']])
  })

  test('stop after a node that is not the last', async () => {
    expect(await steps(stepping({ interruptAfter: ['a', 'b'] }))).toEqual([['a'], ['a', 'b']])
  })

  test('stop everywhere with a star, once at each place', async () => {
    expect(await steps(stepping({ interruptBefore: ['*'], interruptAfter: ['*'] }))).toEqual([[], ['a'], ['a', 'b']])
  })

  test('say which nodes come next, and leave them in the state of the thread', async () => {
    const graph = stepping({ interruptBefore: ['b'] })
    const events = await all(graph.events({}, thread))
    expect(ofType(events, 'interrupt')[0]?.value).toEqual({ breakpoint: true, next: ['b'] })
    expect((await graph.getState('t'))?.next).toEqual(['b'])
    expect(interruptsOf(told(events))).toHaveLength(1)
    const rest = await all(graph.events(null, { ...thread, historyInLog: true }))
    expect(interruptsOf(told(events, rest))).toEqual([])
  })

  test('may be asked for by the call, which replaces what was compiled', async () => {
    const graph = stepping({ interruptBefore: ['b'] })
    expect((await graph.invoke({}, { ...thread, interruptBefore: [] })).log).toEqual(['a', 'b'])
  })

  test('tell whoever invoked the graph the same as whoever streams it', async () => {
    const answer = await stepping({ interruptBefore: ['b'] }).invoke({}, thread)
    expect(answer).toMatchObject({ __interrupt__: [{ value: { breakpoint: true, next: ['b'] } }] })
  })

  test.each(['interruptBefore', 'interruptAfter'])('at what is no node, %s of a call is refused', async (option) => {
    const refused = await rejection(stepping({}).invoke({}, { ...thread, [option]: ['bb'] }))
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('"bb"') })
  })
})

test('an answer with an update: the checkpoint it goes on from is told with the update', async () => {
  const graph = new StateGraph(schema())
    .addNode('ask', (_s, ctx) => ({ log: [String(ctx.interrupt('?'))] }))
    .addEdge(START, 'ask')
    .compile({ checkpointer: new MemoryCheckpointer() })
  await graph.invoke({}, thread)
  const answer = new Command({ resume: 'yes', update: { n: 5 } })
  const chunks = await all(graph.stream(answer, { ...thread, streamMode: ['values', 'checkpoints'] }))
  expect(chunks.slice(0, 2)).toMatchObject([
    ['values', { n: 5 }],
    ['checkpoints', { values: { n: 5 }, next: ['ask'] }],
  ])
})

describe.each(stores)('a node that asks twice, on a thread %s,', (_where, store) => {
  const twice = () =>
    new StateGraph(schema())
      .addNode('ask', (_s, ctx) => ({ log: [`${String(ctx.interrupt('one'))}, ${String(ctx.interrupt('two'))}`] }))
      .addEdge(START, 'ask')
      .compile({ checkpointer: store() })
  const questions = (answer: Partial<InterruptUpdate>) => asked(answer).map(([, question]) => question)

  test('is asked each once where an update came in between', async () => {
    const graph = twice()
    await graph.invoke({}, thread)
    expect(questions(await graph.invoke(new Command({ update: { log: ['more'] } }), thread))).toEqual(['one'])
    expect(questions(await graph.invoke(new Command({ resume: 'a' }), thread))).toEqual(['two'])
    expect((await graph.invoke(new Command({ resume: 'b' }), thread)).log).toEqual(['more', 'a, b'])
  })

  test('is asked each once where the first answer began a branch', async () => {
    const graph = twice()
    await graph.invoke({}, thread)
    const before = await all(graph.getStateHistory('t'))
    const branch = { ...thread, checkpointId: before[0]!.checkpointId! }
    // The thread goes on elsewhere: the answer is given to where it stood before.
    await graph.updateState('t', { log: ['elsewhere'] }, { checkpointId: before.at(-1)!.checkpointId! })
    expect(questions(await graph.invoke(new Command({ resume: 'a' }), branch))).toEqual(['two'])
    expect((await graph.invoke(new Command({ resume: 'b' }), thread)).log).toEqual(['a, b'])
  })

  test('is asked anew by a new input, whatever was answered before', async () => {
    const graph = twice()
    await graph.invoke({}, thread)
    await graph.updateState('t', { log: ['changed'] })
    await graph.invoke(new Command({ resume: 'old' }), thread)
    expect(questions(await graph.invoke({ log: ['again'] }, thread))).toEqual(['one'])
  })
})
