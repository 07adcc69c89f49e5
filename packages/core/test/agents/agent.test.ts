import { emptyState, fold, messagesOf, toolCallsOf } from '@rivulet/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import {
  Command,
  createAgent,
  END,
  MemoryCheckpointer,
  messages,
  reduced,
  scriptedModel,
  START,
  state,
  StateGraph,
  tool,
  value,
  type ScriptedTurn,
} from '../../src/index.ts'
import { all, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()
afterEach(() => void vi.useRealTimers())

const weather = tool(({ city }: { city: string }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'tells the weather',
  schema: z.object({ city: z.string() }),
})

const calls = (...cities: string[]): ScriptedTurn => ({
  toolCalls: cities.map((city, i) => ({ id: `${city}-${i}`, name: 'weather', args: { city } })),
})

/** An agent that first asks about these cities. */
const asking = (...cities: string[]) => scriptedModel([calls(...cities), 'It is sunny.'])

describe('an agent', () => {
  test('asks its model, runs what it asks for, and asks again until it asks for nothing', async () => {
    const model = asking('Rome', 'Oslo')
    const { messages } = await createAgent({ model, tools: [weather] }).invoke({ messages: 'How is it?' })
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'How is it?'],
      ['assistant', ''],
      ['tool', 'sunny in Rome'],
      ['tool', 'sunny in Oslo'],
      ['assistant', 'It is sunny.'],
    ])
    expect(model.calls.map(({ messages }) => messages.length)).toEqual([1, 4])
  })

  test('has two nodes, model and tools', async () => {
    const agent = createAgent({ model: asking('Rome'), tools: [weather], name: 'helper' })
    expect(agent.name).toBe('helper')
    expect(agent.describe().nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(['model', 'tools']))
    const nodes = (await all(agent.stream({ messages: 'Hi' }))).flatMap((chunk) => Object.keys(chunk))
    expect(nodes).toEqual(['model', 'tools', 'model'])
  })

  test('without tools answers', async () => {
    const { messages } = await createAgent({ model: scriptedModel('hello') }).invoke({ messages: 'Hi' })
    expect(messages.map(({ content }) => content)).toEqual(['Hi', 'hello'])
  })

  test('tells its model which tools there are', async () => {
    const model = asking('Rome')
    await createAgent({ model, tools: [weather] }).invoke({ messages: 'Hi' })
    expect(model.calls[0]?.options.tools?.map(({ name }) => name)).toEqual(['weather'])
  })

  test('goes on with a thread', async () => {
    const agent = createAgent({ model: scriptedModel(['one', 'two']), checkpointer: new MemoryCheckpointer() })
    await agent.invoke({ messages: 'a' }, { threadId: 't' })
    const { messages } = await agent.invoke({ messages: 'b' }, { threadId: 't' })
    expect(messages.map(({ content }) => content)).toEqual(['a', 'one', 'b', 'two'])
  })

  test('does not make the calls of an earlier turn that was cut off', async () => {
    const made: string[] = []
    const look = tool(() => void made.push('look'), { name: 'look', description: 'looks' })
    const agent = createAgent({ model: scriptedModel('fine'), tools: [look] })
    const cut = { id: 'c', role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'look', args: '' }] }
    const { messages } = await agent.invoke({ messages: ['a', cut, 'b'] })
    expect([made, messages.at(-1)?.content]).toEqual([[], 'fine'])
  })

  test('refuses two tools of one name', () => {
    expect(() => createAgent({ model: asking(), tools: [weather, { ...weather }] })).toThrow(
      /two tools are called "weather"/,
    )
  })
})

describe('the prompt', () => {
  const told = async (prompt: Parameters<typeof createAgent>[0]['prompt']) => {
    const model = scriptedModel('ok')
    const agent = createAgent({ model, state: state({ mood: value<string>() }), ...(prompt && { prompt }) })
    const { messages } = await agent.invoke({ messages: 'Hi', mood: 'glad' }, { context: 'Ann' })
    // It is told to the model and not kept.
    expect(messages.map(({ content }) => content)).toEqual(['Hi', 'ok'])
    return model.calls[0]?.messages.map(({ role, content }) => [role, content])
  }

  test('may be text or a message', async () => {
    expect(await told('Be brief.')).toEqual([
      ['system', 'Be brief.'],
      ['user', 'Hi'],
    ])
    expect(await told({ role: 'user', content: 'First.' })).toEqual([
      ['user', 'First.'],
      ['user', 'Hi'],
    ])
  })

  test('may be made of the state and the context', async () => {
    const model = scriptedModel('ok')
    const agent = createAgent({
      model,
      state: state({ mood: value<string>() }),
      prompt: async ({ mood }, ctx) => `${String(ctx.context)} is ${mood}.`,
    })
    await agent.invoke({ messages: 'Hi', mood: 'glad' }, { context: 'Ann' })
    expect(model.calls[0]?.messages[0]).toMatchObject({ role: 'system', content: 'Ann is glad.' })
  })

  test('may make the whole conversation', async () => {
    expect(await told(({ messages }) => ['Start', ...messages.slice(-1)])).toEqual([
      ['user', 'Start'],
      ['user', 'Hi'],
    ])
  })
})

