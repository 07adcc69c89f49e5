import { MAX_QUEUED_BYTES } from './sink.ts'

/** Events queued before the run waits for its reader. */
export const ROOM = 1024

/**
 * A queue between one run and its one reader. Everything put in before the end reaches the reader, then the end or the
 * error. `return()` and `break` call `onLeave` once and end the iteration.
 */
export class Delivery<T> implements AsyncIterableIterator<T, undefined> {
  #items: T[] = []
  #head = 0
  #bytes = 0
  #ended = false
  #error: { thrown: unknown } | undefined
  #readers: ((result: IteratorResult<T, undefined> | PromiseLike<IteratorResult<T, undefined>>) => void)[] = []
  #writer: { promise: Promise<void>; resolve: () => void } | undefined
  #start: (() => void) | undefined
  readonly #onLeave: () => void | Promise<void>

  /** `start` is called at the first `next()`: a stream nobody reads does not run. */
  constructor(start: () => void, onLeave: () => void | Promise<void>) {
    this.#start = start
    this.#onLeave = onLeave
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Adds an item; `bytes` is its estimated size. Without effect after the end. */
  push(item: T, bytes: number): void {
    if (this.#ended) return
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader({ value: item, done: false })
      return
    }
    this.#bytes += bytes
    this.#items.push(item)
  }

  /** Whether {@link MAX_QUEUED_BYTES} are queued. */
  full(): boolean {
    return this.#bytes >= MAX_QUEUED_BYTES
  }

  /** A promise while {@link ROOM} or more items wait for the reader, or {@link full}. */
  room(): Promise<void> | undefined {
    if (this.#ended || (this.#items.length - this.#head < ROOM && !this.full())) return undefined
    if (this.#writer === undefined) {
      let resolve = (): void => {}
      const promise = new Promise<void>((done) => (resolve = done))
      this.#writer = { promise, resolve }
    }
    return this.#writer.promise
  }

  /** Ends the iteration, after everything queued; with `error` it then throws that, untouched. */
  end(error?: { thrown: unknown }): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#freeWriter()
    for (const reader of this.#readers.splice(0)) reader(this.#last())
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const start = this.#start
    this.#start = undefined
    start?.()
    if (this.#head < this.#items.length) return Promise.resolve({ value: this.#take(), done: false })
    if (this.#ended) return this.#last()
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#start = undefined
    this.#items = []
    this.#head = 0
    this.#error = undefined
    if (!this.#ended) {
      this.end()
      await this.#onLeave()
    }
    return { value: undefined, done: true }
  }

  #take(): T {
    const item = this.#items[this.#head]!
    // Sizes are estimates: each item leaves with its share of what is queued.
    this.#bytes -= this.#bytes / (this.#items.length - this.#head)
    this.#items[this.#head++] = undefined as T
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
      this.#freeWriter()
    } else if (this.#head >= ROOM) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
      if (this.#items.length < ROOM) this.#freeWriter()
    }
    return item
  }

  #last(): Promise<IteratorResult<T, undefined>> {
    const error = this.#error
    this.#error = undefined
    // oxlint-disable-next-line prefer-promise-reject-errors -- what the user threw is passed on untouched, whatever it is
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error.thrown)
  }

  #freeWriter(): void {
    this.#writer?.resolve()
    this.#writer = undefined
  }
}
