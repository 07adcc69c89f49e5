import type { Clock } from '@rivulet/core'

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time on, timer by timer; after each everything else may settle. */
  advance(ms: number): Promise<void>
  /** Delays of the timers that run, in order. */
  readonly delays: readonly number[]
}

/** Begins at `startMs` since the epoch. */
export function manualClock(startMs = 0): ManualClock {
  let now = startMs
  let timers: { at: number; fn: () => void }[] = []
  const drop = (timer: object) => {
    timers = timers.filter((other) => other !== timer)
  }
  const next = (until: number) => timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
  return {
    epochMs: () => now,
    after(delayMs, fn) {
      const timer = { at: now + delayMs, fn }
      timers.push(timer)
      return () => drop(timer)
    },
    async advance(ms) {
      await settle()
      const until = now + ms
      for (let due = next(until); due !== undefined; due = next(until)) {
        now = due.at
        drop(due)
        due.fn()
        await settle()
      }
      now = until
    },
    get delays() {
      return timers.map(({ at }) => at - now).toSorted((a, b) => a - b)
    },
  }
}

/** Lets everything run that waits for no timer and no network. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
