import { RivuletError } from '../errors.ts'
import type { StampedEvent } from '../events/event.ts'
import { compactRun } from './compact.ts'

/** How much of a cap is left after trimming: trimming a little more, and less often, costs less. */
const KEPT_SHARE = 7 / 8

/** Stamped events with their weights, oldest first, within two caps. */
export class Shelf {
  #events: StampedEvent[] = []
  #weights: number[] = []
  /** Index of the oldest event kept: those before it are cut off now and then, together. */
  #start = 0
  #bytes = 0
  #trimmedTo = 0
  readonly #maxEvents: number
  readonly #maxBytes: number

  /** `from`: what stands at or below it was never on this shelf. */
  constructor(maxEvents: number, maxBytes: number, from = 0) {
    this.#maxEvents = maxEvents
    this.#maxBytes = maxBytes
    this.#trimmedTo = from
  }

  /** `seq` above which everything is held. */
  get heldAfter(): number {
    return this.#trimmedTo
  }

  push(event: StampedEvent, weight: number): void {
    this.#events.push(event)
    this.#weights.push(weight)
    this.#bytes += weight
  }

  /** Whether {@link Shelf.trim} has to be called. */
  isOver(): boolean {
    return this.#exceeds(1)
  }

  #exceeds(share: number): boolean {
    return this.#events.length - this.#start > this.#maxEvents * share || this.#bytes > this.#maxBytes * share
  }

  /** Drops the oldest events, though never the last one, until an eighth of each cap is free. */
  trim(): void {
    while (this.#start < this.#events.length - 1 && this.#exceeds(KEPT_SHARE)) {
      this.#bytes -= this.#weights[this.#start]!
      this.#trimmedTo = this.#events[this.#start++]!.seq
    }
    if (this.#start < this.#events.length / 2) return
    this.#events = this.#events.slice(this.#start)
    this.#weights = this.#weights.slice(this.#start)
    this.#start = 0
  }

  /** Compacts the run that begins last under this id; `weigh` tells what a new event weighs. */
  compact(run: string, weigh: (event: StampedEvent) => number): void {
    const from = this.#beginOf(run)
    const tail = this.#events.slice(from)
    const compacted = compactRun(tail, run)
    if (compacted.length === tail.length) return
    for (const weight of this.#weights.slice(from)) this.#bytes -= weight
    this.#events.length = from
    this.#weights.length = from
    for (const event of compacted) this.push(event, weigh(event))
  }

  #beginOf(run: string): number {
    for (let i = this.#events.length - 1; i > this.#start; i--) {
      const event = this.#events[i]!
      if (event.type === 'run.start' && event.run === run) return i
    }
    return this.#start
  }

  /** Up to `limit` events above `after`. Throws `CURSOR_GONE` when some of them were trimmed. */
  after(after: number, limit: number): StampedEvent[] {
    if (after < this.#trimmedTo) {
      throw new RivuletError('CURSOR_GONE', `events up to ${this.#trimmedTo} are no longer kept`)
    }
    const from = this.#indexAfter(after)
    return this.#events.slice(from, from + limit)
  }

  #indexAfter(seq: number): number {
    let low = this.#start
    let high = this.#events.length
    // Nearly always it is the newest few that are asked for, and nothing is missing among them.
    const near = high - ((this.#events[high - 1]?.seq ?? seq) - seq)
    if (near > low && this.#events[near - 1]?.seq === seq) return near
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#events[middle]!.seq > seq) high = middle
      else low = middle + 1
    }
    return low
  }
}
