import { RivuletError } from '@rivulet/protocol/model'

/** Objects made by {@link own}: frozen all the way down, so they can be shared without a copy. */
const owned = new WeakSet<object>()
/** Those of them that hold, however deep, something that JSON has no form for. */
const unsaved = new WeakSet<object>()

const MAX_DEPTH = 1000

/**
 * A deeply frozen copy of plain data, which nobody outside can change any more. What was owned before comes back as it
 * is, so state that is passed on costs nothing. Class instances (a `Date`, a `Map`) are kept by reference and not
 * frozen: only plain objects and arrays are state that we can protect. Throws `UNSERIALIZABLE` on a cycle, and on more
 * than 1,000 levels.
 */
export function own<T>(value: T): T {
  return ownAt(value, 0)
}

function ownAt<T>(value: T, depth: number): T {
  if (typeof value !== 'object' || value === null || owned.has(value)) return value
  if (depth === MAX_DEPTH)
    throw new RivuletError('UNSERIALIZABLE', `a value holds itself, or more than ${MAX_DEPTH} levels`)
  if (Array.isArray(value)) {
    const list = value.map((item: unknown) => ownAt(item, depth + 1))
    return seal(list as T & object, list.every(isSavable))
  }
  if (!isPlain(value)) return value
  const copy: Record<string, unknown> = {}
  let savable = true
  for (const key of Object.keys(value)) {
    const inner = ownAt((value as Record<string, unknown>)[key], depth + 1)
    savable &&= isSavable(inner)
    define(copy, key, inner)
  }
  return seal(copy as T & object, savable)
}

/**
 * Freezes what a reducer returned, in place: the container is the reducer's own new one, and what it shares with
 * `previous` is owned already. Elements that stayed in their place are not looked at again.
 */
export function ownResult<T>(value: T, previous: unknown): T {
  if (typeof value !== 'object' || value === null || owned.has(value)) return value
  if (!Array.isArray(value) || !Array.isArray(previous)) return own(value)
  if (Object.isFrozen(value)) return own(value)
  const kept = !unsaved.has(previous)
  let savable = true
  for (let i = 0; i < value.length; i++) {
    if (value[i] !== previous[i]) value[i] = own(value[i])
    else if (kept) continue
    savable &&= isSavable(value[i])
  }
  return seal(value, savable)
}

/** Whether a checkpoint can keep what was owned (or a list of it): plain data whose numbers are finite. */
export function isSavable(value: unknown): boolean {
  switch (typeof value) {
    case 'object':
      if (value === null || owned.has(value)) return value === null || !unsaved.has(value)
      return (Array.isArray(value) || isPlain(value)) && Object.values(value).every(isSavable)
    case 'number':
      return Number.isFinite(value)
    default:
      return typeof value === 'string' || typeof value === 'boolean' || value === undefined
  }
}

function seal<T extends object>(value: T, savable: boolean): T {
  owned.add(value)
  if (!savable) unsaved.add(value)
  return Object.freeze(value)
}

/** Whether an object is one that was written as a literal, or read from JSON. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Sets an own property whatever its name: assigning to `__proto__` would change the prototype instead. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
