import {
  createAgent,
  fromAsyncIterable,
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  tool,
  value,
} from '@rivulet/core'
import { describe, expect, test } from 'vitest'
import { chatGraph, Gate, wordGraph } from '../graphs.ts'
import { addedUp, BlockReader, type Block, dataOf, startPeer, type Peer } from './peer.ts'

const hi = { messages: [{ type: 'human', content: 'hi', id: 'h1' }] }

/** Starts a run on a thread of its own and reads all of its stream. */
async function streamed(peer: Peer, thread: string, body: object): Promise<Block[]> {
  return (await opened(peer, thread, body)).all()
}

async function opened(peer: Peer, thread: string, body: object): Promise<BlockReader> {
  const given = { assistant_id: 'agent', if_not_exists: 'create', ...body }
  const response = await peer.send('POST', `/threads/${thread}/runs/stream`, given)
  expect(response.status).toBe(200)
  return new BlockReader(response)
}

const idOf = ({ response }: BlockReader): string => response.headers.get('content-location')!.split('/').at(-1)!

describe('a run, streamed', () => {
  test('begins with its id, tells the state with messages as dicts, and says that it is complete', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const reader = await opened(peer, 't', { input: hi })
    const blocks = await reader.all()
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream')
    expect(reader.response.headers.get('content-location')).toBe(`/threads/t/runs/${idOf(reader)}`)
    expect(blocks[0]).toMatchObject({ event: 'metadata', data: { run_id: idOf(reader), attempt: 1 } })
    expect(blocks.at(-1)).toMatchObject({ event: 'end', data: null })
    expect(new Set(blocks.map(({ event }) => event))).toEqual(new Set(['metadata', 'values', 'end']))
    expect(dataOf(blocks, 'values').at(-1)).toMatchObject({
      turns: 1,
      messages: [
        { type: 'human', content: 'hi', id: 'h1' },
        { type: 'ai', content: 'you said hi ', tool_calls: [] },
      ],
    })
    expect(peer.errors).toEqual([])
  })

  test('gives each mode that was asked for, and no other', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const stream_mode = ['messages-tuple', 'updates', 'custom', 'tasks', 'checkpoints', 'debug']
    const blocks = await streamed(peer, 't', { input: hi, stream_mode })
    expect([...addedUp(blocks).values()]).toEqual(['you said hi '])
    expect(dataOf(blocks, 'updates')).toMatchObject([
      { talk: { messages: [{ type: 'ai' }], turns: 1 } },
      { review: {} },
    ])
    expect(dataOf(blocks, 'custom')).toEqual([{ done: 1, total: 2 }])
    expect(dataOf(blocks, 'tasks')).toMatchObject([
      { name: 'talk', triggers: ['__start__'] },
      { name: 'talk', error: null },
      { name: 'review' },
      { name: 'review' },
    ])
    expect(dataOf(blocks, 'checkpoints').at(-1)).toMatchObject({ step: 2, source: 'loop' })
    expect(dataOf(blocks, 'debug').map((one) => (one as { type: string }).type)).toContain('task_result')
    expect(dataOf(blocks, 'values')).toEqual([])
  })

  test('in mode messages tells each time the whole message so far', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const blocks = await streamed(peer, 't', { input: hi, stream_mode: 'messages' })
    const partial = dataOf(blocks, 'messages/partial').map((data) => (data as [{ content: string }])[0].content)
    // How many pieces a message comes in is the log's affair once its run is over.
    expect(partial.at(-1)).toBe('you said hi ')
    expect(partial.every((text) => 'you said hi '.startsWith(text))).toBe(true)
    expect(dataOf(blocks, 'messages/complete')).toMatchObject([[{ content: 'hi' }], [{ content: 'you said hi ' }]])
    expect(dataOf(blocks, 'messages/metadata')).toHaveLength(1)
  })

  test('without subgraphs tells nothing from below, with them by namespace', async () => {
    const inner = new StateGraph(state({ messages: messages() }))
      .addNode('think', () => ({ messages: [{ role: 'assistant', content: 'deep' }] }))
      .addEdge(START, 'think')
      .compile()
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('child', inner)
      .addEdge(START, 'child')
      .compile()
    const peer = startPeer({ graphs: { agent: graph } })
    const plain = await streamed(peer, 't', { input: hi })
    expect(plain.filter(({ event }) => event.includes('|'))).toEqual([])
    const nested = await streamed(peer, 'u', { input: hi, stream_subgraphs: true })
    expect(nested.some(({ event }) => event.startsWith('values|child:'))).toBe(true)
  })

  test('that fails says so once, and then that it is complete', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph({ fail: true }) } })
    const blocks = await streamed(peer, 't', { input: hi })
    expect(blocks.slice(-2)).toMatchObject([
      { event: 'error', data: { error: 'NODE_FAILED', message: 'node "review" failed' } },
      { event: 'end' },
    ])
    expect(await peer.json('GET', '/threads/t')).toMatchObject({ status: 'error' })
    const tasks = [{ name: 'review', error: 'NODE_FAILED: node "review" failed' }]
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({ tasks })
    expect(await peer.json('POST', '/threads/t/history', { limit: 2 })).toMatchObject([
      { tasks },
      { tasks: [{ error: null }] },
    ])
    await peer.send('POST', '/threads/t/state', { values: { note: 'mended' } })
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({ next: ['review'], tasks: [{ error: null }] })
  })

  test('stops before a node it was asked to stop before', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await streamed(peer, 't', { input: hi, interrupt_before: ['review'] })
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({ next: ['review'] })
    await streamed(peer, 't', { interrupt_after: '*' })
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({ next: [] })
  })

  test('jumps, with an update, where a command leads', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await streamed(peer, 't', { input: hi })
    const command = { goto: 'review', update: { turns: 5 } }
    const blocks = await streamed(peer, 't', { command, stream_mode: ['values', 'updates'] })
    expect(dataOf(blocks, 'updates')).toEqual([{ review: {} }])
    expect(dataOf(blocks, 'values').at(-1)).toMatchObject({ turns: 6 })
  })
})

