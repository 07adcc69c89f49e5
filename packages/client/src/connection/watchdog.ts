import type { Timing } from './timing.ts'

/** How many heartbeats may be missed before a connection counts as stalled. */
export const MISSED_HEARTBEATS = 2.5

/**
 * Calls `onSilent` once when `heard` was not called for `silenceMs`. One timer that re-arms for what is left, however
 * often something is heard; looked at as well when the platform wakes, as timers of a hidden page may be late.
 */
export function createWatchdog(
  timing: Timing,
  silenceMs: number,
  onSilent: () => void,
): { heard(): void; stop(): void } {
  let lastHeard = timing.now()
  let cancelTimer = () => {}
  const stop = () => {
    cancelTimer()
    cancelWake()
  }
  function check(): void {
    cancelTimer()
    const leftMs = lastHeard + silenceMs - timing.now()
    // A timer for longer than the platform can count, 24 days, would fire at once.
    if (leftMs > 0) cancelTimer = leftMs > 2 ** 31 ? cancelTimer : timing.after(leftMs, check)
    else {
      stop()
      onSilent()
    }
  }
  const cancelWake = timing.onWake(check)
  check()
  return {
    heard() {
      lastHeard = timing.now()
    },
    stop,
  }
}
