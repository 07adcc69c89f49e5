import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fakeTiming, settled } from '../../test/fake-timing.ts'
import { createClient } from '../client.ts'
import { langgraph } from './langgraph.ts'

const RUN = 'run-1'

/** The bodies of a recording's streams, of one run. */
function recorded(name: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../test/recordings', name), 'utf8')
  return text
    .split(/\n=+\n/)
    .map((part) => part.slice(part.indexOf('\n\n') + 2))
    .filter((body) => body.startsWith('event: metadata'))
    .map((body) => body.replaceAll(/"run_id":"[^"]*"/g, `"run_id":"${RUN}"`))
}

interface Call {
  method: string
  path: string
  json: unknown
  headers: Headers
}

type Answer = Response | Promise<Response> | undefined

/** A LangGraph server, answered by hand. What `answer` does not answer is not found. */
function server(answer: (call: Call) => Answer, protocol?: 'agent-stream') {
  const calls: Call[] = []
  const timing = fakeTiming()
  const answering: typeof fetch = async (url, init = {}) => {
    const { pathname, search } = new URL(url as string)
    const json: unknown = init.body ? JSON.parse(init.body as string) : undefined
    const call = { method: init.method ?? 'GET', path: pathname + search, json, headers: new Headers(init.headers) }
    calls.push(call)
    return (await answer(call)) ?? new Response('not here', { status: 404 })
  }
  const transport = langgraph({ apiUrl: 'http://example.test', assistantId: 'agent', fetch: answering, protocol })
  const client = createClient({ transport, timing })
  const thread = (threadId?: string) => client.thread({ graph: 'agent', ...(threadId !== undefined && { threadId }) })
  return { calls, client, thread, timing, lines: () => calls.map(({ method, path }) => `${method} ${path}`) }
}

function streaming(body: string): Response {
  const headers = { 'content-type': 'text/event-stream', 'content-location': `/threads/t/runs/${RUN}` }
  return new Response(body, { headers })
}

function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
}

/** A server whose run streams this body, each time up to the next of these cuts, and is over after the last. */
function serving(body: string, { cuts = [] as number[], status = 'success', events = 1000 } = {}) {
  const blocks = body
    .split(/(?<=\n\n)/)
    .filter((block) => block !== '')
    .slice(0, events)
  let left = [...cuts]
  let isOver = false
  const next = (from: number) => {
    const [cut, ...more] = left
    left = more
    isOver = cut === undefined
    return streaming(blocks.slice(from, cut).join(''))
  }
  return server(({ method, path, headers }) => {
    if (method === 'POST' && path.endsWith('/runs/stream')) return next(0)
    if (path.endsWith(`/runs/${RUN}/stream`)) return next(Number(headers.get('last-event-id')) + 1)
    if (path.endsWith(`/runs/${RUN}`)) return json({ status: isOver ? status : 'running' })
    return method === 'POST' && path.includes('/cancel') ? new Response(null, { status: 204 }) : undefined
  })
}

const [agent] = recorded('sse-agent-tools-custom.txt')
const [asking, answering] = recorded('sse-interrupt-resume.txt')
const ask = { messages: { id: 'h1', role: 'user', content: 'weather?' } }

async function outcome({ thread, timing }: ReturnType<typeof server>) {
  const store = thread('t')
  const run = store.submit(ask)
  for (let i = 0; i < 80; i++) {
    await settled()
    await timing.advance(300)
  }
  const { status, error } = await run.result
  const messages = store.getSnapshot().messages.map(({ id, content, toolCalls, status: state, delivery }) => {
    return { id, content, toolCalls, state, delivery }
  })
  return { status, error, messages }
}

test('a run streams messages, tool calls and state, and the user’s message is there once', async () => {
  const { status, messages } = await outcome(serving(agent!))
  expect(status).toBe('done')
  expect(messages).toMatchObject([
    { id: 'h1', content: 'weather?', delivery: undefined },
    { content: 'Let me check.', toolCalls: [{ name: 'get_weather', args: '{"city":"SF"}' }] },
    { content: '{"city":"SF","temp":64}' },
    { content: 'It is 64F in SF.' },
  ])
})

test('what is posted is what LangGraph asks for', async () => {
  const backend = serving(agent!)
  const run = backend.thread('t').submit({ messages: 'hi' }, { tags: ['x'], recursionLimit: 7, checkpointId: 'c' })
  await run.result
  expect(backend.calls[0]).toMatchObject({
    method: 'POST',
    path: '/threads/t/runs/stream',
    json: {
      assistant_id: 'agent',
      input: { messages: [{ role: 'user', content: 'hi' }] },
      checkpoint: { checkpoint_id: 'c' },
      config: { tags: ['x'], recursion_limit: 7 },
      stream_mode: ['values', 'messages-tuple', 'updates', 'custom', 'tasks'],
      stream_resumable: true,
      on_disconnect: 'continue',
      multitask_strategy: 'reject',
    },
  })
})

