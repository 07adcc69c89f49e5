/**
 * A map for states that follow one another: a copy shares the bulk and repeats only what was set since the bulk was
 * made, so that to set costs about the same in a map of ten and of ten thousand. The first deletion copies the bulk.
 * Order as in `Map`. Values are never `undefined`.
 */
export class LayeredMap<V> implements ReadonlyMap<string, V> {
  #base: ReadonlyMap<string, V>
  #top: Map<string, V>
  /** The bulk as a map of this one's own; then there is nothing above it. */
  #own: Map<string, V> | undefined
  size: number

  private constructor(base: ReadonlyMap<string, V>, top: Map<string, V>, size: number) {
    this.#base = base
    this.#top = top
    this.size = size
  }

  /** A copy of `map` that may be written to. `map` must not change from now on. */
  static over<V>(map: ReadonlyMap<string, V>): LayeredMap<V> {
    if (!(map instanceof LayeredMap)) return new LayeredMap(map, new Map(), map.size)
    // `instanceof` forgets the type of the values.
    const known = map as LayeredMap<V>
    const copy = new LayeredMap(known.#base, new Map(known.#top), known.size)
    // At this bound copying the changes and copying the bulk now and then cost about the same.
    if (known.#top.size > 32 + known.#base.size / 64) copy.#flatten()
    return copy
  }

  #flatten(): Map<string, V> {
    if (this.#own === undefined) {
      this.#base = this.#own = new Map(this)
      this.#top = new Map()
    }
    return this.#own
  }

  get(key: string): V | undefined {
    return this.#top.get(key) ?? this.#base.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: V): void {
    if (!this.has(key)) this.size++
    ;(this.#own ?? this.#top).set(key, value)
  }

  delete(key: string): void {
    if (this.#flatten().delete(key)) this.size--
  }

  *entries(): Generator<[string, V], undefined> {
    // As they are now: a deletion under way puts others in their place.
    const [base, top] = [this.#base, this.#top]
    for (const [key, value] of base) yield [key, top.get(key) ?? value]
    for (const entry of top) if (!base.has(entry[0])) yield entry
  }

  *keys(): Generator<string, undefined> {
    for (const [key] of this.entries()) yield key
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): Generator<[string, V], undefined> {
    return this.entries()
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }
}
