import type { Timing } from '../src/connection/timing.ts'

/** Time that stands still until a test moves it. */
export interface FakeTiming extends Timing {
  /** Moves time on and runs the timers that fall due, in order; between two of them everything else may settle. */
  advance(ms: number): Promise<void>
  /** The network is there again. */
  wake(): void
  /** Time passes and no timer runs, as in a page that sleeps. */
  jump(ms: number): void
  /** What the platform says of the network. */
  online: boolean
  /** What `random` gives. */
  chance: number
  /** Delays of the timers that run now, in order. */
  readonly delays: readonly number[]
}

export function fakeTiming(): FakeTiming {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  const wakers = new Set<() => void>()
  const nextDue = (until: number) => timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
  return {
    chance: 1,
    online: true,
    isOnline() {
      return this.online
    },
    jump(ms) {
      now += ms
    },
    now: () => now,
    epochMs: () => 1_000_000 + now,
    random() {
      return this.chance
    },
    after(delayMs, fn) {
      const timer = { at: now + delayMs, fn }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    onWake(fn) {
      const waker = () => fn()
      wakers.add(waker)
      return () => void wakers.delete(waker)
    },
    wake() {
      for (const waker of wakers) waker()
    },
    get delays() {
      return timers.map(({ at }) => at - now).sort((a, b) => a - b)
    },
    async advance(ms) {
      const until = now + ms
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        now = due.at
        timers = timers.filter((timer) => timer !== due)
        due.fn()
        await settled()
      }
      now = until
      await settled()
    },
  }
}

/** Resolves once everything that only waits for promises has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
