import { emptyState, fold, toolCallsOf, type RunEvent } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  Command,
  messages,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  type ApprovalAnswer,
  type ApprovalRequest,
  type InterruptOn,
  type Tool,
} from '../../src/index.ts'
import { JsonCheckpointer } from '../json-checkpointer.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'
import { asking, type Call } from './tool-graphs.ts'

failOnSurprises()

const thread = { threadId: 't' }

/** A graph that makes these calls, keeping its threads as text, and what its tools were called with. */
function graphOf(interruptOn?: InterruptOn) {
  const made: string[] = []
  const remove = tool(({ path }: { path: string }) => (made.push(`remove ${path}`), `removed ${path}`), {
    name: 'remove',
    description: 'removes a file',
    schema: z.object({ path: z.string() }),
  })
  const look = tool(() => (made.push('look'), 'looked'), { name: 'look', description: 'looks' })
  const tools: Tool[] = [remove, look]
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('tools', toolNode(tools, interruptOn === undefined ? {} : { interruptOn }))
    .addEdge(START, 'tools')
    .compile({ checkpointer: new JsonCheckpointer() })
  return { graph, made }
}

type Given = ReturnType<typeof graphOf>

const removing = (id: string, path: string): Call => ({ id, name: 'remove', args: { path } })
const looking = (id: string): Call => ({ id, name: 'look' })

async function begin({ graph }: Given, calls: readonly Call[]) {
  const { __interrupt__: asked = [] } = await graph.invoke({ messages: [asking(calls)] }, thread)
  return asked.map(({ id, value }) => ({ id, request: value as ApprovalRequest }))
}

async function answer({ graph }: Given, resume: unknown) {
  const { messages, __interrupt__: asked = [] } = await graph.invoke(new Command({ resume }), thread)
  return {
    asked: asked.map(({ value }) => (value as ApprovalRequest).toolCall.id),
    args: messages.find(({ role }) => role === 'assistant')?.toolCalls?.map(({ args }) => args),
    answers: messages.flatMap(({ toolCallId, content }) => (toolCallId === undefined ? [] : [[toolCallId, content]])),
  }
}

describe('a call that waits for a person', () => {
  test('is asked about with its arguments, and has not begun', async () => {
    const given = graphOf(['remove'])
    const events = await all(given.graph.events({ messages: [asking([removing('1', '/a')])] }, thread))
    expect(ofType(events, 'interrupt').map(({ value }) => value)).toEqual([
      {
        type: 'approval',
        toolCall: { id: '1', name: 'remove', args: { path: '/a' } },
        allow: ['approve', 'edit', 'reject'],
      },
    ])
    expect(ofType(events, 'tool.start')).toEqual([])
    expect(events.at(-1)).toMatchObject({ status: 'interrupted' })
    expect(given.made).toEqual([])
  })

  test.each<[string, ApprovalAnswer]>([
    ['approved', { type: 'approve' }],
    ['answered with yes', true],
  ])('runs once %s', async (_what, decision) => {
    const given = graphOf(['remove'])
    await begin(given, [removing('1', '/a')])
    expect(await answer(given, decision)).toMatchObject({ asked: [], answers: [['1', 'removed /a']] })
    expect(given.made).toEqual(['remove /a'])
  })

  test('runs with edited arguments, which the conversation then has', async () => {
    const given = graphOf(['remove'])
    await begin(given, [removing('1', '/a')])
    const after = await answer(given, { type: 'edit', args: { path: '/b' } })
    expect(after).toEqual({ asked: [], args: ['{"path":"/b"}'], answers: [['1', 'removed /b']] })
    expect(given.made).toEqual(['remove /b'])
  })

  test('that is edited to something that does not fit tells the model so', async () => {
    const given = graphOf(['remove'])
    await begin(given, [removing('1', '/a')])
    const { answers } = await answer(given, { type: 'edit', args: { path: 7 } })
    expect(answers).toEqual([['1', expect.stringContaining('"remove" are not valid: path: ')]])
    expect(given.made).toEqual([])
  })

  test.each<[ApprovalAnswer, string]>([
    [{ type: 'reject', reason: 'keep it' }, 'Error: a person rejected this call of tool "remove": keep it'],
    [{ type: 'reject' }, 'Error: a person rejected this call of tool "remove"'],
    [false, 'Error: a person rejected this call of tool "remove"'],
  ])('does not run when the answer is %j, and the model reads why', async (decision, content) => {
    const given = graphOf(['remove'])
    await begin(given, [removing('1', '/a')])
    expect((await answer(given, decision)).answers).toEqual([['1', content]])
    expect(given.made).toEqual([])
  })

  test('that is rejected begins and ends once, as failed', async () => {
    const given = graphOf(['remove'])
    await begin(given, [removing('1', '/a')])
    const events = await all(given.graph.events(new Command({ resume: false }), thread))
    expect(ofType(events, 'tool.start')).toMatchObject([{ id: '1', input: { path: '/a' } }])
    expect(ofType(events, 'tool.end')).toMatchObject([{ id: '1', error: { code: 'FORBIDDEN' } }])
  })

  test.each([['maybe'], [{ type: 'edit' }], [{ type: 'reject', reason: 7 }], [{ type: 'approve all' }], [null]])(
    'is not decided by %j, and can still be answered',
    async (nonsense) => {
      const given = graphOf(['remove'])
      await begin(given, [removing('1', '/a')])
      expect(await rejection(answer(given, nonsense))).toMatchObject({ code: 'INVALID_INPUT' })
      expect((await answer(given, true)).answers).toEqual([['1', 'removed /a']])
    },
  )

  test('is not decided by nonsense beside others that wait, and every question stays', async () => {
    const given = graphOf(['remove'])
    const [a, b] = await begin(given, [removing('1', '/a'), removing('2', '/b')])
    expect(await rejection(answer(given, { [a!.id]: 'maybe' }))).toMatchObject({ code: 'INVALID_INPUT' })
    expect((await given.graph.getState('t'))?.interrupts?.map(({ id }) => id)).toEqual([a!.id, b!.id])
    expect((await answer(given, { [b!.id]: true })).asked).toEqual(['1'])
    expect((await answer(given, { [a!.id]: false })).answers).toEqual([
      ['1', expect.stringContaining('rejected')],
      ['2', 'removed /b'],
    ])
    expect(given.made).toEqual(['remove /b'])
  })

  test('says in its question what an answer looks like', async () => {
    const given = graphOf({ remove: { allow: ['approve', 'reject'], message: 'Sure?' } })
    const events = await all(given.graph.events({ messages: [asking([removing('1', '/a')])] }, thread))
    expect(ofType(events, 'interrupt')[0]).toMatchObject({
      value: { allow: ['approve', 'reject'], message: 'Sure?' },
      schema: {
        anyOf: [
          { properties: { type: { const: 'approve' } } },
          { properties: { type: { const: 'reject' } } },
          { enum: [true, false] },
        ],
      },
    })
    expect(await rejection(answer(given, { type: 'edit', args: {} }))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/"remove" may be answered with \{ type: "approve" \}, \{ type: "reject" \}/),
    })
  })
})