test('a connection lost at any event joins the run again, with the same outcome', async () => {
  const whole = await outcome(serving(agent!))
  const blocks = agent!.split(/(?<=\n\n)/).length
  for (let cut = 0; cut < blocks; cut++) {
    expect(await outcome(serving(agent!, { cuts: [cut] }))).toEqual(whole)
  }
  expect(await outcome(serving(agent!, { cuts: [2, 5, 5, 9, 12] }))).toEqual(whole)
})

test('a question is shown, answered with its graph’s command, and gone', async () => {
  let posts = 0
  const backend = server(({ method, path }) => {
    if (method === 'POST' && path.endsWith('/runs/stream')) return streaming([asking!, answering!][posts++]!)
    return path.endsWith(`/runs/${RUN}`) ? json({ status: posts === 1 ? 'interrupted' : 'success' }) : undefined
  })
  const store = backend.thread('t')
  expect(await store.submit({ messages: 'go' }).result).toMatchObject({ status: 'interrupted' })
  expect(store.getSnapshot().interrupts).toMatchObject([{ value: { question: 'Approve?' } }])
  expect(await store.submit(undefined, { resume: { ok: true } }).result).toMatchObject({
    status: 'done',
    interrupts: [],
  })
  const post = backend.calls.filter(({ path }) => path.endsWith('/runs/stream'))[1]
  expect(post?.json).toMatchObject({ command: { resume: { ok: true } } })
  expect(store.getSnapshot().values).toMatchObject({ decision: { ok: true } })
})

test('a run that is sent to a node asks for that by a command, with its input as an update', async () => {
  const backend = serving(agent!)
  await backend.thread('t').submit({ topic: 'cats' }, { goto: ['write'] }).result
  const post = backend.calls.find(({ path }) => path.endsWith('/runs/stream'))
  expect(post?.json).toMatchObject({ command: { goto: ['write'], update: { topic: 'cats' } } })
  expect(post?.json).not.toHaveProperty('input')
})

test('a run that was stopped ends cancelled, its text kept', async () => {
  const blocks = agent!.split(/(?<=\n\n)/)
  let close = () => {}
  const backend = server(({ method, path }) => {
    if (path.endsWith('/runs/stream')) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(blocks.slice(0, 5).join('')))
          close = () => controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    if (path.includes('/cancel')) {
      close()
      return new Response(null, { status: 204 })
    }
    return method === 'GET' ? json({ status: 'interrupted' }) : undefined
  })
  const store = backend.thread('t')
  const run = store.submit(ask)
  await new Promise<void>((resolve) => {
    const leave = store.subscribe(() => {
      if (store.getSnapshot().messages.at(-1)?.content !== 'Let me check.') return
      leave()
      resolve()
    })
  })
  await run.stop()
  expect(await run.result).toMatchObject({ status: 'cancelled' })
  expect(store.getSnapshot().messages.at(-1)).toMatchObject({ content: 'Let me check.', status: 'cut' })
  expect(backend.lines()).toContain(`POST /threads/t/runs/${RUN}/cancel?wait=1`)
})

test('a page that is loaded again shows the state and joins the run that is under way', async () => {
  const state = {
    values: { topic: 'cats', messages: [{ type: 'human', id: 'h1', content: 'weather?' }] },
    next: ['agent'],
    tasks: [],
    checkpoint: { checkpoint_id: 'c1' },
  }
  const backend = server(({ path }) => {
    if (path === '/threads/t/state') return json(state)
    if (path.startsWith('/threads/t/runs?')) return json([{ run_id: RUN }])
    if (path.endsWith(`/runs/${RUN}/stream`)) return streaming(agent!)
    return path.endsWith(`/runs/${RUN}`) ? json({ status: 'success' }) : undefined
  })
  const store = backend.thread('t')
  store.follow()
  await new Promise<void>((resolve) => {
    const leave = store.subscribe(() => {
      if (store.getSnapshot().messages.length < 4 || store.getSnapshot().isLoading) return
      leave()
      resolve()
    })
  })
  expect(store.getSnapshot().messages.map(({ content }) => content)).toEqual([
    'weather?',
    'Let me check.',
    '{"city":"SF","temp":64}',
    'It is 64F in SF.',
  ])
})