describe('a question', () => {
  test('is told in place of the state, stands in the thread, and is answered by a command', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph({ ask: true }) } })
    const asked = await streamed(peer, 't', { input: hi })
    const [question] = dataOf(asked, 'values').slice(-1) as [{ __interrupt__: { id: string; value: unknown }[] }]
    expect(question).toEqual({ __interrupt__: [{ id: expect.any(String), value: { question: 'ok?' } }] })
    const interrupts = question.__interrupt__
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({
      next: ['review'],
      tasks: [{ name: 'review', interrupts }],
    })
    const thread = (await peer.json('GET', '/threads/t')) as { status: string; interrupts: object }
    expect(thread.status).toBe('interrupted')
    expect(Object.values(thread.interrupts)).toEqual([interrupts])
    const answered = await streamed(peer, 't', { command: { resume: 'fine' } })
    expect(dataOf(answered, 'values').at(-1)).toMatchObject({ note: 'fine' })
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({ next: [], tasks: [] })
  })

  test('is given up by a new input, as these clients expect', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph({ ask: true }) } })
    await streamed(peer, 't', { input: hi })
    const blocks = await streamed(peer, 't', { input: { messages: [{ type: 'human', content: 'never mind' }] } })
    expect(dataOf(blocks, 'values').some((data) => (data as { turns?: number }).turns === 2)).toBe(true)
  })
})

