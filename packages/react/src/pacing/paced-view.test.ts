import { createClient, type ThreadStore } from '@rivulet/client'
import type { Frame, RunEvent } from '@rivulet/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answerBegins, runBegins, runEnds, token } from '../../test/conversation.ts'
import { createPacedView } from './paced-view.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A followed thread whose events come from the test, seen at a pace of one frame in 16 ms. */
async function paced(throttleMs?: number) {
  let send: (frame: Frame) => void = () => {}
  let seq = 0
  const client = createClient({
    transport: {
      heartbeatMs: Infinity,
      async *open(_request, { signal }) {
        while (!signal.aborted) yield await new Promise<Frame>((resolve) => (send = resolve))
      },
    },
  })
  const thread: ThreadStore = client.thread({ graph: 'agent', threadId: 't' })
  const view = createPacedView(thread, throttleMs)
  const texts: (string | undefined)[] = []
  view.subscribe(() => texts.push(view.getSnapshot().message('a')?.content))
  const stop = view.start()
  thread.follow()
  const emit = async (...events: RunEvent[]) => {
    for (const event of events) {
      send({ type: 'events', log: 'log', events: [{ ...event, seq: ++seq }] })
      await turn()
    }
  }
  await turn()
  await emit(...runBegins('r'), ...answerBegins('r', 'a'))
  await vi.advanceTimersByTimeAsync(1000)
  texts.length = 0
  return { thread, view, texts, stop, emit }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('the first change after a pause is shown at once, the next ones with the next frame', async () => {
  const { texts, emit } = await paced()
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'), token('r', 'a', 2, '3'))
  expect(texts).toEqual(['1'])
  await vi.advanceTimersByTimeAsync(16)
  expect(texts).toEqual(['1', '123'])
  await emit(token('r', 'a', 3, '4'))
  expect(texts).toEqual(['1', '123'])
  await vi.advanceTimersByTimeAsync(16)
  expect(texts).toEqual(['1', '123', '1234'])
})

test('after a frame in which nothing came the next change is shown at once', async () => {
  const { texts, emit } = await paced()
  await emit(token('r', 'a', 0, '1'))
  await vi.advanceTimersByTimeAsync(16)
  expect(vi.getTimerCount()).toBe(0)
  await emit(token('r', 'a', 1, '2'))
  expect(texts).toEqual(['1', '12'])
})

test('any number of tokens arm one timer', async () => {
  const { emit } = await paced()
  await emit(...Array.from({ length: 50 }, (_, at) => token('r', 'a', at, 'x')))
  expect(vi.getTimerCount()).toBe(1)
})

test('the end of a run is shown without delay, and nothing is shown twice', async () => {
  const { view, texts, emit } = await paced()
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'), ...runEnds('r', 'a', 2))
  expect(texts).toEqual(['1', '12'])
  expect(view.getSnapshot().status).toBe('idle')
  await vi.advanceTimersByTimeAsync(100)
  expect(texts).toEqual(['1', '12'])
})

test('a person’s own message is shown without delay', async () => {
  const { thread, view, emit } = await paced()
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'))
  thread.submit({ messages: 'wait' })
  expect(view.getSnapshot().messages.map(({ content }) => content)).toEqual(['12', 'wait'])
})

test('a page that needs longer than a frame to render rests as long as it took', async () => {
  const { texts, emit } = await paced()
  const now = vi.spyOn(performance, 'now').mockReturnValue(0)
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'))
  now.mockReturnValue(60)
  await vi.advanceTimersByTimeAsync(16)
  await vi.advanceTimersByTimeAsync(59)
  expect(texts).toEqual(['1'])
  await vi.advanceTimersByTimeAsync(1)
  expect(texts).toEqual(['1', '12'])
})

test('a rest holds nothing back that a person waits for', async () => {
  const { view, texts, emit } = await paced()
  const now = vi.spyOn(performance, 'now').mockReturnValue(0)
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'))
  now.mockReturnValue(400)
  await vi.advanceTimersByTimeAsync(16)
  await emit(...runEnds('r', 'a', 2))
  expect(texts).toEqual(['1', '12'])
  expect(view.getSnapshot().status).toBe('idle')
})

test('a throttle is the least time between two changes on screen', async () => {
  const { texts, emit } = await paced(500)
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'))
  await vi.advanceTimersByTimeAsync(499)
  expect(texts).toEqual(['1'])
  await vi.advanceTimersByTimeAsync(1)
  expect(texts).toEqual(['1', '12'])
})

test('a throttle of nothing shows every change', async () => {
  const { texts, emit } = await paced(0)
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'))
  expect(texts).toEqual(['1', '12'])
  expect(vi.getTimerCount()).toBe(0)
})

test('a view that was stopped shows nothing more, and all of it when it is started again', async () => {
  const { view, texts, emit, stop } = await paced()
  await emit(token('r', 'a', 0, '1'), token('r', 'a', 1, '2'))
  stop()
  expect(vi.getTimerCount()).toBe(0)
  await emit(token('r', 'a', 2, '3'))
  expect(texts).toEqual(['1'])
  view.start()
  expect(texts).toEqual(['1', '123'])
})

test('text that goes on is shown with every second frame, until it pauses', async () => {
  const { texts, emit } = await paced()
  let at = 0
  const frames = async (count: number) => {
    for (let frame = 0; frame < count; frame++) {
      await emit(token('r', 'a', at, '.'), token('r', 'a', at + 1, '.'))
      at += 2
      await vi.advanceTimersByTimeAsync(16)
    }
  }
  await frames(10)
  // The first of all at once, then one a frame.
  expect(texts).toHaveLength(11)
  await frames(100)
  expect(texts).toHaveLength(11 + 50)
  await vi.advanceTimersByTimeAsync(100)
  expect(texts.at(-1)).toHaveLength(at)
  texts.length = 0
  await frames(5)
  expect(texts).toHaveLength(6)
})