describe('the model', () => {
  test('may be chosen for each step', async () => {
    const cheap = scriptedModel([calls('Rome')])
    const good = scriptedModel(['done'])
    const agent = createAgent({
      model: ({ messages }) => (messages.at(-1)?.role === 'tool' ? good : cheap),
      tools: [weather],
    })
    expect((await agent.invoke({ messages: 'Hi' })).messages.at(-1)?.content).toBe('done')
    expect([cheap.calls.length, good.calls.length]).toEqual([1, 1])
  })
})

describe('state beside the messages', () => {
  const notes = () => reduced<string[]>({ initial: () => [], reduce: (all, more) => [...all, ...more] })

  test('is read by tools and updated by their commands', async () => {
    const note = tool(
      ({ text }: { text: string }, ctx) =>
        new Command({ update: { notes: [`${text} for ${(ctx.state as { user: string }).user}`] } }),
      { name: 'note', description: 'notes' },
    )
    const model = scriptedModel([{ toolCalls: ['a', 'b'].map((text) => ({ name: 'note', args: { text } })) }, 'noted'])
    const agent = createAgent({ model, tools: [note], state: state({ notes: notes(), user: value<string>() }) })
    const end = await agent.invoke({ messages: 'note it', user: 'Ann' })
    expect(end.notes).toEqual(['a for Ann', 'b for Ann'])
    expect(end.messages.slice(2).map(({ content }) => content)).toEqual(['Done.', 'Done.', 'noted'])
  })
})

describe('an agent whose steps run out', () => {
  const endless = () =>
    scriptedModel(() => ({ text: 'Let me see.', toolCalls: [{ name: 'weather', args: { city: 'Rome' } }] }))

  test('says so, with no call left open, and an error tells of it', async () => {
    const agent = createAgent({ model: endless(), tools: [weather] })
    const events = await all(agent.events({ messages: 'Hi' }, { recursionLimit: 5 }))
    expect(events.at(-1)).toMatchObject({ status: 'done' })
    expect(ofType(events, 'error')).toMatchObject([{ error: { code: 'RECURSION_LIMIT' } }])
    expect(ofType(events, 'tool.start')).toHaveLength(2)
    const { messages } = await agent.invoke({ messages: 'Hi' }, { recursionLimit: 5 })
    expect(messages.at(-1)).toMatchObject({
      role: 'assistant',
      content: 'Let me see.\n\nI stop here: this takes more steps than I may take.',
    })
    expect(messages.at(-1)?.toolCalls).toBeUndefined()
    const ended = events.reduce((seen, event, i) => fold(seen, { ...event, seq: i + 1 }), emptyState())
    expect(messagesOf(ended).at(-1)?.content).toContain('I stop here')
    expect(toolCallsOf(ended).map(({ status }) => status)).toEqual(['done', 'done'])
  })

  test('says so behind what it thought and said', async () => {
    const model = scriptedModel({ reasoning: 'hm', toolCalls: [{ name: 'weather', args: { city: 'Rome' } }] })
    const { messages } = await createAgent({ model, tools: [weather] }).invoke(
      { messages: 'Hi' },
      { recursionLimit: 1 },
    )
    const said = 'I stop here: this takes more steps than I may take.'
    expect(messages.at(-1)).toMatchObject({
      content: said,
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: said },
      ],
    })
  })

  test('uses every step that it may take', async () => {
    const agent = createAgent({ model: asking('Rome'), tools: [weather] })
    expect((await agent.invoke({ messages: 'Hi' }, { recursionLimit: 3 })).messages.at(-1)?.content).toBe(
      'It is sunny.',
    )
  })

  test('may fail instead', async () => {
    const agent = createAgent({ model: endless(), tools: [weather], onRecursionLimit: 'throw' })
    expect(await rejection(agent.invoke({ messages: 'Hi' }, { recursionLimit: 4 }))).toMatchObject({
      code: 'RECURSION_LIMIT',
      node: 'model',
    })
  })
})

describe("a tool's failure", () => {
  const broken = tool(() => Promise.reject(new Error('out of order')), { name: 'weather', description: 'fails' })

  test('is read by the model, which goes on', async () => {
    const { messages } = await createAgent({ model: asking('Rome'), tools: [broken] }).invoke({ messages: 'Hi' })
    expect(messages.map(({ content }) => content)).toEqual(['Hi', '', 'Error: out of order', 'It is sunny.'])
  })

  test('may fail the run', async () => {
    const agent = createAgent({ model: asking('Rome'), tools: [broken], toolOptions: { onError: 'throw' } })
    await expect(agent.invoke({ messages: 'Hi' })).rejects.toThrow('out of order')
  })
})