describe('joining a run', () => {
  test('from any block on gives exactly what the reader lacks, while it runs and after its end', async () => {
    const gate = new Gate()
    const peer = startPeer({ graphs: { agent: wordGraph(['one ', 'two ', gate, 'three ', 'four']) } })
    const stream_mode = ['values', 'messages-tuple']
    const first = await opened(peer, 't', { input: {}, stream_mode })
    const run = idOf(first)
    const seen = await first.until(({ data }) => JSON.stringify(data).includes('two '))
    const join = async (after: Block | undefined): Promise<BlockReader> =>
      new BlockReader(await peer.get(`/threads/t/runs/${run}/stream`, after?.id ? { 'last-event-id': after.id } : {}))
    const whileRunning = []
    for (const [i, after] of [undefined, ...seen].entries()) {
      const reader = await join(after)
      const lacked = seen.slice(i)
      for (const block of lacked) expect(await reader.next()).toEqual(block)
      whileRunning.push(async () => [...seen.slice(0, i), ...lacked, ...(await reader.all())])
    }
    gate.open()
    const rest = await first.all()
    const whole = addedUp([...seen, ...rest])
    expect([...whole.values()]).toEqual(['one two three four'])
    for (const read of whileRunning) {
      const blocks = await read()
      expect(addedUp(blocks)).toEqual(whole)
      expect(blocks.at(-1)?.event).toBe('end')
    }
    // The log has merged the pieces of the message by now: what the reader has of it is taken back.
    for (let i = 0; i <= seen.length + rest.length; i++) {
      const had = [...seen, ...rest].slice(0, i)
      const lacked = await (await join(had.at(-1))).all()
      expect(addedUp([...had, ...lacked])).toEqual(whole)
      expect([...had, ...lacked].at(-1)?.event).toBe('end')
      expect(dataOf([...had, ...lacked], 'values')).toEqual(dataOf([...seen, ...rest], 'values'))
    }
  })

  test('of an agent, cut behind any block and joined after its end, adds up to the same', async () => {
    const look = tool(
      ({ at }: { at: string }, ctx) => {
        ctx.progress({ done: 1 })
        return `seen ${at}`
      },
      { name: 'look', description: 'Looks.' },
    )
    const model = scriptedModel([
      {
        text: 'Let me look.',
        toolCalls: [
          { name: 'look', id: 'c1', args: { at: 'x' } },
          { name: 'look', id: 'c2' },
        ],
      },
      { reasoning: 'Hm.', text: 'There it is.' },
    ])
    const peer = startPeer({ graphs: { agent: createAgent({ model, tools: [look] }) } })
    const stream_mode = ['values', 'messages-tuple', 'tools', 'updates', 'custom']
    const reader = await opened(peer, 't', { input: hi, stream_mode })
    const all = await reader.all()
    expect([...addedUp(all).values()]).toEqual(['Let me look.', 'seen x', 'seen undefined', 'There it is.'])
    const rest = (blocks: readonly Block[]): Block[] => blocks.filter(({ event }) => event !== 'messages')
    for (let i = 0; i <= all.length; i++) {
      const id = all[i - 1]?.id
      const after = id === undefined ? {} : { 'last-event-id': id }
      const lacked = await new BlockReader(await peer.get(`/threads/t/runs/${idOf(reader)}/stream`, after)).all()
      const blocks = [...all.slice(0, i), ...lacked]
      expect(rest(blocks)).toEqual(rest(all))
      expect(addedUp(blocks)).toEqual(addedUp(all))
    }
  })

  test('of which the log has forgotten the beginning tells where it stands, and what follows', async () => {
    const gate = new Gate()
    const words = Array.from({ length: 200 }, (_, i) => `w${i} `)
    const { memoryStore } = await import('../../src/index.ts')
    const store = memoryStore({ log: { maxEvents: 50 } })
    const peer = startPeer({ graphs: { agent: wordGraph([...words, gate, 'end']) }, store })
    const first = await opened(peer, 't', { input: {}, stream_mode: ['values', 'messages-tuple'] })
    await first.until(({ data }) => JSON.stringify(data).includes('w199'))
    const second = new BlockReader(await peer.get(`/threads/t/runs/${idOf(first)}/stream`))
    const begun = await second.until(({ event }) => event === 'messages')
    gate.open()
    const blocks = [...begun, ...(await second.all())]
    expect(blocks[0]?.event).toBe('metadata')
    expect([...addedUp(blocks).values()]).toEqual([`${words.join('')}end`])
    expect(blocks.at(-1)?.event).toBe('end')
  })

  test('under the address that the stream named goes on with the same modes', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const reader = await opened(peer, 't', { input: hi, stream_mode: ['updates', 'custom'] })
    const blocks = await reader.all()
    const again = new BlockReader(await peer.get(reader.response.headers.get('location')!))
    expect(await again.all()).toEqual(blocks)
  })

  test('with what is no id of a stream is refused', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const reader = await opened(peer, 't', { input: hi })
    await reader.all()
    for (const id of ['x', '5', '../1', 'log.1-x']) {
      const { status } = await peer.get(`/threads/t/runs/${idOf(reader)}/stream`, { 'last-event-id': id })
      expect(status).toBe(400)
    }
  })

  test('waits for its end, and answers with what came of it', async () => {
    const gate = new Gate()
    const peer = startPeer({ graphs: { agent: wordGraph(['a', gate, 'b']) } })
    const run = (await peer.json('POST', '/threads/t/runs', {
      assistant_id: 'agent',
      input: {},
      if_not_exists: 'create',
    })) as { run_id: string; status: string }
    expect(run).toMatchObject({ status: 'running', thread_id: 't', assistant_id: 'agent' })
    const joined = peer.json('GET', `/threads/t/runs/${run.run_id}/join`)
    gate.open()
    expect(await joined).toMatchObject({ said: 2, messages: [{ type: 'ai', content: 'ab' }] })
    expect(await peer.json('GET', `/threads/t/runs/${run.run_id}`)).toMatchObject({ status: 'success' })
  })
})

