import {
  fromAsyncIterable,
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  type ChatModel,
  type MessageChunk,
} from '@rivulet/core'
import { emptyState, foldAll, messagesOf, RivuletError, type RunEvent } from '@rivulet/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { manualClock, settle } from '../../test/manual-clock.ts'
import { withFallback } from './with-fallback.ts'
import { withRetry, type RetryOptions } from './with-retry.ts'

const busy = () => Object.assign(new Error('busy'), { status: 429 })
const refused = Object.assign(new Error('refused'), { status: 401 })
const atOnce: RetryOptions = { delayMs: 0 }

const failing = (text: string, failAfter: number, error: unknown = busy()) => ({ text, failAfter, error })

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

const graphOf = (model: ChatModel, tags: readonly string[] = []) =>
  new StateGraph(state({ messages: messages() }))
    .addNode('talk', async (s, ctx) => ({ messages: await model.invoke(s.messages, { ctx }) }), { tags })
    .addEdge(START, 'talk')
    .compile()

const screen = (events: readonly RunEvent[]) => {
  const folded = foldAll(
    emptyState(),
    events.map((event, i) => ({ ...event, seq: i + 1 })),
  )
  return messagesOf(folded).map(({ content, status }) => [content, status])
}

describe('a model with retries', () => {
  test('answers when a later call does, and nothing of the failed ones is left', async () => {
    const script = scriptedModel([failing('a b c', 2), failing('d', 0), 'whole'])
    const events = await all(graphOf(withRetry(script, atOnce)).events({}))
    expect(screen(events)).toEqual([['whole', 'done']])
    expect(script.calls.map(({ status }) => status)).toEqual(['failed', 'failed', 'done'])
  })

  test('gives up after its attempts with what the last one failed with, which stays on screen, cut', async () => {
    const last = busy()
    const script = scriptedModel([failing('a', 1), failing('b c', 1, last), 'never'])
    const graph = graphOf(withRetry(script, { ...atOnce, attempts: 2 }))
    await expect(graph.invoke({})).rejects.toBe(last)
    const again = scriptedModel([failing('a', 1), failing('b c', 1, last), 'never'])
    const events = await all(graphOf(withRetry(again, { ...atOnce, attempts: 2 })).events({}))
    expect(screen(events)).toEqual([['b', 'cut']])
    expect(again.calls).toHaveLength(2)
  })

  test('does not try again what may not be', async () => {
    const script = scriptedModel([failing('a', 1, refused), 'never'])
    await expect(withRetry(script, atOnce).invoke('hi')).rejects.toBe(refused)
    expect(script.calls).toHaveLength(1)
  })

  test('asks the caller instead, where there is such a question; one that fails is a no', async () => {
    const asked = scriptedModel([failing('a', 1, refused), 'yes'])
    expect((await withRetry(asked, { ...atOnce, retryOn: (error) => error === refused }).invoke('hi')).content).toBe(
      'yes',
    )
    const unasked = scriptedModel([failing('a', 1), 'never'])
    const retryOn = () => {
      throw new Error('no answer')
    }
    await expect(withRetry(unasked, { ...atOnce, retryOn }).invoke('hi')).rejects.toThrow('busy')
  })

  test('tells a loop over its chunks that what came before does not hold', async () => {
    const model = () => withRetry(scriptedModel([failing('a b', 1), failing('', 0), 'c']), atOnce)
    expect(await all(model().stream('hi'))).toEqual([{ content: 'a' }, { restart: true }, { content: 'c' }])
    const again = fromAsyncIterable(() => model().stream('hi'))
    expect((await again.invoke('hi')).content).toBe('c')
  })

  test('shows the messages mode what is withdrawn', async () => {
    const graph = graphOf(withRetry(scriptedModel([failing('a b', 1), 'c']), atOnce))
    const chunks = await all(graph.stream({}, { streamMode: 'messages' }))
    const [first, gone, next] = chunks.map(([chunk]) => chunk)
    expect(first).toMatchObject({ content: 'a' })
    expect(gone).toEqual({ id: first?.id, role: 'assistant', content: '', restart: true })
    expect(next).toMatchObject({ content: 'c' })
    expect(next?.id).not.toBe(first?.id)
  })

  test('keeps its own tags, also those that hide it, and takes more', async () => {
    const hidden = withRetry(scriptedModel([failing('a', 1), 'b'], { tags: ['nostream'] }), atOnce)
    const types = (await all(graphOf(hidden).events({}))).map(({ type }) => type)
    expect(types.filter((type) => type.startsWith('message.'))).toEqual([])
    const script = scriptedModel([failing('a', 1), 'b'])
    await withRetry(script, atOnce)
      .with({ tags: ['more'] })
      .invoke('hi')
    expect(script.calls.map(({ options }) => options.tags)).toEqual([['more'], ['more']])
  })

  test('in a node that is tried again too leaves nothing of any try', async () => {
    const script = scriptedModel([failing('a', 1), failing('b', 1), failing('c', 1), 'whole'])
    const model = withRetry(script, { ...atOnce, attempts: 2 })
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx }) }), {
        retry: { attempts: 2, delayMs: 0, jitter: false, retryOn: () => true },
      })
      .addEdge(START, 'talk')
      .compile()
    expect(screen(await all(graph.events({})))).toEqual([['whole', 'done']])
    expect(script.calls).toHaveLength(4)
  })

  test('refuses options that mean nothing', () => {
    expect(() => withRetry(scriptedModel('x'), { delayMs: -1 })).toThrow(RivuletError)
  })

  test('ends in the same state with the same ids whoever watches, whatever fails when', async () => {
    const failure = fc.record({ failAfter: fc.nat(3), text: fc.constant('a b c'), error: fc.constant(busy()) })
    await fc.assert(
      fc.asyncProperty(fc.array(failure, { maxLength: 3 }), async (failures) => {
        const graph = () => graphOf(withRetry(scriptedModel([...failures, 'whole']), { ...atOnce, attempts: 9 }))
        const invoked = await graph().invoke({}, { runId: 'r' })
        const values = await all(graph().stream({}, { runId: 'r', streamMode: ['values', 'messages'] }))
        const events = await all(graph().events({}, { runId: 'r' }))
        expect(values.findLast(([mode]) => mode === 'values')?.[1]).toEqual(invoked)
        expect(screen(events)).toEqual([['whole', 'done']])
      }),
      { numRuns: 40 },
    )
  })
})

