import { nextTurn } from '@rivulet/protocol/model'

/**
 * Time, in ms, that passes before a run looks whether the event loop still turns, and then before it waits for that. Twice
 * this and one step of the run is the longest that a timer or a signal waits: well within the 10 ms that are promised.
 */
const SLICE_MS = 2

/**
 * Keeps a run from keeping everybody else out: nodes, tools and models that wait for nothing outside would let no timer,
 * input or signal have its turn for as long as the run takes. A run that is over sooner is never interrupted.
 */
export class Turns {
  #looksAt = performance.now() + SLICE_MS
  #waitsAt = 0
  /** Resolves with the next turn of the event loop, once the run looks for it. */
  #turn: Promise<void> | undefined

  /** A promise to wait for when there was no turn for too long; nearly always `undefined`. */
  due(): Promise<void> | undefined {
    const now = performance.now()
    if (this.#turn !== undefined) return now >= this.#waitsAt ? this.#turn : undefined
    if (now < this.#looksAt) return undefined
    this.#waitsAt = now + SLICE_MS
    this.#turn = nextTurn().then(() => {
      this.#turn = undefined
      this.#looksAt = performance.now() + SLICE_MS
    })
    return undefined
  }
}
