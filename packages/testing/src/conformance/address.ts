import { fetchTransport, type OpenRequest, type StartRequest } from '@rivulet/client'
import { formatCursor, randomId, type ThreadState } from '@rivulet/protocol'
import { codeOf, type Harness } from './harness.ts'
import { Reading, shown } from './reading.ts'

/** A server that runs somewhere, with graphs of its own. */
export interface ServerAtAddress {
  /** Base address; the routes begin with `/v1` below it. */
  readonly url: string
  /** Name of a graph that answers `input` and ends. Default: the first that the server names. */
  readonly graph?: string | undefined
  /** What it is asked. Default: `{ messages: 'hello' }`. */
  readonly input?: unknown
  /** Sent with every request, to say who asks. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Cursors that a stream is resumed from: so many, spread over the run. */
const CURSORS = 12

/**
 * What every server that claims the own routes must do with whatever graph it has, as tests: for one that runs already.
 * Each test makes a thread of its own and deletes it. `serverConformance` asks more, of one that serves a given graph.
 */
export function addressConformance(server: ServerAtAddress, { test, expect }: Harness): void {
  const { url, input = { messages: 'hello' }, headers = {} } = server
  const transport = fetchTransport({ url, headers })
  const base = url.replace(/\/+$/, '')
  const get = (path: string, more: Record<string, string> = {}) =>
    fetch(base + path, { headers: { ...headers, ...more } })
  const post = (path: string, body: unknown) =>
    fetch(base + path, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const graphName = async () => server.graph ?? (await graphsOf(await get('/v1/graphs')))[0] ?? ''
  /** A test with a thread that is deleted after it. */
  const on = (name: string, run: (thread: string, start: StartRequest) => Promise<void>) =>
    test(name, async () => {
      const thread = `conformance-${randomId(12)}`
      try {
        await run(thread, { run: randomId(), graph: await graphName(), input })
      } finally {
        await transport.threads?.delete(thread).catch(() => undefined)
      }
    })
  const read = (request: OpenRequest, from?: { state?: ThreadState; after?: string }) =>
    new Reading(transport, request, from).all()

  test('names its graphs', async () => {
    expect((await graphsOf(await get('/v1/graphs'))).includes(await graphName())).toBe(true)
  })

  on('streams a run from its start to its end', async (thread, start) => {
    const { events, state } = await read({ thread, start })
    const types = events.map(({ type }) => type).filter((type) => type !== 'sync')
    expect([types[0], types.at(-1)]).toEqual(['run.start', 'run.end'])
    expect([state.gap, state.ignored]).toEqual([undefined, 0])
  })

  on('goes on from every cursor to the same state', async (thread, start) => {
    const { state } = await read({ thread, start })
    const step = Math.max(1, Math.floor(state.cursor / CURSORS))
    for (let seq = 0; seq <= state.cursor; seq += step) {
      const after = formatCursor(state.log, seq)
      const { events } = await read({ thread, until: start.run }, { after })
      const told = events.flatMap((event) => (event.type === 'sync' ? [] : [event.seq]))
      expect(told.every((one, i) => one > (told[i - 1] ?? seq))).toBe(true)
    }
    const anew = await read({ thread, until: start.run })
    expect(shown(anew.state)).toEqual(shown(state))
  })

  on('begins with a snapshot for who has no cursor, or one of another log', async (thread, start) => {
    await read({ thread, start })
    for (const after of [undefined, 'another.3']) {
      const reading = new Reading(transport, { thread }, after === undefined ? {} : { after })
      await reading.next()
      expect(reading.events[0]).toMatchObject({ type: 'sync', phase: 'snapshot' })
      await reading.leave()
    }
  })

  on('takes a start that is sent again for the same run', async (thread, start) => {
    const first = await read({ thread, start })
    const again = await read({ thread, start }, { state: first.state })
    expect(shown(again.state)).toEqual(shown(first.state))
  })

  on('refuses another run under the same id', async (thread, start) => {
    await read({ thread, start })
    const other = await post(`/v1/threads/${thread}/runs`, { ...start, metadata: { other: true } })
    expect(await errorOf(other)).toEqual([409, 'RUN_CONFLICT'])
  })

  on('says at once where a run that nobody waits for can be read', async (thread, start) => {
    const response = await post(`/v1/threads/${thread}/runs`, start)
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ thread, run: start.run })
    expect(shown((await read({ thread, until: start.run })).state)).toMatchObject({ gap: undefined })
  })

  on('writes its stream with id before event before data, and lets nobody keep or change it', async (thread, start) => {
    await read({ thread, start })
    const response = await get(`/v1/threads/${thread}/events?until=${start.run}`, { accept: 'text/event-stream' })
    expect(response.headers.get('content-type')?.startsWith('text/event-stream')).toBe(true)
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const blocks = (await response.text()).split('\n\n').filter((block) => block.startsWith('id: '))
    expect(blocks.every((block) => /^id: [\w-]+\.\d+\nevent: [\w.]+\ndata: /.test(block))).toBe(true)
  })

  on('keeps what it is told of threads, and forgets them', async (thread, start) => {
    await read({ thread, start })
    expect(await (await get(`/v1/threads/${thread}`)).json()).toMatchObject({ id: thread, status: 'idle' })
    await transport.threads?.delete(thread)
    expect(await codeOf(() => transport.threads?.get(thread))).toBe('NOT_FOUND')
  })

  test('answers 404 to what is not there', async () => {
    for (const path of ['/v1/nothing', '/v1/threads/nobody-at-all', '/v1/threads/nobody-at-all/events']) {
      expect(await errorOf(await get(path))).toEqual([404, 'NOT_FOUND'])
    }
  })

  on('names what it cannot understand', async (thread, start) => {
    const runs = `/v1/threads/${thread}/runs`
    for (const body of ['{"graph":', '[]', JSON.stringify({ ...start, graph: 7 })]) {
      expect(await errorOf(await post(runs, body))).toEqual([400, 'INVALID_INPUT'])
    }
    expect(await errorOf(await post(runs, { ...start, graph: 'no-such-graph' }))).toEqual([404, 'NOT_FOUND'])
    await read({ thread, start })
    for (const after of ['not a cursor', 'x.-1', 'x'.repeat(300)]) {
      const path = `/v1/threads/${thread}/events?after=${encodeURIComponent(after)}`
      expect(await errorOf(await get(path))).toEqual([400, 'INVALID_INPUT'])
    }
  })
}

async function graphsOf(response: Response): Promise<string[]> {
  const { graphs = [] } = (await response.json()) as { graphs?: { name: string }[] }
  return graphs.map(({ name }) => name)
}

async function errorOf(response: Response): Promise<unknown[]> {
  const { error } = (await response.json()) as { error?: { code?: unknown } }
  return [response.status, error?.code]
}