test('a busy thread is a conflict, an unknown assistant is not found', async () => {
  const busy = server(() => new Response('Thread is already running a task.', { status: 422 }))
  expect(await busy.thread('t').submit(ask).result).toMatchObject({ status: 'error', error: { code: 'RUN_CONFLICT' } })
  const unknown = server(() => new Response('No assistant found', { status: 404 }))
  expect(await unknown.thread('t').submit(ask).result).toMatchObject({ status: 'error', error: { code: 'NOT_FOUND' } })
})

test('whether the run is over is asked until the server answers', async () => {
  let asked = 0
  const backend = server(({ path }) => {
    if (path.endsWith('/stream')) return streaming(agent!)
    return asked++ === 0 ? new Response('', { status: 503 }) : json({ status: 'success' })
  })
  expect(await outcome(backend)).toMatchObject({ status: 'done' })
  expect(asked).toBe(2)
})

test('a start of which nobody knows whether it got through is not repeated', async () => {
  const backend = server(() => Promise.reject(new TypeError('fetch failed')))
  const result = await backend.thread('t').submit(ask).result
  expect(result).toMatchObject({ status: 'error', error: { code: 'DISCONNECTED', retryable: false } })
  expect(backend.calls).toHaveLength(1)
})

test('a new thread gets an id that the server takes', async () => {
  const backend = serving(agent!)
  const store = backend.thread()
  await store.submit(ask).result
  expect(store.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/)
})

