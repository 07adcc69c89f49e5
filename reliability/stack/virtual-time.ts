import type { Timing } from '@rivulet/client'

/** Time that passes only when everything that needs none has come to rest, and then all at once. */
export interface VirtualTime extends Timing {
  /** Something went on: everything that makes progress without a timer says so. */
  touch(): void
  /**
   * Lets everything go on, and time pass from timer to timer, until `isDone`. Throws when nothing is left to wait for,
   * or more than `limitMs` have passed.
   */
  runUntil(isDone: () => boolean, limitMs?: number): Promise<void>
  /** Lets everything go on that waits for no time, without time passing. */
  settle(): Promise<void>
}

interface Timer {
  readonly at: number
  readonly fn: () => void
}

/** Turns of the event loop without a touch after which everything rests. */
const QUIET_TURNS = 3
/** So many when no timer is left: then nothing but an answer under way can be what is waited for. */
const LAST_TURNS = 200

export function virtualTime(random: () => number): VirtualTime {
  let now = 0
  let touches = 0
  const timers = new Set<Timer>()
  const nextTimer = (): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers) if (first === undefined || timer.at < first.at) first = timer
    return first
  }
  async function rest(turns: number, isDone: () => boolean): Promise<boolean> {
    for (let quiet = 0; quiet < turns;) {
      if (isDone()) return true
      const before = touches
      await new Promise((resolve) => void setImmediate(resolve))
      quiet = touches === before ? quiet + 1 : 0
    }
    return isDone()
  }
  return {
    now: () => now,
    epochMs: () => 1_750_000_000_000 + now,
    random,
    onWake: () => () => undefined,
    touch: () => void touches++,
    after(delayMs, fn) {
      const timer = { at: now + Math.max(0, delayMs), fn }
      timers.add(timer)
      touches++
      return () => void timers.delete(timer)
    },
    async runUntil(isDone, limitMs = 3_600_000) {
      const until = now + limitMs
      while (!(await rest(timers.size === 0 ? LAST_TURNS : QUIET_TURNS, isDone))) {
        const timer = nextTimer()
        if (timer === undefined) throw new Error(`at ${now} ms nothing is left to wait for`)
        if (timer.at > until) throw new Error(`not done after ${limitMs} ms`)
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.fn()
      }
    },
    settle: async () => void (await rest(QUIET_TURNS, () => false)),
  }
}