describe('stopping a run', () => {
  const hanging = (): Peer => startPeer({ graphs: { agent: wordGraph(['half ', new Gate()]) } })

  test('resolves when it has ended, if it is asked to wait', async () => {
    const peer = hanging()
    const reader = await opened(peer, 't', { input: {}, stream_mode: ['messages-tuple'] })
    await reader.until(({ data }) => JSON.stringify(data).includes('half'))
    const { status } = await peer.send('POST', `/threads/t/runs/${idOf(reader)}/cancel?wait=1&action=interrupt`)
    expect(status).toBe(204)
    expect(await peer.json('GET', `/threads/t/runs/${idOf(reader)}`)).toMatchObject({ status: 'interrupted' })
    expect((await reader.all()).map(({ event }) => event)).toEqual(['end'])
  })

  test('takes the thread back to where it stood, if it is asked to', async () => {
    const gate = new Gate()
    const model = fromAsyncIterable(async function* (_history, { signal }) {
      yield 'half '
      await Promise.race([gate.passed, new Promise((_resolve, reject) => signal?.addEventListener('abort', reject))])
    })
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('talk', async ({ messages: history }) =>
        history.at(-1)!.content === 'hi' ? {} : { messages: [await model.invoke(history)] },
      )
      .addEdge(START, 'talk')
      .compile()
    const peer = startPeer({ graphs: { agent: graph } })
    await streamed(peer, 't', { input: hi })
    const before = await peer.json('GET', '/threads/t/state')
    const input = { messages: [{ type: 'human', content: 'more' }] }
    const reader = await opened(peer, 't', { input, stream_mode: ['values', 'messages-tuple'] })
    const begun = await reader.until(({ data }) => JSON.stringify(data).includes('half'))
    const cancel = `/threads/t/runs/${idOf(reader)}/cancel?wait=1&action=rollback`
    expect((await peer.send('POST', cancel)).status).toBe(204)
    const blocks = [...begun, ...(await reader.all())]
    expect(dataOf(blocks, 'values').at(-1)).toMatchObject({ messages: [{ content: 'hi' }] })
    expect(addedUp(blocks).size).toBe(0)
    const { values } = (await peer.json('GET', '/threads/t/state')) as { values: unknown }
    expect(values).toEqual((before as { values: unknown }).values)
  })

  test('is what leaving does where that was asked for', async () => {
    const peer = hanging()
    const reader = await opened(peer, 't', { input: {}, on_disconnect: 'cancel' })
    await reader.next()
    await reader.cancel()
    const joined = await peer.get(`/threads/t/runs/${idOf(reader)}/join`)
    expect(joined.status).toBe(200)
    expect(await peer.json('GET', `/threads/t/runs/${idOf(reader)}`)).toMatchObject({ status: 'interrupted' })
  })

  test('on a busy thread a second run is refused, or waits, or stops the first', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph(), slow: wordGraph(['half ', new Gate()]) } })
    const first = await opened(peer, 't', { assistant_id: 'slow', input: {} })
    await first.next()
    const second = { assistant_id: 'agent', input: hi }
    const refused = await peer.send('POST', '/threads/t/runs/stream', second)
    expect(refused.status).toBe(409)
    expect(await refused.json()).toMatchObject({ error: 'RUN_CONFLICT', message: expect.stringContaining('busy') })
    const queued = await peer.json('POST', '/threads/t/runs', { ...second, multitask_strategy: 'enqueue' })
    expect(queued).toMatchObject({ status: 'pending', multitask_strategy: 'enqueue' })
    await streamed(peer, 't', { ...second, multitask_strategy: 'interrupt' })
    const runs = (await peer.json('GET', '/threads/t/runs?limit=10')) as { status: string }[]
    expect(runs.map(({ status }) => status)).toEqual(['success', 'interrupted', 'interrupted'])
    expect(await peer.json('GET', '/threads/t/runs?status=success')).toHaveLength(1)
  })
})