describe('the wait between two calls', () => {
  const waits = async (turns: unknown[], options: RetryOptions) => {
    const clock = manualClock(Date.UTC(2026, 0, 1))
    const told: number[] = []
    const script = scriptedModel([...turns.map((error) => failing('', 0, error)), 'done'])
    const onRetry = ({ delayMs }: { delayMs: number }) => void told.push(delayMs)
    const answer = withRetry(script, { clock, random: () => 1, onRetry, attempts: 9, ...options }).invoke('hi')
    const seen: number[] = []
    for (const _ of turns) {
      await settle()
      seen.push(clock.delays[0] ?? -1)
      await clock.advance(clock.delays[0] ?? 0)
    }
    expect((await answer).content).toBe('done')
    expect(told).toEqual(seen)
    return seen
  }

  test('grows up to its bound', async () => {
    const turns = [busy(), busy(), busy(), busy()]
    expect(await waits(turns, { delayMs: 100, maxDelayMs: 500 })).toEqual([100, 200, 400, 500])
    expect(await waits(turns, { delayMs: 100, backoff: 3, random: () => 0 })).toEqual([50, 150, 450, 1350])
  })

  test('is what the provider asks for, in seconds or as a date', async () => {
    const asking = (value: string) => Object.assign(busy(), { headers: new Headers({ 'retry-after': value }) })
    const date = new Date(Date.UTC(2026, 0, 1) + 10_000).toUTCString()
    expect(await waits([asking('7'), asking(date)], {})).toEqual([7000, 3000])
  })

  test('is not waited when the provider asks for longer than we would', async () => {
    const error = Object.assign(busy(), { headers: { 'retry-after': '61' } })
    const script = scriptedModel([failing('', 0, error), 'never'])
    await expect(withRetry(script).invoke('hi')).rejects.toBe(error)
  })

  test('ends at once when the call is stopped, with the reason of that', async () => {
    const clock = manualClock()
    const stop = new AbortController()
    const script = scriptedModel([failing('', 0), 'never'])
    const answer = withRetry(script, { clock }).invoke('hi', { signal: stop.signal })
    await settle()
    expect(clock.delays).toHaveLength(1)
    stop.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    expect(clock.delays).toEqual([])
    expect(script.calls).toHaveLength(1)
  })

  test('ends at once when the run is stopped', async () => {
    const clock = manualClock()
    const stop = new AbortController()
    const graph = graphOf(withRetry(scriptedModel([failing('a', 1), 'never']), { clock }))
    const reading = all(graph.events({}, { signal: stop.signal }))
    await settle()
    stop.abort()
    expect((await reading).at(-1)).toMatchObject({ status: 'cancelled' })
    await settle()
    expect(clock.delays).toEqual([])
  })

  test('is not begun when the call that failed was stopped', async () => {
    const stop = new AbortController()
    const script = scriptedModel([{ text: 'a b', stallAfter: 1 }, 'never'])
    const answer = withRetry(script, { ...atOnce, retryOn: () => true }).invoke('hi', { signal: stop.signal })
    await settle()
    stop.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    expect(script.calls).toHaveLength(1)
  })

  test('does not care for a listener that fails', async () => {
    const onRetry = () => {
      throw new Error('listener')
    }
    const script = scriptedModel([failing('', 0), 'done'])
    expect((await withRetry(script, { ...atOnce, onRetry }).invoke('hi')).content).toBe('done')
  })
})

