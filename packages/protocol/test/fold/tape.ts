/** Choices read from numbers. An empty tape always makes the first choice, so a shorter tape tells a simpler story. */
export class Tape {
  readonly #numbers: readonly number[]
  #at = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  get isOver(): boolean {
    return this.#at >= this.#numbers.length
  }

  /** A whole number from 0 to `options - 1`. */
  pick(options: number): number {
    return (this.#numbers[this.#at++] ?? 0) % options
  }

  /** True in about `percent` of 100 cases; false at the end of the tape. */
  chance(percent: number): boolean {
    return this.pick(100) >= 100 - percent
  }

  /** One of them. */
  of<T>(items: readonly T[]): T {
    const item = items[this.pick(items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }

  /** Those that luck keeps, in their order. */
  some<T>(items: readonly T[], percent: number): T[] {
    return items.filter(() => this.chance(percent))
  }
}
