/**
 * The function, which makes the same thing only once while what it is asked with is the same: the last answer for each
 * first argument is kept as long as that lives.
 */
export function memo<K extends object, A extends readonly unknown[], R>(
  make: (key: K, ...more: A) => R,
): (key: K, ...more: A) => R {
  const known = new WeakMap<K, { more: A; made: R }>()
  return (key, ...more) => {
    let last = known.get(key)
    if (last === undefined || more.some((one, i) => one !== last?.more[i])) {
      known.set(key, (last = { more, made: make(key, ...more) }))
    }
    return last.made
  }
}
