/** Work of one name is done in turn: each begins when the one before it has ended, however it ended. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does the work when it is its turn, and answers as it does. */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const turn = before === undefined ? work() : before.then(work, work)
    this.#last.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
  }
}
