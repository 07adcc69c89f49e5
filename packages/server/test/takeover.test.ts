import { messagesOf } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { createApp } from '../src/index.ts'
import { Gate, wordGraph } from './graphs.ts'
import { storyGraph, STEPS } from './kill/story.ts'
import { foldFrames, startServer } from './server.ts'
import { openStore, temporaryPath, temporaryStore } from './sqlite.ts'
import { newThread } from './store-contract.ts'

const start = { type: 'run.start', run: 'r', protocol: 1 } as const

describe('a database that another process has taken over', () => {
  test('[row 11] takes nothing any more from the one before, and keeps what it had taken', async () => {
    const path = await temporaryPath()
    const [old, next] = [openStore(path), openStore(path)]
    await old.createThread('', newThread('t'))
    const stale = await old.openLog('', 't')
    await stale.append([start])
    const log = await next.openLog('', 't')
    expect(log.head()).toBe(1)
    await expect(stale.append([start])).rejects.toMatchObject({ code: 'RUN_CONFLICT' })
    await expect(old.createThread('', newThread('u'))).rejects.toMatchObject({ code: 'RUN_CONFLICT' })
    const checkpoint = {
      id: 'c',
      parent: undefined,
      step: 0,
      source: 'loop',
      createdAt: 1,
      values: {},
      metadata: {},
    } as const
    const step = { nodes: [], sends: [], deferred: [], arrivals: {} }
    await expect(old.checkpointer.put('t', '', { ...checkpoint, next: step }, undefined)).rejects.toMatchObject({
      code: 'RUN_CONFLICT',
    })
    expect(await log.append([start])).toBe(2)
    expect(await next.getThread('', 'u')).toBeUndefined()
    expect(await next.nextFence()).toBeGreaterThan(await old.nextFence())
  })

  test('[row 11] has its runs carried on by the new one, while the old one ends its own in vain', async () => {
    const path = await temporaryPath()
    const graphs = { story: storyGraph() }
    const old = await startServer({ graphs, store: openStore(path) })
    const reader = await old.run('t1', { graph: 'story', run: 'r1', input: { messages: ['go'] } })
    const before = await reader.until(({ type }) => type === 'message.delta')
    const next = await startServer({ graphs, store: openStore(path) })
    const result = await (
      await next.post('/v1/threads/t1/runs?wait=1', { graph: 'story', run: 'r1', input: { messages: ['go'] } })
    ).json()
    expect(result).toMatchObject({ status: 'done', values: { count: STEPS } })
    const lost = await (
      await old.post('/v1/threads/t1/runs?wait=1', { graph: 'story', run: 'r1', input: { messages: ['go'] } })
    ).json()
    expect(['error', 'done']).toContain(lost.status)
    const state = foldFrames(before)
    const rest = await (await next.read(`/v1/threads/t1/events?until=r1&after=${state.log}.${state.cursor}`)).all()
    expect(foldFrames(rest, state).runs.get('r1')).toMatchObject({ status: 'done', attempt: 2 })
    await reader.cancel()
  })
})

describe('a server that closes', () => {
  test('[row 17] hands its runs over: the next goes on where it was, as if nothing had happened', async () => {
    const path = await temporaryPath()
    const graphs = { story: storyGraph() }
    const old = await startServer({ graphs, store: openStore(path) })
    const reader = await old.run('t1', { graph: 'story', run: 'r1', input: { messages: ['go'] } })
    const before = await reader.until(({ type }) => type === 'message.delta')
    await old.post('/v1/threads/t1/runs', { graph: 'story', run: 'r2', input: null, multitask: 'enqueue' })
    const closed = old.close()
    const frames = [...before, ...(await reader.all())]
    expect(frames.at(-1)).toEqual({ type: 'retry', delayMs: 1000 })
    await closed
    expect(old.errors).toEqual([])
    const next = await startServer({ graphs, store: openStore(path) })
    expect(await (await next.get('/v1/threads/t1')).json()).toMatchObject({ status: 'busy', run: 'r1' })
    const state = foldFrames(frames)
    const url = `/v1/threads/t1/events?until=r2&after=${state.log}.${state.cursor}`
    const after = foldFrames(await (await next.read(url)).all(), state)
    expect(after.gap).toBeUndefined()
    expect([...after.runs.values()]).toMatchObject([
      { id: 'r1', status: 'done', attempt: 2 },
      { id: 'r2', status: 'done', attempt: 1 },
    ])
    expect(messagesOf(after)).toHaveLength(STEPS + 1)
  })

  test('with nothing under way closes at once, and twice', async () => {
    const app = createApp({ graphs: { story: storyGraph() }, store: await temporaryStore() })
    await Promise.all([app.close(), app.close()])
    expect((await app.fetch(new Request('http://127.0.0.1/v1/threads'))).status).toBe(503)
  })
})

describe('a run that its process took with it', () => {
  test('of a graph that remembers nothing is lost, and says so', async () => {
    const path = await temporaryPath()
    const old = await startServer({ graphs: { words: wordGraph(['a', new Gate()]) }, store: openStore(path) })
    const reader = await old.run('t1', { graph: 'words', run: 'r1' })
    await reader.until(({ type }) => type === 'message.delta')
    await old.post('/v1/threads/t1/runs', { graph: 'words', run: 'r2', multitask: 'enqueue' })
    await old.close()
    const next = await startServer({ graphs: { words: wordGraph(['a']) }, store: openStore(path) })
    const state = foldFrames(await (await next.read('/v1/threads/t1/events?until=r2')).all())
    expect(state.runs.get('r1')).toMatchObject({ status: 'error', error: { code: 'RUN_LOST' } })
    expect(messagesOf(state)).toMatchObject([
      { id: 'r2-m', content: 'a' },
      { id: 'r1-m', content: 'a', status: 'cut' },
    ])
    expect(state.runs.get('r2')).toMatchObject({ status: 'done' })
    expect(next.errors).toEqual([])
  })

  test('time and again without getting anywhere is given up', async () => {
    const path = await temporaryPath()
    const { fromAsyncIterable, messages, START, state, StateGraph } = await import('@rivulet/core')
    const stuck = fromAsyncIterable(async function* () {
      yield 'a'
      await new Promise(() => undefined)
    })
    const graph = () =>
      new StateGraph(state({ messages: messages() }))
        .addNode('talk', async ({ messages: history }) => ({ messages: [await stuck.invoke(history)] }))
        .addEdge(START, 'talk')
        .compile()
    const runs: unknown[] = []
    for (let process = 0; process < 10; process++) {
      const server = await startServer({ graphs: { graph: graph() }, store: openStore(path) })
      const reader = await server.run('t1', { graph: 'graph', run: 'r1', input: { messages: ['hi'] } })
      const frames = await reader.until(({ type }) => type === 'message.delta' || type === 'run.end')
      await reader.cancel()
      await server.close()
      runs.push(foldFrames(frames).runs.get('r1'))
    }
    const tries = Array.from({ length: 6 }, () => ({ status: 'running' }))
    const lost = Array.from({ length: 4 }, () => ({ status: 'error', error: { code: 'RUN_LOST' } }))
    expect(runs).toMatchObject([...tries, ...lost])
  })
})