describe('an agent in a graph', () => {
  test('is a node that shares the conversation', async () => {
    const agent = createAgent({ model: asking('Rome'), tools: [weather] })
    const graph = new StateGraph(state({ messages: messages(), checked: value<boolean>() }))
      .addNode('helper', agent)
      .addNode('check', () => ({ checked: true }))
      .addEdge(START, 'helper')
      .addEdge('helper', 'check')
      .addEdge('check', END)
      .compile()
    const entries = await all(graph.stream({ messages: 'Hi' }, { subgraphs: true }))
    expect(
      entries.map(([ns, chunk]) => [
        ns.map((segment) => segment.split(':')[0]).join(),
        Object.keys(chunk as object)[0],
      ]),
    ).toEqual([
      ['helper', 'model'],
      ['helper', 'tools'],
      ['helper', 'model'],
      ['', 'helper'],
      ['', 'check'],
    ])
  })

  test('may be the tool of another: it streams below the call, and its answer is the output', async () => {
    const inner = createAgent({ model: asking('Rome'), tools: [weather], name: 'inner' })
    const ask = tool(
      async ({ question }: { question: string }, ctx) =>
        (await ctx.run(inner, { messages: question })).messages.at(-1)?.content,
      { name: 'ask_inner', description: 'asks another agent' },
    )
    const model = scriptedModel([
      { toolCalls: [{ id: 'q', name: 'ask_inner', args: { question: 'Weather?' } }] },
      'Done.',
    ])
    const agent = createAgent({ model, tools: [ask] })
    const events = await all(agent.events({ messages: 'Hi' }))
    const below = events.filter(({ ns }) => ns?.[1] === 'call:q')
    expect(ofType(below, 'message.start').map(({ node }) => node)).toEqual(['model', 'model'])
    expect(ofType(below, 'tool.start')).toMatchObject([{ name: 'weather', node: 'tools' }])
    expect(ofType(events, 'tool.end').find(({ id }) => id === 'q')).toMatchObject({ output: 'It is sunny.' })
    const live = events.findIndex((event) => event.type === 'message.start' && event.ns !== undefined)
    expect(live).toBeLessThan(events.findIndex((event) => event.type === 'tool.end' && event.id === 'q'))
    const ended = events.reduce((seen, event, i) => fold(seen, { ...event, seq: i + 1 }), emptyState())
    expect(messagesOf(ended).map(({ content }) => content)).toEqual(['Hi', '', 'It is sunny.', 'Done.'])
  })
})

describe('what is no agent is told when it is made', () => {
  test.each([
    [{ model: 'openai:gpt-4o-mini' }, /it got the text "openai:gpt-4o-mini": make one of it with initChatModel/],
    [{ model: undefined }, /needs a model, or a function that chooses one; it got undefined/],
    [{ model: scriptedModel('x'), tools: [() => 1] }, /tools\[0\] is no tool: make it one with tool/],
    [{ model: scriptedModel('x'), toolOptions: { maxConcurrency: 0 } }, /maxConcurrency of tools must be/],
    [{ model: scriptedModel('x'), toolOptions: { timeoutMs: NaN } }, /timeoutMs of tools must be/],
  ])('%o', (options, why) => {
    // As JavaScript would call it.
    expect(() => createAgent(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_GRAPH', message: expect.stringMatching(why) }),
    )
  })

  test('also a tool that has no time', () => {
    expect(() => tool(() => 1, { name: 'look', description: 'looks', timeoutMs: 0 })).toThrow(
      'the timeout of tool "look" must be more than 0 ms, not 0',
    )
  })
})

test('a tool whose time is Infinity may take longer than the others of its agent', async () => {
  vi.useFakeTimers()
  const slow = (name: string, timeoutMs?: number) =>
    tool(() => new Promise((resolve) => setTimeout(resolve, 500, 'done')), {
      name,
      description: 'is slow',
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
  const model = scriptedModel([{ toolCalls: [{ name: 'own' }, { name: 'general' }] }, 'So.'])
  const agent = createAgent({ model, tools: [slow('own', Infinity), slow('general')], toolOptions: { timeoutMs: 100 } })
  const ended = agent.invoke({ messages: 'Hi' })
  await vi.advanceTimersByTimeAsync(1000)
  expect((await ended).messages.slice(2, 4).map(({ content }) => content)).toEqual([
    'done',
    'Error: tool "general" ran longer than 100 ms',
  ])
})
