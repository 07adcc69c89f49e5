import { fetchTransport } from '@rivulet/client'
import { createFrameDecoder, randomId, type RivuletEvent, type StreamableGraph } from '@rivulet/protocol'
import { script } from '../script/script.ts'
import { scriptGraph } from '../script/script-graph.ts'
import { about, type Harness } from './harness.ts'
import { stepGate } from './step-gate.ts'
import { transportConformance } from './transport.ts'

/** A server made for one test. */
export interface ServerUnderTest {
  /** Base address; the routes begin with `/v1` below it. */
  readonly url: string
  readonly close?: () => Promise<void> | void
}

/** Makes a server that serves this graph as `agent`. */
export type MakeServer = (graph: StreamableGraph) => ServerUnderTest | Promise<ServerUnderTest>

const JSON_BODY = { 'content-type': 'application/json' }
const STREAM = { accept: 'text/event-stream' }

/**
 * What every server of the own routes must do, as tests: all that {@link transportConformance} asks of a transport, over
 * HTTP, and what its answers look like to programs without a client of ours.
 */
export function serverConformance(makeServer: MakeServer, harness: Harness): void {
  const makeTransport = async (graph: StreamableGraph) => {
    const server = await makeServer(graph)
    return { transport: fetchTransport({ url: server.url }), close: () => server.close?.() }
  }
  transportConformance(makeTransport, about('over HTTP', harness))
  wireConformance(makeServer, about('its answers', harness))
}

/** What a test asks a server. */
interface Asking {
  readonly thread: string
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Response>
}

function wireConformance(makeServer: MakeServer, { test, expect }: Harness): void {
  const asking = (name: string, run: (ask: Asking) => Promise<void>) =>
    test(name, async () => {
      const gate = stepGate()
      gate.open()
      const written = script().run().token('Hello').end().run().interrupt('sure?', { id: 'i1' })
      const server = await makeServer(scriptGraph(() => written, gate))
      try {
        await run({
          thread: `t-${randomId(8)}`,
          get: (path, headers = {}) => fetch(server.url + path, { headers }),
          post: (path, body, headers = {}) => {
            const text = typeof body === 'string' ? body : JSON.stringify(body)
            return fetch(server.url + path, { method: 'POST', headers: { ...JSON_BODY, ...headers }, body: text })
          },
        })
      } finally {
        await server.close?.()
      }
    })
  const errorOf = async (response: Response) => {
    const { error } = (await response.json()) as { error?: { code?: unknown } }
    return [response.status, error?.code]
  }
  const start = { graph: 'agent', input: { messages: 'hi' } }

  asking('to a start that wants a stream are events, with id before event before data', async ({ thread, post }) => {
    const response = await post(`/v1/threads/${thread}/runs`, start, STREAM)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')?.startsWith('text/event-stream')).toBe(true)
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform')
    const text = await response.text()
    const blocks = text.split('\n\n').filter((block) => block.startsWith('id: '))
    expect(blocks.every((block) => /^id: [\w-]+\.\d+\nevent: [\w.]+\ndata: /.test(block))).toBe(true)
    expect(typesIn(text).at(-1)).toBe('run.end')
  })

  asking('to a start that wants nothing are where to read it', async ({ thread, post, get }) => {
    const response = await post(`/v1/threads/${thread}/runs`, { ...start, run: 'mine' })
    expect(response.status).toBe(202)
    const { cursor, ...rest } = (await response.json()) as Record<string, unknown>
    expect(rest).toEqual({ thread, run: 'mine' })
    const stream = await get(`/v1/threads/${thread}/events?until=mine&after=${String(cursor)}`)
    expect(typesIn(await stream.text()).at(-1)).toBe('run.end')
  })

  asking('to a start that waits are its result', async ({ thread, post }) => {
    const done = await post(`/v1/threads/${thread}/runs?wait=1`, { ...start, run: 'one' })
    expect(await done.json()).toMatchObject({ run: 'one', status: 'done', interrupts: [] })
    const asked = await post(`/v1/threads/${thread}/runs?wait=1`, { ...start, run: 'two' })
    expect(await asked.json()).toMatchObject({ status: 'interrupted', interrupts: [{ id: 'i1', value: 'sure?' }] })
  })

  asking('go on after the last event id that a browser sends', async ({ thread, post, get }) => {
    const text = await (await post(`/v1/threads/${thread}/runs`, { ...start, run: 'mine' }, STREAM)).text()
    const ids = [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id)
    const last = eventsIn(text).find(({ type }) => type === 'run.end')?.seq ?? 0
    const log = ids[0]?.split('.')[0]
    const headers = { ...STREAM, 'last-event-id': `${log}.${last - 1}` }
    const rest = await (await get(`/v1/threads/${thread}/events?until=mine`, headers)).text()
    expect(typesIn(rest)).toEqual(['run.end'])
  })

  asking('to what was sent again are the same run, and a conflict when it says something else', async (ask) => {
    const { thread, post } = ask
    const path = `/v1/threads/${thread}/runs?wait=1`
    const [first, again] = [await post(path, { ...start, run: 'r' }), await post(path, { ...start, run: 'r' })]
    expect(await again.json()).toEqual(await first.json())
    expect(await errorOf(await post(path, { ...start, input: { messages: 'other' }, run: 'r' }))).toEqual([
      409,
      'RUN_CONFLICT',
    ])
  })

  asking('to what cannot be understood name what is wrong', async ({ thread, post, get }) => {
    const runs = `/v1/threads/${thread}/runs`
    expect(await errorOf(await post(runs, '{"graph":'))).toEqual([400, 'INVALID_INPUT'])
    expect(await errorOf(await post(runs, [start]))).toEqual([400, 'INVALID_INPUT'])
    expect(await errorOf(await post(runs, { ...start, graph: 7 }))).toEqual([400, 'INVALID_INPUT'])
    expect(await errorOf(await post(runs, { ...start, graph: 'nobody' }))).toEqual([404, 'NOT_FOUND'])
    await post(`${runs}?wait=1`, start)
    expect(await errorOf(await get(`/v1/threads/${thread}/events?after=not a cursor`))).toEqual([400, 'INVALID_INPUT'])
    expect(await errorOf(await get(`/v1/threads/${thread}/events?until=nobody`))).toEqual([404, 'NOT_FOUND'])
  })

  asking('to what is not there are 404', async ({ get, post }) => {
    expect(await errorOf(await get('/v1/nothing'))).toEqual([404, 'NOT_FOUND'])
    expect(await errorOf(await get('/v1/threads/nobody'))).toEqual([404, 'NOT_FOUND'])
    expect(await errorOf(await get('/v1/threads/nobody/events'))).toEqual([404, 'NOT_FOUND'])
    expect(await errorOf(await post('/v1/threads/nobody/runs/r/cancel', {}))).toEqual([404, 'NOT_FOUND'])
  })

  asking('are not to be guessed at', async ({ get }) => {
    for (const path of ['/v1/threads', '/v1/graphs', '/v1/nothing']) {
      expect((await get(path)).headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(await (await get('/v1/graphs')).json()).toMatchObject({ graphs: [{ name: 'agent' }] })
  })
}

function eventsIn(text: string): RivuletEvent[] {
  const frames = createFrameDecoder().push(text)
  return frames.flatMap((frame) => (frame.type === 'events' ? [...frame.events] : []))
}

/** Types of a run's events: not of what only says where a reader stands. */
function typesIn(text: string): string[] {
  return eventsIn(text).flatMap(({ type }) => (type === 'sync' ? [] : [type]))
}
