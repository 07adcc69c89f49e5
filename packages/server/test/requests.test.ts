import { gzipSync } from 'node:zlib'
import { StateGraph, START } from '@rivulet/core'
import { messagesOf, RivuletError } from '@rivulet/protocol'
import { describe, expect, test, vi } from 'vitest'
import { createApp, memoryStore } from '../src/index.ts'
import { serve } from '../src/node/index.ts'
import { z } from 'zod'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { foldFrames, startServer } from './server.ts'

const graphs = () => ({ words: wordGraph(['a']) })

describe('what is no request for a run is refused with a sentence', () => {
  test.each<[string, unknown, number, string, string]>([
    ['nothing', undefined, 400, 'INVALID_INPUT', 'the body must be a JSON object'],
    ['malformed JSON', '{"graph":', 400, 'INVALID_INPUT', 'the body is not JSON'],
    ['a list', [], 400, 'INVALID_INPUT', 'the body must be a JSON object'],
    ['no graph', {}, 400, 'INVALID_INPUT', 'graph is missing'],
    ['a graph that is no text', { graph: 1 }, 400, 'INVALID_INPUT', 'graph must be text'],
    ['an unknown graph', { graph: 'other' }, 404, 'NOT_FOUND', 'there is no graph "other"; there are: words'],
    ['a hostile graph', { graph: 'constructor' }, 404, 'NOT_FOUND', 'there is no graph "constructor"'],
    ['an id that is no id', { graph: 'words', run: 'a/b' }, 400, 'INVALID_INPUT', 'run must be 1 to 128 letters'],
    ['a mode that is none', { graph: 'words', modes: ['all'] }, 400, 'INVALID_INPUT', 'modes may name values, updates'],
    [
      'modes that are no list',
      { graph: 'words', modes: 'values' },
      400,
      'INVALID_INPUT',
      'modes must be a list of texts',
    ],
    ['a cursor that is none', { graph: 'words', after: '17' }, 400, 'INVALID_INPUT', 'after is not a cursor'],
    [
      'another way to multitask',
      { graph: 'words', multitask: 'later' },
      400,
      'INVALID_INPUT',
      'multitask may be reject, enqueue, interrupt, rollback',
    ],
    ['tags that are no texts', { graph: 'words', tags: [1] }, 400, 'INVALID_INPUT', 'tags must be a list of texts'],
    [
      'metadata that is no object',
      { graph: 'words', metadata: 'x' },
      400,
      'INVALID_INPUT',
      'metadata must be a JSON object',
    ],
    [
      'a limit that is none',
      { graph: 'words', recursionLimit: 0 },
      400,
      'INVALID_INPUT',
      'recursionLimit must be a whole number',
    ],
    [
      'an answer beside an input that is no update',
      { graph: 'words', resume: 1, input: 'x' },
      400,
      'INVALID_INPUT',
      'input must be a JSON object',
    ],
  ])('%s', async (_name, body, status, code, sentence) => {
    const server = await startServer({ graphs: graphs() })
    const answer = await server.post('/v1/threads/t1/runs', body)
    expect(answer.status).toBe(status)
    const { error } = await answer.json()
    expect(error.code).toBe(code)
    expect(error.message).toContain(sentence)
    expect(await (await server.get('/v1/threads')).json()).toEqual({ threads: [] })
    expect(server.errors).toEqual([])
  })

  test.each([
    ['GET', '/v1/threads/t1'],
    ['GET', '/v1/threads/t1/state'],
    ['GET', '/v1/threads/t1/history'],
    ['GET', '/v1/threads/t1/events'],
    ['DELETE', '/v1/threads/t1'],
    ['POST', '/v1/threads/t1/runs/r1/cancel'],
    ['GET', '/v1/nothing'],
    ['PUT', '/v1/threads'],
    ['GET', '/'],
  ])('%s %s of what is not there is 404', async (method, path) => {
    const server = await startServer({ graphs: graphs() })
    const answer = await fetch(server.url + path, { method })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })

  test.each(['a%2Fb', '%00', 'x'.repeat(129), '...', 'a b', '%F0%9F%98%80', '%E0%A4%A'])(
    'the thread id %s is refused',
    async (id) => {
      const server = await startServer({ graphs: graphs() })
      const answers = [
        await server.post(`/v1/threads/${id}/runs`, { graph: 'words' }),
        await server.get(`/v1/threads/${id}`),
      ]
      for (const answer of answers) {
        expect(answer.status).toBe(400)
        expect(await answer.json()).toMatchObject({ error: { code: 'INVALID_INPUT' } })
      }
    },
  )

  test.each(['.', '..', '%2e', '%2e%2e'])('the thread id %s leads nowhere', async (id) => {
    const server = await startServer({ graphs: graphs() })
    expect((await server.post(`/v1/threads/${id}/runs`, { graph: 'words' })).status).toBe(404)
  })

  test.each(['modes=all', 'after=17', 'until=a/b', 'ns=a||b'])('reading with ?%s', async (query) => {
    const server = await startServer({ graphs: graphs() })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words' })
    const answer = await server.get(`/v1/threads/t1/events?${query}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'INVALID_INPUT' } })
  })

  test('reading until a run that never was is 404', async () => {
    const server = await startServer({ graphs: graphs() })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words' })
    expect((await server.get('/v1/threads/t1/events?until=r9')).status).toBe(404)
  })
})

describe('a body', () => {
  test('over the limit is refused before it is read, and while it is read', async () => {
    const server = await startServer({ graphs: graphs(), limits: { bodyBytes: 1000 } })
    const large = { graph: 'words', input: 'x'.repeat(1000) }
    const declared = await server.post('/v1/threads/t1/runs', large)
    expect(declared.status).toBe(413)
    expect(await declared.json()).toMatchObject({ error: { code: 'LIMIT_EXCEEDED' } })
    const streamed = await fetch(`${server.url}/v1/threads/t1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([JSON.stringify(large)]).stream(),
      // Needed by `fetch` for a streamed body, and not yet among the types.
      ...({ duplex: 'half' } as object),
    })
    expect(streamed.status).toBe(413)
  })

  test('nested too deep is refused, and text that only looks so is not', async () => {
    const server = await startServer({ graphs: graphs() })
    const deep = (levels: number) => `{"graph":"words","input":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect((await server.post('/v1/threads/t1/runs?wait=1', deep(63))).status).toBe(200)
    const refused = await server.post('/v1/threads/t1/runs', deep(64))
    expect(refused.status).toBe(400)
    expect((await refused.json()).error.message).toContain('nested deeper than 64 levels')
    const text = JSON.stringify({ graph: 'words', input: `${'['.repeat(100)}"\\${'{'.repeat(100)}` })
    expect((await server.post('/v1/threads/t1/runs?wait=1', text)).status).toBe(200)
  })

  test.each([
    ['text/plain', 403],
    ['Text/Plain; charset=utf-8', 403],
    ['application/x-www-form-urlencoded', 403],
    ['multipart/form-data; boundary=x', 403],
    ['application/jsonp', 415],
    ['application/xml', 415],
    ['application/a+', 415, 50_000],
  ])('of type %s is refused with %s: a form of another site can send some of them', async (part, status, times = 1) => {
    const type = part.repeat(times)
    const { app } = await startServer({ graphs: graphs() })
    const answer = await app.fetch(
      new Request('http://127.0.0.1/v1/threads/t1/runs', {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"graph":"words"}',
      }),
    )
    expect(answer.status).toBe(status)
    expect((await answer.json()).error.message).toContain('the content type must be application/json')
  })

  test('that says nothing of its type is refused', async () => {
    const { app } = await startServer({ graphs: graphs() })
    const body = new TextEncoder().encode('{"graph":"words"}')
    const answer = await app.fetch(new Request('http://127.0.0.1/v1/threads/t1/runs', { method: 'POST', body }))
    expect(answer.status).toBe(415)
  })

  describe('that is compressed', () => {
    const send = (url: string, body: Uint8Array<ArrayBuffer>, encoding = 'gzip') =>
      fetch(`${url}/v1/threads/t1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        body,
      })

    test('with gzip is read', async () => {
      const server = await startServer({ graphs: graphs() })
      expect((await send(server.url, Uint8Array.from(gzipSync('{"graph":"words"}')))).status).toBe(202)
    })

    test('and grows beyond the limit is refused while it grows', async () => {
      const server = await startServer({ graphs: graphs() })
      const bomb = Uint8Array.from(gzipSync(Buffer.alloc(256 * 1024 * 1024)))
      expect(bomb.length).toBeLessThan(1024 * 1024)
      const before = process.memoryUsage.rss()
      expect((await send(server.url, bomb)).status).toBe(413)
      expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024)
    })

    test('and is not what it says, or in another way, is refused', async () => {
      const server = await startServer({ graphs: graphs() })
      const plain = new TextEncoder().encode('{"graph":"words"}')
      expect((await send(server.url, plain)).status).toBe(400)
      expect((await send(server.url, plain, 'br')).status).toBe(415)
      expect(server.errors).toEqual([])
    })
  })

  test('with hostile keys changes no prototype, and the run goes on', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const text = `{"graph":"chat","input":{"__proto__":{"polluted":1},"messages":["hi"],"note":"x"},
      "metadata":{"constructor":{"prototype":{"polluted":1}},"\\u005f_proto__":{"polluted":1}},"context":{"__proto__":[]}}`
    const answer = await server.post('/v1/threads/t1/runs?wait=1', text)
    expect(await answer.json()).toMatchObject({ status: 'done' })
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})

describe('who asks', () => {
  const auth = (request: Request) => {
    const tenant = request.headers.get('authorization')
    if (tenant === 'banned') throw new RivuletError('FORBIDDEN', 'not you')
    return tenant === null ? undefined : { tenant }
  }

  test('nobody is answered 401, and a stranger 403', async () => {
    const server = await startServer({ graphs: graphs(), auth })
    expect((await server.get('/v1/threads')).status).toBe(401)
    const banned = await server.get('/v1/threads', { authorization: 'banned' })
    expect(banned.status).toBe(403)
    expect(await banned.json()).toEqual({ error: { code: 'FORBIDDEN', message: 'not you' } })
  })

  test('a hook that fails opens nothing, and says nothing of why', async () => {
    const server = await startServer({
      graphs: graphs(),
      auth: () => {
        throw new Error('database password is 1234')
      },
    })
    const answer = await server.get('/v1/threads')
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('1234')
    expect(server.errors).toHaveLength(1)
  })

  test("is none of the error hook's business when that fails itself", async () => {
    const app = createApp({
      graphs: graphs(),
      auth: () => Promise.reject(new Error('first')),
      onError: () => {
        throw new Error('second')
      },
    })
    const stderr = vi.spyOn(console, 'error').mockReturnValue()
    expect((await app.fetch(new Request('http://host.example/v1/threads'))).status).toBe(500)
    expect(stderr).toHaveBeenCalledWith(expect.objectContaining({ message: 'second' }))
    stderr.mockRestore()
  })

  test('sees nothing of another tenant on any route', async () => {
    const gate = new Gate()
    const server = await startServer({ graphs: { words: wordGraph(['secret', gate]), chat: chatGraph() }, auth })
    const a = { authorization: 'a' }
    const b = { authorization: 'b' }
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['secret'] } }, a)
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' }, a)
    const routes: [string, string][] = [
      ['GET', '/v1/threads/t1'],
      ['GET', '/v1/threads/t1/state'],
      ['GET', '/v1/threads/t1/history'],
      ['GET', '/v1/threads/t1/events'],
      ['GET', '/v1/threads/t1/events?until=r1'],
      ['POST', '/v1/threads/t1/runs/r1/cancel'],
      ['DELETE', '/v1/threads/t1'],
    ]
    for (const [method, path] of routes) {
      const theirs = await fetch(server.url + path, { method, headers: b })
      const unknown = await fetch(server.url + path.replace('t1', 't9'), { method, headers: b })
      expect([theirs.status, unknown.status]).toEqual([404, 404])
      expect((await theirs.text()).replaceAll('t1', 't9')).toBe(await unknown.text())
    }
    expect(await (await server.get('/v1/threads', b)).json()).toEqual({ threads: [] })
    // The same thread id is another thread.
    const own = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['hi'] } }, b)
    expect((await own.json()).values).toMatchObject({ turns: 1 })
    gate.open()
    expect(
      await (await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' }, a)).json(),
    ).toMatchObject({
      status: 'done',
    })
  })
})

describe('pages of other origins', () => {
  const page = 'https://app.example'
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/v1/threads/t1/runs`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })

  test('are not named unless allowed', async () => {
    const closed = await startServer({ graphs: graphs() })
    const open = await startServer({ graphs: graphs(), cors: { origins: [page], credentials: true } })
    const allowed = async (url: string, origin: string) =>
      (await preflight(url, origin)).headers.get('access-control-allow-origin')
    expect(await allowed(closed.url, page)).toBe(null)
    expect(await allowed(open.url, page)).toBe(page)
    expect(await allowed(open.url, 'https://evil.example')).toBe(null)
    const answer = await open.get('/v1/threads', { origin: page })
    expect(answer.headers.get('access-control-allow-origin')).toBe(page)
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
  })

  test('are told of the methods there are, and of no others', async () => {
    const server = await startServer({ graphs: graphs(), cors: { origins: [page] } })
    const { headers } = await preflight(server.url, page)
    expect(headers.get('access-control-allow-methods')?.split(/, ?/)).toEqual(['GET', 'POST', 'DELETE'])
    expect(headers.get('access-control-allow-headers')?.split(/, ?/)).toEqual([
      'content-type',
      'authorization',
      'last-event-id',
    ])
  })

  test('with any origin allowed get no credentials', async () => {
    const server = await startServer({ graphs: graphs(), cors: { origins: ['*'] } })
    const answer = await server.get('/v1/threads', { origin: 'https://any.example' })
    expect(answer.headers.get('access-control-allow-credentials')).toBe(null)
    expect(() => createApp({ graphs: graphs(), cors: { origins: ['*'], credentials: true } })).toThrow('credentials')
  })

  test.each([
    [{ origin: page }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: page, 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 201],
    [{ 'sec-fetch-site': 'none' }, 201],
    [{}, 201],
  ] as [Record<string, string>, number][])(
    'that send %j cannot change anything unless they are our own',
    async (headers, status) => {
      const server = await startServer({ graphs: graphs() })
      const answer = await server.app.fetch(
        new Request('http://server.example/v1/threads', { method: 'POST', headers: new Headers(headers) }),
      )
      expect(answer.status).toBe(status)
    },
  )

  test('that are allowed can', async () => {
    const server = await startServer({ graphs: graphs(), cors: { origins: (origin) => origin === page } })
    const headers = { origin: page, 'sec-fetch-site': 'cross-site' }
    expect((await server.post('/v1/threads', {}, headers)).status).toBe(201)
    const stream = await server.post(
      '/v1/threads/t1/runs',
      { graph: 'words' },
      { ...headers, accept: 'text/event-stream' },
    )
    expect(stream.headers.get('access-control-allow-origin')).toBe(page)
    expect(await stream.text()).toContain('run.end')
  })
})