test('threads, state, history and updates are the server’s', async () => {
  const info = {
    thread_id: 't',
    status: 'idle',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-02T00:00:00Z',
    metadata: { graph_id: 'agent' },
  }
  const state = {
    values: { messages: [{ type: 'ai', id: 'a', content: 'x' }] },
    next: [],
    metadata: { step: 2, source: 'loop' },
    checkpoint: { checkpoint_id: 'c2' },
  }
  const { client, calls, lines } = server(({ method, path }) => {
    if (path === '/threads/search') return json([info, info])
    if (path === '/threads/t/history') return json([state])
    if (path.startsWith('/threads/t/state'))
      return json(method === 'POST' ? { checkpoint: { checkpoint_id: 'c3' } } : state)
    if (path === '/threads/gone/state') return undefined
    return method === 'DELETE' ? new Response(null, { status: 204 }) : json(info)
  })
  expect(await client.threads.list({ limit: 2 })).toMatchObject({
    threads: [{ id: 't', graph: 'agent' }, {}],
    cursor: '2',
  })
  expect(await client.threads.list({ limit: 3 })).not.toHaveProperty('cursor')
  expect(await client.threads.create({ id: 't' })).toMatchObject({ id: 't', createdAt: Date.parse('2026-01-01') })
  expect(await client.threads.state('t')).toMatchObject({
    values: { messages: [{ id: 'a', role: 'assistant', content: 'x' }] },
    checkpointId: 'c2',
    step: 2,
    source: 'loop',
  })
  expect(await client.threads.state('t', { checkpointId: 'c2' })).toMatchObject({ checkpointId: 'c2' })
  expect(await client.threads.state('gone')).toBeUndefined()
  expect(await client.threads.history('t', { before: 'c9' })).toHaveLength(1)
  expect(await client.threads.update('t', { a: 1 }, { asNode: 'n' })).toEqual({ checkpointId: 'c3' })
  expect(await client.threads.fork('t')).toMatchObject({ id: 't' })
  await expect(client.threads.fork('t', { checkpointId: 'c' })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await client.threads.delete('t')
  expect(lines().at(-1)).toBe('DELETE /threads/t')
  expect(calls.find(({ path }) => path === '/threads/t/history')?.json).toMatchObject({
    before: { configurable: { checkpoint_id: 'c9' } },
  })
})

test('state of a graph below is asked for by its namespace, and told beside its task', async () => {
  const below = {
    values: { topic: 'tea' },
    next: ['ask'],
    tasks: [{ id: 'i', name: 'ask', interrupts: [{ id: 'q', value: 'tea?' }] }],
    checkpoint: { checkpoint_id: 'c5', checkpoint_ns: 'below:o' },
  }
  const task = { id: 'o', name: 'below', interrupts: [{ id: 'q', value: 'tea?' }], state: below }
  const ended = { id: 'e', name: 'other', interrupts: [], result: { topic: 'tea' } }
  const root = { values: {}, next: ['below'], tasks: [ended, task], checkpoint: { checkpoint_id: 'c1' } }
  const { client, calls } = server(({ method, path }) => {
    if (path.endsWith('/history')) return json([below])
    if (path.endsWith('/checkpoint')) return json(below)
    return json(method === 'POST' ? { checkpoint: { checkpoint_id: 'c6' } } : root)
  })
  const ns = ['below:o']
  expect(await client.threads.state('t')).not.toHaveProperty('tasks')
  expect(await client.threads.state('t', { subgraphs: true })).toMatchObject({
    tasks: [{ id: 'o', name: 'below', ns, state: { checkpointId: 'c5', tasks: [{ name: 'ask' }] } }],
  })
  expect(await client.threads.state('t', { ns })).toMatchObject({ checkpointId: 'c5', values: { topic: 'tea' } })
  expect(await client.threads.history('t', { ns })).toMatchObject([{ checkpointId: 'c5' }])
  expect(await client.threads.update('t', { topic: 'cake' }, { ns })).toEqual({ checkpointId: 'c6' })
  const place = { checkpoint: { checkpoint_ns: 'below:o' } }
  expect(calls.map(({ json: sent }) => sent)).toMatchObject([undefined, undefined, place, place, place])
})

test('the same over the agent streaming protocol, cut at any frame', async () => {
  const text = readFileSync(
    join(import.meta.dirname, '../../test/recordings/proto-sse-agent2-parallel-tools.txt'),
    'utf8',
  )
  const body = text.slice(text.indexOf('event: lifecycle')).replaceAll('<ms>', '0')
  const blocks = body.split(/(?<=\n\n)/).filter((block) => block.startsWith('event'))
  const over = (cut: number) => {
    let opened = 0
    return server(({ path, json: sent }) => {
      const { since = 0 } = (sent ?? {}) as { since?: number }
      if (path.endsWith('/commands'))
        return json({ type: 'success', id: 1, result: { run_id: RUN }, meta: { applied_through_seq: 0 } })
      if (!path.endsWith('/stream/events')) return undefined
      const left = blocks.filter((block) => Number(/"seq":(\d+)/.exec(block)?.[1]) > since)
      return streaming(left.slice(0, opened++ === 0 ? cut : undefined).join(''))
    }, 'agent-stream')
  }
  const whole = await outcome(over(blocks.length))
  expect(whole).toMatchObject({ status: 'done' })
  expect(whole.messages.map(({ content }) => content).at(-1)).toBe('It is 64F in SF.')
  for (const cut of [0, 1, 5, 9, 17, 30, 44, blocks.length - 2]) expect(await outcome(over(cut))).toEqual(whole)
})

test('a question is answered by its command', async () => {
  const lifecycle = (seq: number, event: string) => frame(seq, 'lifecycle', { event })
  const frame = (seq: number, method: string, data: object) =>
    `data: ${JSON.stringify({ type: 'event', seq, method, params: { namespace: [], data } })}\n\n`
  const asks = frame(2, 'input.requested', { interrupt_id: 'i', payload: 'ok?' })
  let commands = 0
  const backend = server(({ path }) => {
    if (path.endsWith('/commands'))
      return json({ type: 'success', meta: { applied_through_seq: commands++ === 0 ? 0 : 3 } })
    if (!path.endsWith('/stream/events')) return undefined
    return commands === 1
      ? streaming(lifecycle(1, 'running') + asks + lifecycle(3, 'interrupted'))
      : streaming(lifecycle(4, 'running') + lifecycle(5, 'completed'))
  }, 'agent-stream')
  const store = backend.thread('t')
  expect(await store.submit({ messages: 'go' }).result).toMatchObject({
    status: 'interrupted',
    interrupts: [{ id: 'i' }],
  })
  expect(await store.submit(undefined, { resume: 'yes' }).result).toMatchObject({ status: 'done', interrupts: [] })
  expect(backend.calls.filter(({ path }) => path.endsWith('/commands'))[1]?.json).toMatchObject({
    method: 'input.respond',
    params: { interrupt_id: 'i', response: 'yes' },
  })
})

test('a command that is refused fails the start', async () => {
  const backend = server(
    () => json({ type: 'error', error: 'invalid_argument', message: 'no such graph' }),
    'agent-stream',
  )
  expect(await backend.thread('t').submit(ask).result).toMatchObject({
    error: { code: 'INVALID_INPUT', message: 'no such graph' },
  })
})

test.each([undefined, 'agent-stream'] as const)(
  'a start whose answer was lost is not sent again, as it may have begun (%s)',
  async (protocol) => {
    const backend = server(({ method, path }) => {
      if (path === '/threads/t') return json({ status: 'idle' })
      return method === 'POST' ? Promise.reject(new TypeError('fetch failed')) : undefined
    }, protocol)
    const run = backend.thread('t').submit(ask)
    await settled()
    await backend.timing.advance(60_000)
    expect((await run.result).error).toMatchObject({
      code: 'DISCONNECTED',
      retryable: false,
      message: expect.stringContaining('it is not known whether the run began') as unknown,
    })
    expect(backend.calls.filter(({ method }) => method === 'POST')).toHaveLength(1)
  },
)
