import type { Timing } from './timing.ts'

/** How many heartbeats may be missed before a connection counts as stalled. */
export const MISSED_HEARTBEATS = 2.5

/**
 * Calls `onSilent` once when `heard` was not called for `silenceMs`. One timer that re-arms for what is left, however
 * often something is heard.
 */
export function createWatchdog(
  timing: Timing,
  silenceMs: number,
  onSilent: () => void,
): { heard(): void; stop(): void } {
  let lastHeard = timing.now()
  let cancel = timing.after(silenceMs, check)
  function check(): void {
    const leftMs = lastHeard + silenceMs - timing.now()
    if (leftMs > 0) cancel = timing.after(leftMs, check)
    else onSilent()
  }
  return {
    heard() {
      lastHeard = timing.now()
    },
    stop: () => cancel(),
  }
}
