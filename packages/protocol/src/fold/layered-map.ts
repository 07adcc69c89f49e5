/**
 * A map for states that follow one another: a copy shares the bulk and repeats only what changed since the bulk was
 * made, so one change costs about the same in a map of ten and of ten thousand. Order as in `Map`. Values are never
 * `undefined`.
 */
export class LayeredMap<V> implements ReadonlyMap<string, V> {
  readonly #base: ReadonlyMap<string, V>
  readonly #top: Map<string, V>
  /** Keys of the base that were deleted since; one that was set again after that stands at the end of `#top`. */
  #gone: Set<string>
  #size: number

  private constructor(base: ReadonlyMap<string, V>, top: Map<string, V>, gone: Set<string>, size: number) {
    this.#base = base
    this.#top = top
    this.#gone = gone
    this.#size = size
  }

  /** A copy of `map` that may be written to. `map` must not change from now on. */
  static over<V>(map: ReadonlyMap<string, V>): LayeredMap<V> {
    if (!(map instanceof LayeredMap)) return new LayeredMap(map, new Map(), NONE, map.size)
    // `instanceof` forgets the type of the values.
    const known = map as LayeredMap<V>
    const { size } = known.#gone
    // At this bound copying the changes and copying the bulk now and then cost about the same.
    if (known.#top.size + size > 32 + known.#base.size / 64) return LayeredMap.over(new Map(known))
    return new LayeredMap(known.#base, new Map(known.#top), size === 0 ? NONE : new Set(known.#gone), known.#size)
  }

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    const value = this.#top.get(key)
    if (value !== undefined || (this.#gone !== NONE && this.#gone.has(key))) return value
    return this.#base.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: V): void {
    if (!this.has(key)) this.#size++
    this.#top.set(key, value)
  }

  delete(key: string): void {
    if (!this.has(key)) return
    this.#size--
    this.#top.delete(key)
    if (!this.#base.has(key)) return
    if (this.#gone === NONE) this.#gone = new Set()
    this.#gone.add(key)
  }

  *entries(): Generator<[string, V], undefined> {
    for (const [key, value] of this.#base) if (!this.#gone.has(key)) yield [key, this.#top.get(key) ?? value]
    for (const entry of this.#top) if (this.#gone.has(entry[0]) || !this.#base.has(entry[0])) yield entry
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

/** Shared by all maps of which nothing was deleted; never written to. */
const NONE: Set<string> = new Set()
