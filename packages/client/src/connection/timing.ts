/** Time, chance and the network's return, passed in so that tests need none of them. */
export interface Timing {
  /** Milliseconds that only ever grow; every decision is made on these. */
  now(): number
  /** Milliseconds since the epoch, for what people are shown. */
  epochMs(): number
  /** Calls back after a delay; the function it returns takes that back. */
  after(delayMs: number, fn: () => void): () => void
  /** A random number from 0 up to 1. */
  random(): number
  /** Calls back when the network is there again; the function it returns ends that. */
  onWake(fn: () => void): () => void
}

/** The platform's own clock, timers and `online` event. Without that event nothing wakes a wait early. */
export const systemTiming: Timing = {
  now: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
  onWake(fn) {
    if (typeof globalThis.addEventListener !== 'function') return () => {}
    globalThis.addEventListener('online', fn)
    return () => globalThis.removeEventListener('online', fn)
  },
}