describe('threads', () => {
  test('are made, found by their metadata, changed, copied and deleted', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const made = await peer.json('POST', '/threads', { thread_id: 'a', metadata: { user: 'ann' } })
    expect(made).toMatchObject({ thread_id: 'a', status: 'idle', metadata: { user: 'ann' }, config: {} })
    expect((await peer.send('POST', '/threads', { thread_id: 'a' })).status).toBe(409)
    expect((await peer.send('POST', '/threads', { thread_id: 'a', if_exists: 'do_nothing' })).status).toBe(200)
    await peer.json('POST', '/threads', { thread_id: 'b', metadata: { user: 'bob' } })
    await streamed(peer, 'a', { input: hi })
    expect(await peer.json('POST', '/threads/search', { metadata: { user: 'ann' } })).toMatchObject([
      { thread_id: 'a', metadata: { graph_id: 'agent' }, values: { turns: 1 } },
    ])
    const byGraph = { metadata: { graph_id: 'agent' }, select: ['thread_id'] }
    expect(await peer.json('POST', '/threads/search', byGraph)).toEqual([{ thread_id: 'a' }])
    const sorted = { sort_by: 'thread_id', sort_order: 'asc', limit: 1, offset: 1, select: ['thread_id'] }
    expect(await peer.json('POST', '/threads/search', sorted)).toEqual([{ thread_id: 'b' }])
    expect(await peer.json('POST', '/threads/count', {})).toBe(2)
    expect(await peer.json('PATCH', '/threads/a', { metadata: { title: 'x' } })).toMatchObject({
      metadata: { user: 'ann', title: 'x' },
    })
    const copy = (await peer.json('POST', '/threads/a/copy')) as { thread_id: string }
    expect(await peer.json('GET', `/threads/${copy.thread_id}/state`)).toMatchObject({ values: { turns: 1 } })
    expect((await peer.send('DELETE', '/threads/a')).status).toBe(204)
    expect((await peer.get('/threads/a')).status).toBe(404)
  })

  test('show the state of a graph below that waits, and take a change of it', async () => {
    const schema = state({ note: value<string>(), turns: value<number>() })
    const asks = new StateGraph(schema)
      .addNode('ask', ({ turns }, ctx) => ({ note: ctx.interrupt<string>('ok?'), turns: turns + 1 }))
      .addEdge(START, 'ask')
      .compile()
    const agent = new StateGraph(schema).addNode('below', asks).addEdge(START, 'below').compile()
    const peer = startPeer({ graphs: { agent } })
    await streamed(peer, 't', { input: { turns: 1 } })
    const { tasks } = (await peer.json('GET', '/threads/t/state?subgraphs=true')) as {
      tasks: { checkpoint: { checkpoint_ns: string }; state: { values: object } }[]
    }
    expect(tasks).toMatchObject([{ name: 'below', interrupts: [{ value: 'ok?' }], state: { next: ['ask'] } }])
    const [{ checkpoint, state: below } = { checkpoint: undefined, state: undefined }] = tasks
    expect(checkpoint?.checkpoint_ns).toMatch(/^below:\w+$/)
    expect(await peer.json('POST', '/threads/t/state/checkpoint', { checkpoint })).toEqual(below)
    expect(await peer.json('POST', '/threads/t/history', { checkpoint, limit: 1 })).toMatchObject([
      { checkpoint: { checkpoint_ns: checkpoint?.checkpoint_ns }, next: ['ask'], values: {} },
    ])
    const changed = await peer.json('POST', '/threads/t/state', { checkpoint, values: { turns: 40 } })
    expect(changed).toMatchObject({ checkpoint })
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({
      values: { turns: 1 },
      tasks: [{ checkpoint: null, state: null, interrupts: [{ value: 'ok?' }] }],
    })
    await streamed(peer, 't', { command: { resume: 'yes' } })
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({ values: { note: 'yes', turns: 41 }, next: [] })
  })

  test('without a state answer an empty one', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await peer.send('POST', '/threads', { thread_id: 'a' })
    expect(await peer.json('GET', '/threads/a/state')).toMatchObject({
      values: {},
      next: [],
      tasks: [],
      checkpoint: null,
    })
    expect(await peer.json('POST', '/threads/a/history', { limit: 3 })).toEqual([])
  })

  test('have a history to page through, and to go back to', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await streamed(peer, 't', { input: hi })
    type State = { checkpoint: { checkpoint_id: string }; metadata: { step: number }; next: string[] }
    const history = (await peer.json('POST', '/threads/t/history', { limit: 10 })) as State[]
    expect(history.map(({ metadata, next }) => [metadata.step, next])).toEqual([
      [2, []],
      [1, ['review']],
      [0, ['talk']],
      [-1, ['__start__']],
    ])
    const [, second] = history
    expect(await peer.json('POST', '/threads/t/history', { before: second!.checkpoint })).toEqual(history.slice(2))
    expect(await peer.json('GET', '/threads/t/history?limit=1')).toEqual(history.slice(0, 1))
    expect(await peer.json('POST', '/threads/t/history', { metadata: { step: 0 } })).toEqual(history.slice(2, 3))
    const { checkpoint_id } = history[2]!.checkpoint
    expect(await peer.json('GET', `/threads/t/state/${checkpoint_id}`)).toEqual(history[2])
    expect(await peer.json('POST', '/threads/t/state/checkpoint', { checkpoint: { checkpoint_id } })).toEqual(
      history[2],
    )
    const edited = { messages: [{ type: 'human', content: 'bye', id: 'h1' }] }
    const from = { checkpoint: { checkpoint_id: history[3]!.checkpoint.checkpoint_id } }
    const blocks = await streamed(peer, 't', { input: edited, ...from })
    expect(dataOf(blocks, 'values').at(-1)).toMatchObject({
      turns: 1,
      messages: [{ content: 'bye' }, { content: 'you said bye ' }],
    })
  })

  test('take an update of their state as a node would make it', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await streamed(peer, 't', { input: hi })
    const update = { values: { note: 'by hand' }, as_node: 'review' }
    const made = (await peer.json('POST', '/threads/t/state', update)) as { checkpoint: { checkpoint_id: string } }
    expect(await peer.json('GET', '/threads/t/state')).toMatchObject({
      values: { note: 'by hand' },
      checkpoint: { checkpoint_id: made.checkpoint.checkpoint_id },
      metadata: { source: 'update' },
    })
  })
})

