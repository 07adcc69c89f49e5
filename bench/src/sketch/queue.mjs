/**
 * An unbounded queue with one reader: the least that lets an engine hand over its events.
 *
 * @template T
 * @implements {AsyncIterableIterator<T, undefined>}
 */
export class Queue {
  /** @type {T[]} */
  #items = []
  #head = 0
  #ended = false
  /** @type {Error | undefined} */
  #error
  /** @type {((next: Promise<IteratorResult<T, undefined>>) => void) | undefined} */
  #reader

  /** @param {T} item */
  push(item) {
    this.#items.push(item)
    this.#tell()
  }

  /** @param {Error} [error] what the reader gets behind the last item */
  end(error) {
    this.#ended = true
    this.#error = error
    this.#tell()
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @returns {Promise<IteratorResult<T, undefined>>} */
  next() {
    if (this.#head < this.#items.length) return Promise.resolve({ value: this.#take(), done: false })
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => (this.#reader = resolve))
  }

  /** @returns {T} */
  #take() {
    const item = this.#items[this.#head++]
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    }
    // Called only while there is one.
    return /** @type {T} */ (item)
  }

  #tell() {
    const reader = this.#reader
    this.#reader = undefined
    if (reader !== undefined) reader(this.next())
  }
}
