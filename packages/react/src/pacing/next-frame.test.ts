import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nextFrame } from './next-frame.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Frames that are drawn when the test says so. */
function stubFrames() {
  const waiting = new Map<number, () => void>()
  let last = 0
  vi.stubGlobal('requestAnimationFrame', (fn: () => void) => {
    waiting.set(++last, fn)
    return last
  })
  vi.stubGlobal('cancelAnimationFrame', (id: number) => waiting.delete(id))
  const draw = () => {
    for (const [id, fn] of waiting) {
      waiting.delete(id)
      fn()
    }
  }
  return { waiting, draw }
}

test('it calls back with the next frame, once, and leaves no timer', () => {
  const { draw } = stubFrames()
  const fn = vi.fn<() => void>()
  nextFrame(fn)
  expect(fn).not.toHaveBeenCalled()
  draw()
  expect(fn).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('a hidden page, which is drawn no frames, is called back after a while, once', () => {
  const { waiting } = stubFrames()
  const fn = vi.fn<() => void>()
  nextFrame(fn)
  vi.advanceTimersByTime(100)
  expect(fn).toHaveBeenCalledOnce()
  expect(waiting.size).toBe(0)
})

test('without frames it keeps the pace of frames', () => {
  const fn = vi.fn<() => void>()
  nextFrame(fn)
  vi.advanceTimersByTime(16)
  expect(fn).toHaveBeenCalledOnce()
})

test('a throttle takes the place of frames', () => {
  const { waiting } = stubFrames()
  const fn = vi.fn<() => void>()
  nextFrame(fn, 500)
  expect(waiting.size).toBe(0)
  vi.advanceTimersByTime(499)
  expect(fn).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(fn).toHaveBeenCalledOnce()
})

test.each([undefined, 500])('what was taken back does not come (throttle %s)', (throttleMs) => {
  const { waiting, draw } = stubFrames()
  const fn = vi.fn<() => void>()
  nextFrame(fn, throttleMs)()
  draw()
  vi.advanceTimersByTime(1000)
  expect(fn).not.toHaveBeenCalled()
  expect(waiting.size).toBe(0)
})
