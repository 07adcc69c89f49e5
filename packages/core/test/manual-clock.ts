import type { Clock } from '../src/index.ts'
import { settle } from './gate.ts'

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time on, timer by timer; after each everything else may settle. */
  advance(ms: number): Promise<void>
  /** Delays of the timers that run, in order. */
  readonly delays: readonly number[]
}

export function manualClock(): ManualClock {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  const drop = (timer: object) => (timers = timers.filter((other) => other !== timer))
  const next = (until: number) => timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
  return {
    epochMs: () => now,
    after(delayMs, fn) {
      const timer = { at: now + delayMs, fn }
      timers.push(timer)
      return () => void drop(timer)
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
      return timers.map(({ at }) => at - now).sort((a, b) => a - b)
    },
  }
}