describe('a model with others behind it', () => {
  test('is answered for by the first that can, whose message is the only one', async () => {
    const model = withFallback(
      scriptedModel([failing('a b', 1, refused)]),
      scriptedModel([failing('', 0)]),
      scriptedModel('c'),
    )
    expect(screen(await all(graphOf(model).events({})))).toEqual([['c', 'done']])
  })

  test('asks each with its own name and tags', async () => {
    const first = scriptedModel([failing('a', 1)], { name: 'first', tags: ['joke'] })
    const second = scriptedModel('b', { name: 'second', tags: ['poem'] })
    const events = await all(graphOf(withFallback(first, second)).events({}))
    const starts = events.flatMap((event) => (event.type === 'message.start' ? [event.meta] : []))
    expect(starts).toEqual([
      { model: 'first', tags: ['joke'] },
      { model: 'second', tags: ['poem'] },
    ])
  })

  test('fails with what each failed with when all do', async () => {
    const model = withFallback(
      scriptedModel([failing('', 0, refused)], { name: 'a' }),
      scriptedModel([failing('', 0)], { name: 'b' }),
    )
    const error: unknown = await model.invoke('hi').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'PROVIDER_FAILED',
      message: 'all 2 models failed: a: refused; b: busy',
      retryable: true,
    })
    expect((error as Error).cause).toMatchObject({ errors: [refused, { message: 'busy' }] })
  })

  test('does not ask the next when it was stopped', async () => {
    const stop = new AbortController()
    const second = scriptedModel('never')
    const model = withFallback(scriptedModel([{ text: 'a b', stallAfter: 1 }]), second)
    const answer = model.invoke('hi', { signal: stop.signal })
    await settle()
    stop.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    expect(second.calls).toEqual([])
  })

  test('falls back from a stream that fails to one call that does not stream', async () => {
    const script = scriptedModel((_list, { streaming }) => (streaming ? failing('a b c', 2) : 'whole answer'))
    const model = withFallback(script, script.with({ streaming: false }))
    const events = await all(graphOf(model).events({}))
    expect(screen(events)).toEqual([['whole answer', 'done']])
    expect(events.flatMap((event) => (event.type === 'message.delta' ? [event.text] : []))).toEqual([
      'a',
      ' b',
      'whole answer',
    ])
  })

  test('may try again before it falls back, and withdraws all of it', async () => {
    const tried = withRetry(scriptedModel([failing('a', 1), failing('b', 1)]), { ...atOnce, attempts: 2 })
    const model = withFallback(tried, scriptedModel('c'))
    const chunks: MessageChunk[] = await all(model.stream('hi'))
    expect(chunks).toEqual([{ content: 'a' }, { restart: true }, { content: 'b' }, { restart: true }, { content: 'c' }])
    const again = withRetry(scriptedModel([failing('a', 1), failing('b', 1)]), { ...atOnce, attempts: 2 })
    expect(screen(await all(graphOf(withFallback(again, scriptedModel('c'))).events({})))).toEqual([['c', 'done']])
  })

  test('needs at least one', () => {
    expect(() => withFallback()).toThrow(RivuletError)
  })
})
