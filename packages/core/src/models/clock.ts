import { MAX_TIMER_MS } from './time-limit.ts'

/** Time, passed in so that tests need not wait. The client's `Timing` and a test kit's virtual clock are ones, too. */
export interface Clock {
  /** Milliseconds since the epoch. */
  epochMs(): number
  /** Calls back after a delay in ms; the function it returns takes that back. */
  after(delayMs: number, fn: () => void): () => void
}

/** The platform's clock and timers. */
export const systemClock: Clock = {
  epochMs: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(delayMs, MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
}

/** Waits; rejects with the signal's reason as soon as it fires, at once when it has. `Infinity` waits for the signal alone. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const cancel = delayMs === Infinity ? () => {} : clock.after(delayMs, end)
    signal?.addEventListener('abort', stop, { once: true })
    function end(): void {
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    function stop(): void {
      cancel()
      reject(signal?.reason as Error)
    }
  })
}
