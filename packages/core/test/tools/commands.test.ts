import type { Message } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import {
  Command,
  END,
  messages,
  overwrite,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  value,
  type Tool,
} from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'
import { asking, type Call } from './tool-graphs.ts'

failOnSurprises()

const appended = () => reduced<string[]>({ initial: () => [], reduce: (all, more) => [...all, ...more] })
const fields = () => state({ messages: messages(), log: appended(), mood: value<string>(), went: appended() })

/** A graph whose tool node may lead to `left` and `right`. */
const graphOf = (tools: readonly Tool[]) =>
  new StateGraph(fields())
    .addNode('tools', toolNode(tools))
    .addNode('left', () => ({ went: ['left'] }))
    .addNode('right', (given) => ({ went: [`right:${(given as { mood?: string }).mood ?? ''}`] }))
    .addEdge(START, 'tools')
    .compile()

const does = (name: string, command: (callId: string) => Command<string, object>) =>
  tool((_args, ctx) => command(ctx.toolCallId!), { name, description: name })

const read = ({ content, toolCallId }: Message) => [toolCallId, content]
const run = (tools: readonly Tool[], calls: readonly Call[]) => graphOf(tools).invoke({ messages: [asking(calls)] })

describe('a tool that returns a command', () => {
  test('updates the state, is answered, and leads on', async () => {
    const go = does('go', () => new Command({ update: { mood: 'glad', log: ['went'] }, goto: 'left' }))
    const { messages, ...rest } = await run([go], [{ id: '1', name: 'go' }])
    expect(rest).toEqual({ mood: 'glad', log: ['went'], went: ['left'] })
    expect(messages.slice(1).map(read)).toEqual([['1', 'Done.']])
  })

  test('is answered with its own message when it writes one, in whatever form', async () => {
    const own = does(
      'own',
      (id) => new Command({ update: { messages: { role: 'tool', content: 'mine', toolCallId: id } } }),
    )
    const listed = does(
      'listed',
      (tool_call_id) => new Command({ update: { messages: [{ role: 'tool', content: 'theirs', tool_call_id }] } }),
    )
    const { messages } = await run(
      [own, listed],
      [
        { id: '1', name: 'own' },
        { id: '2', name: 'listed' },
      ],
    )
    expect(messages.slice(1).map(read)).toEqual([
      ['1', 'mine'],
      ['2', 'theirs'],
    ])
  })

  test('tells its end with the answer as output', async () => {
    const go = does('go', () => new Command({ update: { log: ['x'] } }))
    const events = await all(graphOf([go]).events({ messages: [asking([{ id: '1', name: 'go' }])] }))
    expect(ofType(events, 'tool.end')).toMatchObject([{ id: '1', output: 'Done.' }])
  })

  test('that updates an unknown key fails the node', async () => {
    const wrong = does('wrong', () => new Command({ update: { nope: 1 } }))
    await expect(run([wrong], [{ id: '1', name: 'wrong' }])).rejects.toMatchObject({ code: 'INVALID_UPDATE' })
  })
})

describe('commands of calls side by side', () => {
  const write = tool(
    async ({ text, mood, goto }: { text: string; mood?: string; goto?: string }) =>
      new Command<string, object>({ update: { log: [text], ...(mood && { mood }) }, ...(goto && { goto }) }),
    { name: 'write', description: 'writes' },
  )
  const plain = tool(() => 'just text', { name: 'plain', description: 'returns text' })

  test('all count: reducers see each, the last call wins where one value is kept, answers keep their order', async () => {
    const { messages, log, mood, went } = await run(
      [write, plain],
      [
        { id: '1', name: 'write', args: { text: 'a', mood: 'sad', goto: 'left' } },
        { id: '2', name: 'plain' },
        { id: '3', name: 'write', args: { text: 'b', mood: 'glad', goto: 'right' } },
        { id: '4', name: 'write', args: { text: 'c', goto: 'left' } },
      ],
    )
    expect([log, mood]).toEqual([['a', 'b', 'c'], 'glad'])
    expect(messages.slice(1).map(read)).toEqual([
      ['1', 'Done.'],
      ['2', 'just text'],
      ['3', 'Done.'],
      ['4', 'Done.'],
    ])
    // A node that two commands lead to runs once.
    expect(went).toEqual(['left', 'right:glad'])
  })

  test('may send, each send with its own input', async () => {
    const send = tool(
      ({ mood }: { mood: string }) => new Command<'right', object>({ goto: new Send('right', { mood }) }),
      {
        name: 'send',
        description: 'sends',
      },
    )
    const { went } = await run(
      [send],
      [
        { id: '1', name: 'send', args: { mood: 'a' } },
        { id: '2', name: 'send', args: { mood: 'b' } },
      ],
    )
    expect(went).toEqual(['right:a', 'right:b'])
  })

  test('that overwrite the conversation do so in their order', async () => {
    const clear = does(
      'clear',
      (id) => new Command({ update: { messages: overwrite([asking([{ id, name: 'clear' }])]) } }),
    )
    const { messages } = await run(
      [plain, clear],
      [
        { id: '1', name: 'plain' },
        { id: '2', name: 'clear' },
      ],
    )
    expect(messages.map(({ role, toolCallId }) => [role, toolCallId])).toEqual([
      ['assistant', undefined],
      ['tool', '2'],
    ])
  })
})

describe('a tool that hands over to the graph above', () => {
  const handOver = tool(
    ({ to, note }: { to: string; note: string }, ctx) =>
      new Command<string, object>({
        graph: Command.PARENT,
        goto: to,
        update: {
          log: [note],
          messages: [{ role: 'tool', content: `to ${to}`, toolCallId: ctx.toolCallId }],
        },
      }),
    { name: 'hand_over', description: 'hands over' },
  )
  const plain = tool(() => 'just text', { name: 'plain', description: 'returns text' })

  const above = (calls: readonly Call[]) =>
    new StateGraph(fields(), { nodes: ['agent', 'bob', 'eve'] })
      .addNode(
        'agent',
        new StateGraph(state({ messages: messages() }))
          .addNode('model', () => ({ messages: [asking(calls)] }))
          .addNode('tools', toolNode([handOver, plain]))
          .addEdge(START, 'model')
          .addEdge('model', 'tools')
          .compile(),
      )
      .addNode('bob', () => ({ went: ['bob'] }))
      .addNode('eve', () => ({ went: ['eve'] }))
      .addEdge(START, 'agent')
      .addEdge('bob', END)
      .compile()

  test('leads there, and the conversation above has every call with its answer', async () => {
    const calls = [
      { id: '1', name: 'plain' },
      { id: '2', name: 'hand_over', args: { to: 'bob', note: 'n' } },
    ]
    const { messages, log, went } = await above(calls).invoke({ messages: ['hi'] })
    expect([log, went]).toEqual([['n'], ['bob']])
    expect(messages.map(({ role, toolCallId }) => [role, toolCallId])).toEqual([
      ['user', undefined],
      ['assistant', undefined],
      ['tool', '2'],
      ['tool', '1'],
    ])
  })

  test('with another that does: both count', async () => {
    const calls = [
      { id: '1', name: 'hand_over', args: { to: 'bob', note: 'a' } },
      { id: '2', name: 'hand_over', args: { to: 'eve', note: 'b' } },
    ]
    const { messages, log, went } = await above(calls).invoke({ messages: ['hi'] })
    expect([log, went]).toEqual([
      ['a', 'b'],
      ['bob', 'eve'],
    ])
    expect(messages.slice(2).map(read)).toEqual([
      ['1', 'to bob'],
      ['2', 'to eve'],
    ])
  })
})