describe('which calls wait', () => {
  const waiting = async (interruptOn: InterruptOn, calls: readonly Call[]) =>
    (await begin(graphOf(interruptOn), calls)).map(({ request }) => request.toolCall.id)
  const both = [removing('1', '/a'), looking('2')]

  test.each<[InterruptOn, string[]]>([
    [true, ['1', '2']],
    [['look'], ['2']],
    [{ remove: true, look: false }, ['1']],
    [{ remove: true, toString: false }, ['1']],
  ])('%j: %j', async (interruptOn, ids) => {
    expect(await waiting(interruptOn, both)).toEqual(ids)
  })

  test.each<[InterruptOn]>([[['removed']], [{ removed: true }], [{ toString: {} }]])(
    'are those of tools that are there: %j is a slip that is told at once',
    (interruptOn) => {
      expect(() => graphOf(interruptOn)).toThrow(
        /^interruptOn names "(removed|toString)", which is no tool; there are: remove, look$/,
      )
    },
  )

  test('may depend on the arguments, as may what is said', async () => {
    const given = graphOf({
      remove: {
        when: async (args) => (args as { path: string }).path.startsWith('/etc'),
        message: (args) => `Remove ${(args as { path: string }).path}?`,
      },
    })
    const asked = await begin(given, [removing('1', '/tmp/x'), removing('2', '/etc/x')])
    expect(asked.map(({ request }) => request)).toMatchObject([{ toolCall: { id: '2' }, message: 'Remove /etc/x?' }])
  })

  test('are not those that could not run anyway', async () => {
    const bad: Call[] = [
      { id: '1', name: 'remove', args: '{' },
      { id: '2', name: 'remove', args: {} },
      { id: '3', name: 'none' },
    ]
    expect(await waiting(true, bad)).toEqual([])
  })
})