describe('every answer', () => {
  test.each([
    ['GET', '/v1/threads'],
    ['GET', '/v1/graphs'],
    ['GET', '/v1/threads/t1/events'],
    ['POST', '/v1/threads/t1/runs'],
    ['GET', '/nowhere'],
  ])('to %s %s is not to be guessed at, kept, or changed on its way', async (method, path) => {
    const server = await startServer({ graphs: graphs() })
    const answer = await fetch(server.url + path, { method })
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('cache-control')).toBe('no-store, no-transform')
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })

  test('to HEAD has no body and holds nothing open', async () => {
    const server = await startServer({ graphs: graphs() })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words' })
    const answer = await fetch(`${server.url}/v1/threads/t1/events`, { method: 'HEAD' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('')
  })
})

describe('threads', () => {
  test('are not made for a graph that there is not', async () => {
    const server = await startServer({ graphs: graphs() })
    const answer = await server.post('/v1/threads', { id: 'a', graph: 'other' })
    expect(answer.status).toBe(404)
    const { error } = await answer.json()
    expect(error).toEqual({ code: 'NOT_FOUND', message: 'there is no graph "other"; there are: words' })
    expect(await (await server.get('/v1/threads')).json()).toEqual({ threads: [] })
  })

  test('are made, read, listed by last use, and deleted', async () => {
    let clock = 1000
    const server = await startServer({ graphs: graphs(), now: () => clock++ })
    const made = await server.post('/v1/threads', { id: 'a', graph: 'words', metadata: { title: 'First' } })
    expect(made.status).toBe(201)
    expect(await made.json()).toEqual({
      id: 'a',
      graph: 'words',
      metadata: { title: 'First' },
      createdAt: 1001,
      updatedAt: 1001,
      status: 'idle',
    })
    expect((await server.post('/v1/threads', { id: 'a' })).status).toBe(200)
    const { id } = await (await server.post('/v1/threads')).json()
    expect(id).toMatch(/^[0-9a-z]{24}$/)
    await server.post('/v1/threads/a/runs?wait=1', { graph: 'words' })
    const { threads } = await (await server.get('/v1/threads')).json()
    expect(threads.map((thread: { id: string }) => thread.id)).toEqual(['a', id])
    expect((await fetch(`${server.url}/v1/threads/a`, { method: 'DELETE' })).status).toBe(204)
    expect((await server.get('/v1/threads/a')).status).toBe(404)
  })

  test('are listed page by page', async () => {
    let clock = 1000
    const server = await startServer({ graphs: graphs(), now: () => clock++ })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await server.post('/v1/threads', { id })
    const ids: string[][] = []
    let cursor = ''
    do {
      const page = await (await server.get(`/v1/threads?limit=2${cursor}`)).json()
      ids.push(page.threads.map((thread: { id: string }) => thread.id))
      cursor = page.cursor === undefined ? '' : `&cursor=${encodeURIComponent(page.cursor)}`
    } while (cursor !== '')
    expect(ids).toEqual([['e', 'd'], ['c', 'b'], ['a']])
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x']) {
      expect((await server.get(`/v1/threads?${query}`)).status).toBe(400)
    }
  })

  test('show their state and history', async () => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    await server.post('/v1/threads', { id: 't1' })
    expect((await server.get('/v1/threads/t1/state')).status).toBe(204)
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['hi'] } })
    const state = await (await server.get('/v1/threads/t1/state')).json()
    expect(state).toMatchObject({ values: { turns: 1 }, next: [] })
    const history = await (await server.get('/v1/threads/t1/history?limit=2')).json()
    expect(history).toHaveLength(2)
    expect(history[0].checkpointId).toBe(state.checkpointId)
    const older = await (await server.get(`/v1/threads/t1/history?before=${history[1].checkpointId}`)).json()
    const [before] = older
    expect(await (await server.get(`/v1/threads/t1/state?checkpointId=${before.checkpointId}`)).json()).toEqual(before)
    expect((await server.get('/v1/threads/t1/state?checkpointId=none')).status).toBe(404)
    expect((await server.get('/v1/threads/t1/history?before=none')).status).toBe(404)
    await server.post('/v1/threads', { id: 't2' })
    expect((await server.get('/v1/threads/t2/history?before=none')).status).toBe(404)
  })

  test('of a graph without a memory show what its events said', async () => {
    const server = await startServer({ graphs: graphs() })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'words', run: 'r1' })
    const state = await (await server.get('/v1/threads/t1/state')).json()
    expect(state).toMatchObject({
      values: { said: 1, messages: [{ id: 'r1-m', content: 'a' }] },
      next: [],
      interrupts: [],
    })
    expect(await (await server.get('/v1/threads/t1/history')).json()).toEqual([])
    expect((await server.get('/v1/threads/t1/state?checkpointId=c')).status).toBe(501)
  })

  test('are no more than the store may keep: what is too much for now is answered 429', async () => {
    const store = memoryStore({ maxThreads: 1 })
    const server = await startServer({ graphs: { words: wordGraph([new Gate()]) }, store })
    await server.post('/v1/threads/t1/runs', { graph: 'words' })
    const answer = await server.post('/v1/threads', { id: 't2' })
    expect(answer.status).toBe(429)
    expect(await answer.json()).toMatchObject({ error: { code: 'LIMIT_EXCEEDED', retryable: true } })
  })

  test('that are deleted stop their run, end their readers, and leave nothing to the next of that name', async () => {
    const server = await startServer({ graphs: { words: wordGraph(['a', new Gate()]), chat: chatGraph() } })
    await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['hi'] } })
    const reader = await server.read('/v1/threads/t1/events')
    await server.post('/v1/threads/t1/runs', { graph: 'words', run: 'r1' })
    await reader.until(({ type }) => type === 'message.delta')
    expect((await fetch(`${server.url}/v1/threads/t1`, { method: 'DELETE' })).status).toBe(204)
    await expect(reader.all()).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'the thread was deleted' })
    const anew = await server.post('/v1/threads/t1/runs?wait=1', { graph: 'chat', input: { messages: ['hi'] } })
    expect((await anew.json()).values).toMatchObject({ turns: 1 })
  })
})

