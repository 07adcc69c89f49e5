import { RivuletError } from '../errors.ts'

/** Waits for as long as it takes, but once `signal` has aborted only for `graceMs` more: then it gives up, once. */
export class Patience {
  readonly #signal: AbortSignal
  readonly #graceMs: number
  readonly #giveUp: (reason: RivuletError) => void
  readonly #onAbort = (): void => this.#begin()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `giveUp` is called with `CANCELLED` when the time is up. */
  constructor(signal: AbortSignal, graceMs: number, giveUp: (reason: RivuletError) => void) {
    this.#signal = signal
    this.#graceMs = graceMs
    this.#giveUp = giveUp
    if (signal.aborted) this.#begin()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Ends the watch. */
  end(): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #begin(): void {
    // A timer cannot be set for ever: without an end there is none.
    if (this.#graceMs === Infinity) return
    this.#timer = setTimeout(
      () => this.#giveUp(new RivuletError('CANCELLED', `no end came within ${this.#graceMs} ms of the abort`)),
      this.#graceMs,
    )
  }
}
