import { describe, expect, onTestFinished, test } from 'vitest'
import { eventRoutes } from '../src/app/event-routes.ts'
import { runRoutes } from '../src/app/run-routes.ts'
import { threadRoutes } from '../src/app/thread-routes.ts'
import { createApp, type App, type AppOptions } from '../src/index.ts'
import { langGraphApi } from '../src/langgraph-api/index.ts'
import { chatGraph, Gate, wordGraph } from './graphs.ts'
import { FrameReader } from './server.ts'

type Api = NonNullable<AppOptions['apis']>[number]

/** Every route there is, as the routers have them: one that is added is asked, too. */
const routes: [method: string, path: string][] = []
const everyRoute: Api = {
  mount(deps, identify) {
    const own = [runRoutes(deps), eventRoutes(deps), threadRoutes(deps)]
    const mounted = langGraphApi().mount(deps, identify)
    for (const { routes: some } of own) for (const { method, path } of some) routes.push([method, `/v1${path}`])
    for (const { method, path } of mounted.routes.routes) if (method !== 'ALL') routes.push([method, path])
    return mounted
  },
}

const SECRET = 'the code is 4711'

async function appOfTwo(): Promise<App> {
  routes.length = 0
  const app = createApp({
    graphs: { chat: chatGraph(), words: wordGraph([SECRET, new Gate()]) },
    auth: (request) => ({ tenant: request.headers.get('authorization') ?? '' }),
    apis: [everyRoute],
    onError: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(() => app.close({ graceMs: 0 }))
  const input = { messages: [SECRET] }
  await ask(app, 'a', 'POST', '/v1/threads/t1/runs?wait=1', { graph: 'chat', run: 'r1', input })
  const headers = { authorization: 'a', 'content-type': 'application/json', accept: 'text/event-stream' }
  const body = JSON.stringify({ graph: 'words', run: 'r2' })
  const run = await app.fetch(new Request('http://localhost/v1/threads/t1/runs', { method: 'POST', headers, body }))
  const reader = new FrameReader(run)
  await reader.until(({ type }) => type === 'message.delta')
  await reader.cancel()
  return app
}

/** Asks as a tenant; of a stream only the first piece is read, and only briefly where nothing comes. */
async function ask(app: App, tenant: string, method: string, path: string, body: object): Promise<[number, string]> {
  const isBare = method === 'GET' || method === 'DELETE'
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: { authorization: tenant, 'content-type': 'application/json' },
    ...(!isBare && { body: JSON.stringify(body) }),
  })
  const response = await app.fetch(request)
  if (response.headers.get('content-type')?.includes('event-stream') !== true) {
    return [response.status, await response.text()]
  }
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return [response.status, new TextDecoder().decode(value)]
}

/** What is everybody's own: ids that were made, and times. */
const withoutOwn = (text: string): string =>
  text
    .replaceAll(/t9/g, 't1')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-z]{20,}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d{13}/g, '*')
    .replaceAll(/(id: |"cursor":"|")[0-9a-z]{8}\.(\d+)/g, '$1*.$2')

describe('a tenant', () => {
  test('learns nothing of another on any route, and changes nothing of theirs', async () => {
    const app = await appOfTwo()
    const theirs = async () => [
      await ask(app, 'a', 'GET', '/v1/threads/t1', {}),
      await ask(app, 'a', 'GET', '/v1/threads/t1/runs', {}),
      await ask(app, 'a', 'GET', '/v1/threads/t1/events', {}),
    ]
    const before = await theirs()
    expect(JSON.stringify(before)).toContain(SECRET)
    const body = { graph: 'chat', assistant_id: 'chat', input: null, update: {}, values: {}, limit: 5 }
    for (const [i, [method, route]] of routes.entries()) {
      const path = (thread: string) =>
        route
          .replace(':thread', thread)
          .replace(':run', 'r1')
          .replace(/:(assistant|graph)/, 'chat')
          .replace(':checkpoint', 'c1')
      // Strangers who have nothing yet: one asks for what another tenant has, one for what nobody has.
      const here = await ask(app, `b${i}`, method, path('t1'), body)
      const nowhere = await ask(app, `c${i}`, method, path('t9'), body)
      expect([route, ...here].join('\n')).not.toContain(SECRET)
      expect([method, route, here[0], withoutOwn(here[1])]).toEqual([method, route, nowhere[0], withoutOwn(nowhere[1])])
    }
    expect(await theirs()).toEqual(before)
  })

  test('is asked about every route there is', async () => {
    await appOfTwo()
    expect(routes.length).toBeGreaterThan(45)
    expect(routes).toContainEqual(['POST', '/v1/threads/:thread/runs/:run/cancel'])
    expect(routes).toContainEqual(['POST', '/threads/:thread/runs/stream'])
  })

  test('starts and stops nothing by a request that only asks', async () => {
    const app = await appOfTwo()
    for (const path of new Set(routes.flatMap(([method, path]) => (method === 'POST' ? [path] : [])))) {
      const asked = path.replace(':thread', 't1').replace(':run', 'r2').replace(/:\w+/, 'x')
      await ask(app, 'a', 'GET', asked, {})
    }
    const [, runs] = await ask(app, 'a', 'GET', '/v1/threads/t1/runs', {})
    expect(JSON.parse(runs)).toMatchObject({ runs: [{ run: 'r2' }, { run: 'r1', status: 'done' }] })
    expect((JSON.parse(runs) as { runs: unknown[] }).runs).toHaveLength(2)
  })
})
