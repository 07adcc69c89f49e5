/** Who waits for a signal to fire, by signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `then` when the signal fires, at once if it has; the answer takes it off again. However many runs one signal
 * stops, it has one listener of ours, and none once they are over: platforms warn of many, and `AbortSignal.any` would
 * leave something of every run behind in a signal that outlives them.
 */
export function onAbort(signal: AbortSignal | undefined, then: () => void): () => void {
  if (signal === undefined) return () => {}
  if (signal.aborted) {
    then()
    return () => {}
  }
  let all = waiting.get(signal)
  if (all === undefined) {
    waiting.set(signal, (all = new Set()))
    signal.addEventListener('abort', fired)
  }
  // Each wait is its own, also where the same function waits twice.
  const wait = (): void => then()
  all.add(wait)
  return () => {
    if (!all.delete(wait) || all.size > 0) return
    waiting.delete(signal)
    signal.removeEventListener('abort', fired)
  }
}

function fired(this: AbortSignal): void {
  const all = waiting.get(this) ?? []
  waiting.delete(this)
  for (const wait of all) wait()
}
