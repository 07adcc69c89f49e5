import { messagesOf, valuesOf } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { createApp, type LangGraphLike } from '../src/index.ts'
import { plain } from '../src/langgraph/plain.ts'
import { eventsIn, foldFrames, startServer, typesIn } from './server.ts'

/** A message as LangChain makes it: a class with a type, of which only some fields are told. */
class FakeMessage {
  readonly lc_kwargs = {}
  readonly id: string
  readonly content: string
  readonly tool_call_chunks: unknown
  readonly #type: string
  constructor(type: string, id: string, content: string, isChunk = false) {
    this.#type = type
    this.id = id
    this.content = content
    if (isChunk) this.tool_call_chunks = []
  }
  getType(): string {
    return this.#type
  }
}

interface Asked {
  input: { lg_name?: string; resume?: unknown; messages?: { content: string }[] }
  options: {
    configurable: { thread_id: string; checkpoint_id?: string }
    streamMode: string[]
    signal: AbortSignal
    recursionLimit?: number
  }
}

/** A graph that has what a compiled graph of LangGraph has: it talks, asks, and remembers its threads. */
function fakeLangGraph({ fail = false, hang = false, remember = true } = {}): { graph: LangGraphLike; asked: Asked[] } {
  const asked: Asked[] = []
  const threads = new Map<string, { values: Record<string, unknown>; waits: boolean }>()
  const interrupts = [{ id: 'i1', value: { question: 'ok?' } }]
  const graph = {
    checkpointer: remember && {
      deleteThread: async (id: string) => void threads.delete(id),
    },
    async *stream(input: Asked['input'], options: Asked['options']) {
      asked.push({ input, options })
      const id = options.configurable.thread_id
      const before = threads.get(id)?.values['messages'] ?? []
      const messages = [...(before as FakeMessage[])]
      const meta = {
        langgraph_node: 'talk',
        langgraph_step: 1,
        langgraph_checkpoint_ns: 'talk:task1',
        tags: ['seq:step:1'],
      }
      if (input.lg_name !== 'Command') {
        messages.push(new FakeMessage('human', `h${messages.length}`, input.messages![0]!.content))
        yield [[], 'values', { messages: [...messages] }]
        yield [['talk:task1'], 'custom', { progress: 1 }]
        for (const text of ['hel', 'lo'])
          yield [[], 'messages', [new FakeMessage('ai', `a${messages.length}`, text, true), meta]]
        if (hang)
          await new Promise((_resolve, reject) =>
            options.signal.addEventListener('abort', () => reject(new Error('Aborted'))),
          )
        if (fail) throw new Error('the password is 1234')
        messages.push(new FakeMessage('ai', `a${messages.length}`, 'hello'))
        threads.set(id, { values: { messages }, waits: true })
        yield [[], 'values', { messages: [...messages] }]
        yield [[], 'values', { __interrupt__: interrupts }]
        return
      }
      threads.set(id, { values: { messages, note: input.resume }, waits: false })
      yield [[], 'values', { messages, note: input.resume }]
    },
    async getState({ configurable }: { configurable: { thread_id: string; checkpoint_id?: string } }) {
      const known = threads.get(configurable.thread_id)
      if (known === undefined || (configurable.checkpoint_id ?? 'c1') !== 'c1')
        return { values: {}, next: [], config: { configurable } }
      return {
        values: known.values,
        next: known.waits ? ['ask'] : [],
        tasks: known.waits ? [{ interrupts }] : [],
        metadata: { step: 1, source: 'loop' },
        createdAt: '2026-01-01T00:00:00.000Z',
        config: { configurable: { ...configurable, checkpoint_id: 'c1' } },
      }
    },
    async *getStateHistory(config: { configurable: { thread_id: string } }) {
      yield await this.getState(config)
    },
    updateState: async (config: { configurable: object }) => ({
      configurable: { ...config.configurable, checkpoint_id: 'c1' },
    }),
  }
  return { graph, asked }
}

const hello = { graph: 'lg', run: 'r1', input: { messages: [{ role: 'user', content: 'hi' }] } }