describe('several calls at once', () => {
  test('are all asked about together, and each has its answer', async () => {
    const given = graphOf(['remove'])
    const asked = await begin(given, [removing('1', '/a'), looking('2'), removing('3', '/c')])
    expect(asked.map(({ request }) => request.toolCall.id)).toEqual(['1', '3'])
    expect(given.made).toEqual(['look'])
    const resume = { [asked[0]!.id]: true, [asked[1]!.id]: { type: 'reject', reason: 'no' } }
    expect((await answer(given, resume)).answers).toEqual([
      ['1', 'removed /a'],
      ['2', 'looked'],
      ['3', 'Error: a person rejected this call of tool "remove": no'],
    ])
    expect(given.made).toEqual(['look', 'remove /a'])
  })

  test('may be answered one after the other, and nothing runs twice', async () => {
    const given = graphOf(['remove'])
    const asked = await begin(given, [removing('1', '/a'), looking('2'), removing('3', '/c')])
    const [first, second] = asked.map(({ id }) => id)
    expect((await answer(given, { [second!]: true })).asked).toEqual(['1'])
    expect((await answer(given, { [first!]: true })).answers).toEqual([
      ['1', 'removed /a'],
      ['2', 'looked'],
      ['3', 'removed /c'],
    ])
    expect(given.made).toEqual(['look', 'remove /c', 'remove /a'])
  })

  test('are not answered by one decision', async () => {
    const given = graphOf(['remove'])
    await begin(given, [removing('1', '/a'), removing('2', '/b')])
    expect(await rejection(answer(given, true))).toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('show each call once, done, to whoever read both runs', async () => {
    const given = graphOf(['remove'])
    const events: RunEvent[] = await all(
      given.graph.events({ messages: [asking([removing('1', '/a'), looking('2')])] }, thread),
    )
    const resumed = given.graph.events(new Command({ resume: true }), { ...thread, historyInLog: true })
    events.push(...(await all(resumed)))
    const seen = events.reduce((known, event, i) => fold(known, { ...event, seq: i + 1 }), emptyState())
    expect(toolCallsOf(seen).map(({ id, status, output }) => [id, status, output])).toEqual([
      ['1', 'done', 'removed /a'],
      ['2', 'done', 'looked'],
    ])
    expect(seen.ignored).toBe(0)
  })
})

describe('a tool that asks by itself', () => {
  test('goes on with the answer; calls beside it that had ended do not run again, whatever they did', async () => {
    const made: string[] = []
    const ask = tool((_args, ctx) => `you said ${ctx.interrupt<string>('?')}`, { name: 'ask', description: 'asks' })
    const count = tool(() => (made.push('count'), new Command({ update: { n: made.length }, goto: 'after' })), {
      name: 'count',
      description: 'counts',
    })
    const fail = tool(
      () => {
        made.push('fail')
        throw new Error('no')
      },
      { name: 'fail', description: 'fails' },
    )
    const graph = new StateGraph(
      state({ messages: messages(), n: z.number().optional(), after: z.string().optional() }),
    )
      .addNode('tools', toolNode([ask, count, fail]))
      .addNode('after', () => ({ after: 'ran' }))
      .addEdge(START, 'tools')
      .compile({ checkpointer: new JsonCheckpointer() })
    const calls = ['ask', 'count', 'fail'].map((name, i) => ({ id: String(i), name }))
    await graph.invoke({ messages: [asking(calls)] }, thread)
    const events = await all(graph.events(new Command({ resume: 'yes' }), thread))
    expect(made).toEqual(['count', 'fail'])
    const { values } = (await graph.getState('t'))!
    expect(values).toMatchObject({ n: 1, after: 'ran' })
    const contents = (values['messages'] as { content: string }[]).slice(1).map(({ content }) => content)
    expect(contents).toEqual(['you said yes', 'Done.', 'Error: no'])
    // What was told of them is told again: the rewind of the task withdrew it.
    expect(new Set(ofType(events, 'tool.start').map(({ id }) => id))).toEqual(new Set(['0', '1', '2']))
    const ends = ofType(events, 'tool.end').map(({ id, error }) => [id, error?.code])
    expect(ends).toHaveLength(3)
    expect(Object.fromEntries(ends)).toEqual({ 0: undefined, 1: undefined, 2: 'NODE_FAILED' })
  })

  test('shows as running while the person thinks, and as cut once something else is asked', async () => {
    const ask = tool((_args, ctx) => ctx.interrupt<string>('?'), { name: 'ask', description: 'asks' })
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('tools', toolNode([ask]))
      .addEdge(START, 'tools')
      .compile({ checkpointer: new JsonCheckpointer() })
    const events = await all(graph.events({ messages: [asking([{ id: '1', name: 'ask' }])] }, thread))
    const statusAfter = (more: readonly RunEvent[]) => {
      const seen = [...events, ...more].reduce((known, event, i) => fold(known, { ...event, seq: i + 1 }), emptyState())
      return toolCallsOf(seen).find(({ id }) => id === '1')?.status
    }
    expect(statusAfter([])).toBe('running')
    const options = { ...thread, historyInLog: true }
    expect(statusAfter(await all(graph.events({ messages: [asking([], 'b')] }, options)))).toBe('cut')
  })

  test('keeps a send of a finished call through the wait', async () => {
    const { Send } = await import('../../src/index.ts')
    const ask = tool((_args, ctx) => ctx.interrupt<string>('?'), { name: 'ask', description: 'asks' })
    const send = tool(() => new Command<'work', object>({ goto: new Send('work', { n: 7 }) }), {
      name: 'send',
      description: 'sends',
    })
    const graph = new StateGraph(state({ messages: messages(), n: z.number().optional(), got: z.unknown() }))
      .addNode('tools', toolNode([ask, send]))
      .addNode('work', (given) => ({ got: given }))
      .addEdge(START, 'tools')
      .compile({ checkpointer: new JsonCheckpointer() })
    await graph.invoke(
      {
        messages: [
          asking([
            { id: '1', name: 'ask' },
            { id: '2', name: 'send' },
          ]),
        ],
      },
      thread,
    )
    expect((await graph.invoke(new Command({ resume: 'x' }), thread)).got).toEqual({ n: 7 })
  })
})