test('the graphs are listed', async () => {
  const server = await startServer({ graphs: { words: wordGraph([]), chat: chatGraph() } })
  expect(await (await server.get('/v1/graphs')).json()).toEqual({ graphs: [{ name: 'words' }, { name: 'chat' }] })
})

describe('an app', () => {
  test('is not made of what is no graph, or of names that no path can hold', () => {
    expect(() => createApp({ graphs: { x: {} as never } })).toThrow('graphs.x is no graph')
    expect(() => createApp({ graphs: { 'a/b': wordGraph([]) } })).toThrow('a graph name must be')
  })

  test('is not served where others can reach it, unless it asks who they are or is told not to', async () => {
    const open = createApp({ graphs: graphs() })
    await expect(serve(open, { hostname: '0.0.0.0', port: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const asking = createApp({ graphs: graphs(), auth: () => undefined })
    for (const served of [
      await serve(asking, { hostname: '0.0.0.0', port: 0 }),
      await serve(open, { hostname: '0.0.0.0', port: 0, insecure: true }),
    ]) {
      expect(served.port).toBeGreaterThan(0)
      await served.close()
    }
  })

  test('serves hosts that speak fetch, with a body that is read lazily', async () => {
    const app = createApp({ graphs: graphs() })
    const response = await app.fetch(
      new Request('http://host.example/v1/threads/t1/runs', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: '{"graph":"words","run":"r1"}',
      }),
    )
    const text = await response.text()
    expect(text).toContain('event: sync')
    expect(text).toContain('run.end')
    await app.close()
  })

  test('is found by the whole address when it is mounted under a path', async () => {
    const { nodeListener } = await import('../src/node/index.ts')
    const { createServer } = await import('node:http')
    const listener = nodeListener(createApp({ graphs: graphs() }))
    const host = createServer((request, response) => {
      Object.assign(request, { originalUrl: request.url, url: request.url!.replace('/v1', '') })
      void listener(request, response)
    })
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
    const address = host.address() as { port: number }
    const answer = await fetch(`http://127.0.0.1:${address.port}/v1/graphs`)
    expect(await answer.json()).toEqual({ graphs: [{ name: 'words' }] })
    host.closeAllConnections()
    await new Promise((resolve) => host.close(resolve))
  })
})

test('a run answers nobody with more than it was asked, whoever leaves first', async () => {
  const gate = new Gate()
  const server = await startServer({ graphs: { words: wordGraph(['a', gate, 'b']) } })
  const leaving = await Promise.all([1, 2, 3].map(() => server.run('t1', { graph: 'words', run: 'r1' })))
  const begun = await Promise.all(leaving.map((reader) => reader.until(({ type }) => type === 'message.delta')))
  const [stay, ...gone] = leaving
  for (const reader of gone) await reader.cancel()
  gate.open()
  const state = foldFrames([...begun[0]!, ...(await stay!.all())])
  expect(messagesOf(state)).toMatchObject([{ content: 'ab', status: 'done' }])
  expect(state.runs.get('r1')?.status).toBe('done')
})

describe('an input that no run could take is refused before one begins', () => {
  test.each<[string, unknown, string]>([
    ['text', 'hello', 'the input of a graph is an object with state keys, not string'],
    ['a list', [1], 'the input of a graph is an object with state keys, not an array'],
    ['an unknown key', { topic: 'x' }, 'unknown input key "topic"'],
    ['messages that are none', { messages: 7 }, 'message'],
    ['a role nobody has', { messages: [{ role: 'boss', content: 'x' }] }, 'boss'],
  ])('%s', async (_what, input, sentence) => {
    const server = await startServer({ graphs: { chat: chatGraph() } })
    const response = await server.post('/v1/threads/t1/runs', { graph: 'chat', input })
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect(error.code).toBe('INVALID_INPUT')
    expect(error.message).toContain(sentence)
  })
})

describe('an input that only the whole state can judge', () => {
  const graph = () =>
    new StateGraph(
      z.object({ low: z.number(), high: z.number() }).refine(({ low, high }) => low <= high, 'low is high'),
    )
      .addNode('keep', () => ({}))
      .addEdge(START, 'keep')
      .compile()

  test('is judged over what the thread holds, before a run begins', async () => {
    const server = await startServer({ graphs: { range: graph() } })
    const run = (input: object, more: object = {}) =>
      server.post('/v1/threads/t1/runs?wait=1', { graph: 'range', input, ...more })
    const first = await run({ low: 3 })
    expect(first.status).toBe(400)
    expect(await (await run({ low: 3, high: 5 })).json()).toMatchObject({ status: 'done' })
    const [{ checkpointId }] = await (await server.get('/v1/threads/t1/history?limit=1')).json()
    const refused = await run({ low: 7 })
    expect(refused.status).toBe(400)
    expect((await refused.json()).error).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await (await run({ high: 9 })).json()).toMatchObject({ status: 'done' })
    expect(await (await run({ low: 7 })).json()).toMatchObject({ status: 'done', values: { low: 7, high: 9 } })
    expect((await run({ low: 7 }, { checkpointId })).status).toBe(400)
  })

  test('is left to the run where the graph keeps no threads', async () => {
    await expect(graph().checkInput({ low: 3 })).resolves.toBeUndefined()
    await expect(graph().checkInput({ low: 'x' })).resolves.toBeUndefined()
    await expect(graph().checkInput('x')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
