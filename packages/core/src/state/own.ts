/** Containers made by {@link own}: deeply frozen, so they can be shared without a copy. */
const owned = new WeakSet<object>()

/**
 * A deeply frozen copy of plain data, which nobody outside can change any more. What was owned before comes back as it
 * is, so state that is passed on costs nothing. Class instances (a `Date`, a `Map`) are kept by reference and not
 * frozen: only plain objects and arrays are state that we can protect.
 */
export function own<T>(value: T): T {
  if (typeof value !== 'object' || value === null || owned.has(value)) return value
  if (Array.isArray(value)) return seal(value.map(own) as T & object)
  if (!isPlain(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) define(copy, key, own((value as Record<string, unknown>)[key]))
  return seal(copy as T & object)
}

/**
 * Freezes what a reducer returned, in place: the container is the reducer's own new one, and what it shares with
 * `previous` is owned already. Elements that stayed in their place are not looked at again.
 */
export function ownResult<T>(value: T, previous: unknown): T {
  if (typeof value !== 'object' || value === null || owned.has(value)) return value
  if (!Array.isArray(value) || !Array.isArray(previous)) return own(value)
  if (Object.isFrozen(value)) return own(value)
  for (let i = 0; i < value.length; i++) if (value[i] !== previous[i]) value[i] = own(value[i])
  return seal(value)
}

function seal<T extends object>(value: T): T {
  owned.add(value)
  return Object.freeze(value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Sets an own property whatever its name: assigning to `__proto__` would change the prototype instead. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
