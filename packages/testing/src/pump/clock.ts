import type { Timing } from '@rivulet/client'

/** Time that stands still until it is moved. */
export interface Clock {
  readonly timing: Timing
  /** Moves on by `ms` and runs what falls due, in order; `between` runs after each stop on the way, with the time passed. */
  advance(ms: number, between: (passedMs: number) => Promise<void>): Promise<void>
}

/** A clock of its own: nothing of the platform's is touched. Chance is always the same: `random` gives 0. */
export function createClock(): Clock {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  const nextDue = (until: number) => timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
  const timing: Timing = {
    now: () => now,
    epochMs: () => now,
    random: () => 0,
    after(delayMs, fn) {
      const timer = { at: now + delayMs, fn }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    onWake: () => () => {},
  }
  return {
    timing,
    async advance(ms, between) {
      const until = now + ms
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        const { at, fn } = due
        const passed = at - now
        now = at
        timers = timers.filter((timer) => timer !== due)
        fn()
        await between(passed)
      }
      const passed = until - now
      now = until
      await between(passed)
    },
  }
}

/** Resolves after a time, or at once when the signal aborts. */
export function sleep(delayMs: number, timing: Timing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = timing.after(delayMs, done)
    signal.addEventListener('abort', done)
    return undefined
  })
}
