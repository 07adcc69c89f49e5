// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { systemTiming } from './timing.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Shows or hides the page. */
function look(state: 'visible' | 'hidden'): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state)
  document.dispatchEvent(new Event('visibilitychange'))
}

test('a delay calls back once, unless it is taken back', () => {
  vi.useFakeTimers()
  const fn = vi.fn<() => void>()
  systemTiming.after(100, fn)
  systemTiming.after(50, fn)()
  vi.advanceTimersByTime(1000)
  expect(fn).toHaveBeenCalledTimes(1)
})

test('clocks and chance are the platform’s', () => {
  const before = [performance.now(), Date.now()] as const
  expect(systemTiming.now()).toBeGreaterThanOrEqual(before[0])
  expect(systemTiming.epochMs()).toBeGreaterThanOrEqual(before[1])
  const chance = systemTiming.random()
  expect(chance >= 0 && chance < 1).toBe(true)
})

test('a wait is woken by the network and by a page that is shown, not by one that is hidden', () => {
  const fn = vi.fn<() => void>()
  const end = systemTiming.onWake(fn)
  globalThis.dispatchEvent(new Event('online'))
  expect(fn).toHaveBeenCalledTimes(1)
  look('hidden')
  expect(fn).toHaveBeenCalledTimes(1)
  look('visible')
  expect(fn).toHaveBeenCalledTimes(2)
  end()
  globalThis.dispatchEvent(new Event('online'))
  look('visible')
  expect(fn).toHaveBeenCalledTimes(2)
})

test('without a page the network wakes a wait', () => {
  vi.stubGlobal('document', undefined)
  const fn = vi.fn<() => void>()
  const end = systemTiming.onWake(fn)
  globalThis.dispatchEvent(new Event('online'))
  end()
  globalThis.dispatchEvent(new Event('online'))
  expect(fn).toHaveBeenCalledTimes(1)
})

test('where there are no such events nothing wakes a wait', () => {
  vi.stubGlobal('addEventListener', undefined)
  expect(() => systemTiming.onWake(() => {})()).not.toThrow()
})

test.each([
  [{ onLine: true }, true],
  [{ onLine: false }, false],
  [{}, true],
  [undefined, true],
])('a platform that says %j of the network is believed', (navigator, isOnline) => {
  vi.stubGlobal('navigator', navigator)
  expect(systemTiming.isOnline?.()).toBe(isOnline)
})
