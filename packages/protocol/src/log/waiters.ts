/** Somebody who waits for the log to grow beyond `after`. */
interface Waiter {
  after: number
  wake: () => void
}

/** Readers of one log that wait for it to grow. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()

  /** Wakes those who wait for something below or at `head`. */
  wake(head: number): void {
    for (const waiter of this.#waiting) if (waiter.after < head) waiter.wake()
  }

  /** Resolves when {@link Waiters.wake} is told a head above `after`. Rejects with the signal's reason. */
  wait(after: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const settle = (): void => {
        this.#waiting.delete(waiter)
        signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        after,
        wake() {
          settle()
          resolve()
        },
      }
      function onAbort(): void {
        settle()
        reject(signal.reason as Error)
      }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
      return undefined
    })
  }
}
