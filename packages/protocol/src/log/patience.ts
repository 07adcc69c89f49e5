import { RivuletError } from '../errors.ts'

/** Waits for as long as it takes, but once `signal` has aborted only for `graceMs` more, all waits together. */
export class Patience {
  readonly #signal: AbortSignal
  readonly #graceMs: number
  readonly #onAbort = (): void => this.#begin()
  #timer: ReturnType<typeof setTimeout> | undefined
  #giveUp: ((reason: RivuletError) => void) | undefined
  #over: RivuletError | undefined

  constructor(signal: AbortSignal, graceMs: number) {
    this.#signal = signal
    this.#graceMs = graceMs
    if (signal.aborted) this.#begin()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Settles as `promise` does, or rejects with `CANCELLED` when the time is up. One wait at a time. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(resolve, reject)
      if (this.#over !== undefined) reject(this.#over)
      this.#giveUp = reject
    })
  }

  /** Ends the watch. */
  end(): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#giveUp = undefined
  }

  #begin(): void {
    // A timer cannot be set for ever: without an end there is none.
    if (this.#graceMs === Infinity) return
    this.#timer = setTimeout(() => {
      this.#over = new RivuletError('CANCELLED', `no end came within ${this.#graceMs} ms of the abort`)
      this.#giveUp?.(this.#over)
    }, this.#graceMs)
  }
}
