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
  /** Calls back when the network is there again or the page is looked at again; the function it returns ends that. */
  onWake(fn: () => void): () => void
  /** Whether the platform believes that there is a network. Default: it does. */
  isOnline?(): boolean
}

/** The platform's own clock, timers and events. Where there are no such events, nothing wakes a wait early. */
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
    const onChange = () => {
      if (document.visibilityState === 'visible') fn()
    }
    const page = typeof document === 'undefined' ? undefined : document
    globalThis.addEventListener('online', fn)
    page?.addEventListener('visibilitychange', onChange)
    return () => {
      globalThis.removeEventListener('online', fn)
      page?.removeEventListener('visibilitychange', onChange)
    }
  },
  isOnline() {
    // Node 20 has no `navigator`, and that of later ones does not say.
    const at = globalThis.navigator as Partial<Navigator> | undefined
    return at?.onLine !== false
  },
}
