/** Somebody who waits for the log to grow beyond `after`. */
interface Waiter {
  after: number
  wake: () => void
  leave: () => void
}

/** Readers of one log that wait for it to grow. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()
  /** Who waits with a signal: it is listened to once, however often its reader waits. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<Waiter>>()
  readonly #watching = new Set<() => void>()

  /** Wakes those who wait for something below or at `head`, and tells those who watch. */
  wake(head: number): void {
    for (const waiter of this.#waiting) if (waiter.after < head) waiter.wake()
    for (const listener of this.#watching) told(listener)
  }

  /** Calls `listener` whenever {@link Waiters.wake} is called, until the function that it answers is. */
  watch(listener: () => void): () => void {
    this.#watching.add(listener)
    return () => void this.#watching.delete(listener)
  }

  /** Resolves when {@link Waiters.wake} is told a head above `after`. Rejects with the signal's reason. */
  wait(after: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    return new Promise((resolve, reject) => {
      const together = this.#bySignal.get(signal) ?? this.#listenTo(signal)
      const settle = (): void => {
        this.#waiting.delete(waiter)
        together.delete(waiter)
      }
      const waiter: Waiter = {
        after,
        wake() {
          settle()
          resolve()
        },
        leave() {
          settle()
          reject(signal.reason as Error)
        },
      }
      this.#waiting.add(waiter)
      together.add(waiter)
    })
  }

  #listenTo(signal: AbortSignal): Set<Waiter> {
    const together = new Set<Waiter>()
    this.#bySignal.set(signal, together)
    signal.addEventListener('abort', () => together.forEach((waiter) => waiter.leave()), { once: true })
    return together
  }
}

function told(listener: () => void): void {
  try {
    listener()
  } catch {
    // Whoever writes the log has nothing to do with what its readers make of it.
  }
}