describe('a run without a thread', () => {
  test('streams, and leaves nothing behind', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const response = await peer.send('POST', '/runs/stream', { assistant_id: 'agent', input: hi })
    const reader = new BlockReader(response)
    const blocks = await reader.all()
    expect(response.headers.get('content-location')).toBe(`/runs/${idOf(reader)}`)
    expect(dataOf(blocks, 'values').at(-1)).toMatchObject({ turns: 1 })
    expect(blocks.at(-1)?.event).toBe('end')
    await expect.poll(() => peer.json('POST', '/threads/count', {})).toBe(0)
    expect(peer.errors).toEqual([])
  })

  test('is waited for, and says what failed', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph(), ill: chatGraph({ fail: true }) } })
    const done = await peer.json('POST', '/runs/wait', { assistant_id: 'agent', input: hi })
    expect(done).toMatchObject({ messages: [{ type: 'human' }, { type: 'ai', content: 'you said hi ' }] })
    const failed = await peer.json('POST', '/runs/wait', { assistant_id: 'ill', input: hi })
    expect(failed).toEqual({ __error__: { error: 'NODE_FAILED', message: 'node "review" failed' } })
  })
})

describe('what else is asked', () => {
  test('graphs are assistants of the same name', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph(), other: chatGraph() } })
    expect(await peer.json('POST', '/assistants/search', {})).toMatchObject([
      { assistant_id: 'agent', graph_id: 'agent' },
      { graph_id: 'other' },
    ])
    expect(await peer.json('POST', '/assistants/search', { graph_id: 'other' })).toHaveLength(1)
    expect(await peer.json('POST', '/assistants/count', {})).toBe(2)
    expect(await peer.json('GET', '/assistants/agent')).toMatchObject({ assistant_id: 'agent' })
    const graph = (await peer.json('GET', '/assistants/agent/graph')) as { nodes: { id: string }[]; edges: object[] }
    expect(graph.nodes.map(({ id }) => id)).toEqual(['__start__', 'talk', 'review', '__end__'])
    expect(graph.edges).toContainEqual({ source: 'talk', target: 'review' })
    expect(await peer.json('GET', '/assistants/agent/schemas')).toMatchObject({ graph_id: 'agent' })
    expect((await peer.get('/assistants/nobody')).status).toBe(404)
    expect(await peer.json('GET', '/ok')).toEqual({ ok: true })
    expect(await peer.json('GET', '/info')).toMatchObject({ flags: { assistants: true } })
  })

  test('what is wrong or not served is refused with a sentence, and nothing begins', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const refusal = async (path: string, body: object): Promise<[number, unknown]> => {
      const response = await peer.send('POST', path, body)
      return [response.status, ((await response.json()) as { error: unknown }).error]
    }
    const run = { assistant_id: 'agent', input: hi, if_not_exists: 'create' }
    const stream = '/threads/t/runs/stream'
    expect(await refusal(stream, { ...run, assistant_id: 'nope' })).toEqual([404, 'NOT_FOUND'])
    expect(await refusal(stream, { assistant_id: 'agent', input: hi })).toEqual([404, 'NOT_FOUND'])
    expect(await refusal(stream, { ...run, stream_mode: ['bogus'] })).toEqual([400, 'INVALID_INPUT'])
    expect(await refusal(stream, { ...run, stream_mode: 'events' })).toEqual([422, 'UNSUPPORTED'])
    expect(await refusal(stream, { ...run, webhook: 'http://x' })).toEqual([422, 'UNSUPPORTED'])
    expect(await refusal(stream, { ...run, multitask_strategy: 'maybe' })).toEqual([400, 'INVALID_INPUT'])
    expect(await refusal(stream, { ...run, command: { goto: [3] } })).toEqual([400, 'INVALID_INPUT'])
    expect(await refusal(stream, { ...run, command: { resume: 1, goto: 'talk' } })).toEqual([422, 'UNSUPPORTED'])
    expect(await refusal('/threads', { thread_id: '../x' })).toEqual([400, 'INVALID_INPUT'])
    expect(await refusal('/threads/search', { metadata: { a: {} } })).toEqual([400, 'INVALID_INPUT'])
    expect(await peer.json('POST', '/threads/count', {})).toBe(0)
  })

  test('what belongs to another tenant is not there', async () => {
    const auth = (request: Request) => ({ tenant: request.headers.get('x-tenant') ?? 'mine' })
    const peer = startPeer({ graphs: { agent: chatGraph() }, auth })
    const reader = await opened(peer, 't', { input: hi })
    await reader.all()
    const theirs = { 'x-tenant': 'theirs' }
    const run = `/threads/t/runs/${idOf(reader)}`
    for (const path of [
      '/threads/t',
      '/threads/t/state',
      '/threads/t/history',
      '/threads/t/runs',
      run,
      `${run}/stream`,
      `${run}/join`,
    ]) {
      expect([path, (await peer.get(path, theirs)).status]).toEqual([path, 404])
    }
    for (const path of [`${run}/cancel`, '/threads/t/copy', '/threads/t/state', '/threads/t/history']) {
      expect([path, (await peer.send('POST', path, {}, theirs)).status]).toEqual([path, 404])
    }
    expect(await (await peer.send('POST', '/threads/search', {}, theirs)).json()).toEqual([])
  })
})

test('pages of other origins that may call can read where their run is', async () => {
  const peer = startPeer({ graphs: { agent: chatGraph() }, cors: { origins: ['https://page.example'] } })
  const origin = { origin: 'https://page.example' }
  const answer = await peer.get('/ok', origin)
  expect(answer.headers.get('access-control-expose-headers')).toBe('content-location,location')
  const asked = { ...origin, 'access-control-request-method': 'PATCH' }
  const preflight = await peer.send('OPTIONS', '/threads/t', undefined, asked)
  expect(preflight.headers.get('access-control-allow-methods')?.split(',')).toContain('PATCH')
})
