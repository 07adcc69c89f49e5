import type { Frame } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { settled } from '../../test/fake-timing.ts'
import { createPump, eventsFrame, type Body } from '../../test/pump.ts'
import { readFrames } from './read-frames.ts'

const frame = eventsFrame()

function reading(take: (frame: Frame) => boolean = () => false) {
  const controller = new AbortController()
  const pump = createPump()
  const open = () => pump.transport.open({ thread: 't' }, { signal: controller.signal, after: undefined })
  return { controller, pump, outcome: readFrames(open, controller.signal, take).catch((error: unknown) => error) }
}

test('it reads until the taker has enough', async () => {
  let taken = 0
  const { pump, outcome } = reading(() => ++taken === 2)
  pump.body.send(frame, frame, frame)
  expect(await outcome).toBe(true)
  expect(taken).toBe(2)
})

test('frames that end before leave it unsatisfied', async () => {
  const { pump, outcome } = reading()
  pump.body.send(frame)
  pump.body.end()
  expect(await outcome).toBe(false)
})

test.each<[string, (body: Body) => void]>([
  ['before the first frame', () => {}],
  ['between two frames', (body) => body.send(frame)],
])('an abort %s ends it with the reason', async (_when, feed) => {
  const { pump, controller, outcome } = reading()
  feed(pump.body)
  await settled()
  controller.abort('enough')
  expect(await outcome).toBe('enough')
})

test('an abort ends it even when the transport does not listen', async () => {
  const controller = new AbortController()
  const deaf: AsyncIterable<Frame> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => new Promise(() => {}) }),
  }
  const outcome = readFrames(
    () => deaf,
    controller.signal,
    () => false,
  ).catch((error: unknown) => error)
  controller.abort('enough')
  expect(await outcome).toBe('enough')
})

test('a frame that arrives with the abort is not taken', async () => {
  const controller = new AbortController()
  // Resolves at once, and the abort comes before anybody can look at what it resolved with.
  const next = {
    // eslint-disable-next-line unicorn/no-thenable -- only what is no real promise can be this early
    then(resolve: (result: IteratorResult<Frame>) => void) {
      resolve({ done: false, value: frame })
      controller.abort('enough')
    },
  }
  // As much of an iterable as is used.
  const frames = { [Symbol.asyncIterator]: () => ({ next: () => next }) } as unknown as AsyncIterable<Frame>
  let taken = 0
  const outcome = readFrames(
    () => frames,
    controller.signal,
    () => ++taken > 0,
  )
  await expect(outcome).rejects.toBe('enough')
  expect(taken).toBe(0)
})

test('a signal that is aborted already opens nothing', async () => {
  let opened = 0
  const open = () => {
    opened++
    return createPump().transport.open({ thread: 't' }, { signal: AbortSignal.abort(), after: undefined })
  }
  await expect(readFrames(open, AbortSignal.abort('no'), () => false)).rejects.toBe('no')
  expect(opened).toBe(0)
})

test('a taker that throws lets the body go', async () => {
  let isReturned = false
  const frames: AsyncIterable<Frame> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: frame }),
      return() {
        isReturned = true
        return Promise.reject(new Error('and its return fails too'))
      },
    }),
  }
  const take = () => {
    throw new Error('cannot take this')
  }
  await expect(readFrames(() => frames, new AbortController().signal, take)).rejects.toThrow('cannot take this')
  expect(isReturned).toBe(true)
})