describe('a graph of LangGraph', () => {
  test('is served as any other: it streams, asks, and goes on with the answer', async () => {
    const { graph, asked } = fakeLangGraph()
    const server = await startServer({ graphs: { lg: graph } })
    const frames = await (await server.run('t1', { ...hello, modes: ['updates'], recursionLimit: 7 })).all()
    const state = foldFrames(frames)
    expect(state.gap).toBeUndefined()
    expect(messagesOf(state)).toMatchObject([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'hello', meta: { node: 'talk', task: 'task1' } },
    ])
    expect(eventsIn(frames).find(({ type }) => type === 'run.start')).toMatchObject({ graph: 'lg' })
    expect(eventsIn(frames).find(({ type }) => type === 'custom')).toMatchObject({
      ns: ['talk:task1'],
      data: { progress: 1 },
    })
    expect(eventsIn(frames).at(-1)).toMatchObject({ type: 'run.end', status: 'interrupted' })
    expect(asked[0]!.options).toMatchObject({
      streamMode: ['values', 'messages', 'custom', 'updates'],
      recursionLimit: 7,
    })
    expect((await server.post('/v1/threads/t1/runs', { ...hello, run: 'r2' })).status).toBe(409)
    const answered = await (
      await server.post('/v1/threads/t1/runs?wait=1', { graph: 'lg', run: 'r3', resume: 'yes' })
    ).json()
    expect(answered).toMatchObject({ status: 'done', values: { note: 'yes' }, interrupts: [] })
    expect(asked[1]!.input).toMatchObject({ lg_name: 'Command', resume: 'yes' })
    expect(Object.getPrototypeOf(asked[1]!.input)).not.toBe(Object.prototype)
  })

  test('shows the state and history that it keeps, and forgets them with the thread', async () => {
    const { graph, asked } = fakeLangGraph()
    const server = await startServer({ graphs: { lg: graph } })
    await server.post('/v1/threads/t1/runs?wait=1', hello)
    const state = await (await server.get('/v1/threads/t1/state')).json()
    expect(state).toMatchObject({
      values: { messages: [{ role: 'user', content: 'hi' }, { content: 'hello' }] },
      next: ['ask'],
      checkpointId: 'c1',
      interrupts: [{ id: 'i1' }],
    })
    expect(await (await server.get('/v1/threads/t1/history')).json()).toEqual([state])
    expect((await server.get('/v1/threads/t1/state?checkpointId=c9')).status).toBe(404)
    expect((await server.post('/v1/threads/t1/state', { update: { note: 'x' } })).status).toBe(200)
    await fetch(`${server.url}/v1/threads/t1`, { method: 'DELETE' })
    await server.post('/v1/threads/t1/runs?wait=1', hello)
    expect(new Set(asked.map(({ options }) => options.configurable.thread_id)).size).toBe(2)
  })

  test('that throws ends with an error, and what it threw stays here', async () => {
    const server = await startServer({ graphs: { lg: fakeLangGraph({ fail: true }).graph } })
    const stream = await server.run('t1', hello)
    const frames = await stream.all()
    expect(eventsIn(frames).at(-1)).toMatchObject({ type: 'run.end', status: 'error', error: { code: 'NODE_FAILED' } })
    expect(stream.text).not.toContain('1234')
    expect(server.errors).toMatchObject([{ message: 'the password is 1234' }])
  })

  test('is stopped by its signal, and what it had said stays', async () => {
    const server = await startServer({ graphs: { lg: fakeLangGraph({ hang: true }).graph } })
    const stream = await server.run('t1', hello)
    const before = await stream.until(({ type }) => type === 'message.delta')
    await server.post('/v1/threads/t1/runs/r1/cancel')
    const state = foldFrames([...before, ...(await stream.all())])
    expect(state.runs.get('r1')).toMatchObject({ status: 'cancelled' })
    expect(messagesOf(state).at(-1)).toMatchObject({ content: 'hello', status: 'cut' })
  })

  test('that remembers nothing shows what its events said', async () => {
    const server = await startServer({ graphs: { lg: fakeLangGraph({ remember: false }).graph } })
    const frames = await (await server.run('t1', hello)).all()
    expect(typesIn(frames)).toContain('message.delta')
    expect(valuesOf(foldFrames(frames))).toHaveProperty('messages')
    expect((await server.get('/v1/threads/t1/state?checkpointId=c1')).status).toBe(501)
  })

  test('that streams what nobody knows ends with an error', async () => {
    const graph = {
      async *stream() {
        yield 'nonsense'
      },
    }
    const server = await startServer({ graphs: { lg: graph } })
    const result = await (await server.post('/v1/threads/t1/runs?wait=1', hello)).json()
    expect(result).toMatchObject({ status: 'error' })
    expect(() => createApp({ graphs: { none: {} as never } })).toThrow('is no graph')
  })
})

test('messages become plain at any depth, and other classes stay as they are', () => {
  const date = new Date(0)
  const message = new FakeMessage('ai', 'm', 'x')
  expect(plain({ a: [message], date, nothing: null })).toEqual({
    a: [{ type: 'ai', id: 'm', content: 'x' }],
    date,
    nothing: null,
  })
})
