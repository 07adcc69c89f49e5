/** A hidden page is drawn no frames; it is brought up to date at this pace in milliseconds. */
const HIDDEN_PACE_MS = 100
/** Pace where there are no frames at all, such as on a server. */
const FRAMELESS_PACE_MS = 16

/**
 * Calls back before the next frame is drawn, or after a while where none is; with `throttleMs` after that time. The
 * function it returns takes that back.
 */
export function nextFrame(fn: () => void, throttleMs?: number): () => void {
  if (throttleMs !== undefined) return startTimer(fn, throttleMs)
  if (typeof requestAnimationFrame !== 'function') return startTimer(fn, FRAMELESS_PACE_MS)
  const cancel = () => {
    cancelAnimationFrame(frame)
    stopTimer()
  }
  const run = () => {
    cancel()
    fn()
  }
  const frame = requestAnimationFrame(run)
  const stopTimer = startTimer(run, HIDDEN_PACE_MS)
  return cancel
}

function startTimer(fn: () => void, delayMs: number): () => void {
  const timer = setTimeout(fn, delayMs)
  return () => clearTimeout(timer)
}
