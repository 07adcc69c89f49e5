import { RivuletError, messageOfThrown } from './errors.ts'

/** Nesting below which a cycle is simply walked: tracking ancestors would cost more than those few rounds. */
const UNTRACKED_DEPTH = 32
const MAX_DEPTH = 1000

/**
 * A fresh copy of `value` as JSON would carry it: `undefined` becomes `null` at the top and in arrays and is left out
 * of objects, `toJSON` is honoured (a `Date` becomes its ISO text), a number that is not finite becomes `null`. The
 * copy shares nothing with `value`, so changing `value` later changes nothing here. Keys named `__proto__` are left
 * out: whoever copies the result key by key must not be able to change a prototype.
 *
 * Throws `UNSERIALIZABLE`, naming the path, on what JSON has no form for: bigint, function, symbol, a cycle, more than
 * 1,000 levels, and containers that JSON would silently empty (`Map`, `Set`, `Promise`, binary data).
 */
export function toJson(value: unknown): unknown {
  try {
    return copy(value, 0, undefined)
  } catch (error) {
    throw unserializable(value, error)
  }
}

function copy(value: unknown, depth: number, ancestors: Set<object> | undefined): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return copyNumber(value)
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : copyObject(value, depth, ancestors)
    default:
      throw new Refused(typeof value === 'bigint' ? 'a bigint' : `a ${typeof value}`)
  }
}

/** `-0` becomes `0`, as JSON writes it: in process and over the wire a reader sees the same. */
function copyNumber(value: number): number | null {
  if (value === 0) return 0
  return Number.isFinite(value) ? value : null
}

function copyObject(value: object, depth: number, ancestors: Set<object> | undefined): unknown {
  if (depth < UNTRACKED_DEPTH) return copyMembers(value, depth + 1, undefined)
  if (depth >= MAX_DEPTH) throw new Refused(`nested deeper than ${MAX_DEPTH} levels`)
  const above = ancestors ?? new Set()
  if (above.has(value)) throw new Refused('a cycle')
  above.add(value)
  const copied = copyMembers(value, depth + 1, above)
  above.delete(value)
  return copied
}

function copyMembers(value: object, depth: number, ancestors: Set<object> | undefined): unknown {
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return copy(withoutToJson((value as { toJSON(key: string): unknown }).toJSON('')), depth, ancestors)
  }
  if (Array.isArray(value)) {
    const list: unknown[] = []
    for (let i = 0; i < value.length; i++) list.push(copy(value[i], depth, ancestors))
    return list
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    if (isBoxed(value)) return copy(value.valueOf(), depth, ancestors)
    refuseContainer(value)
  }
  const record: Record<string, unknown> = {}
  // Own enumerable keys, as JSON takes them.
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key]
    if (member === undefined || key === '__proto__') continue
    record[key] = copy(member, depth, ancestors)
  }
  return record
}

/** JSON calls `toJSON` once: what it returned is taken as it is, also when it returned itself. */
function withoutToJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || typeof (value as { toJSON?: unknown }).toJSON !== 'function') {
    return value
  }
  return Array.isArray(value) ? Array.from(value as unknown[]) : { ...value, toJSON: undefined }
}

function isBoxed(value: object): boolean {
  return /^\[object (?:String|Number|Boolean)\]$/.test(Object.prototype.toString.call(value))
}

function refuseContainer(value: object): void {
  if (value instanceof Map) throw new Refused('a Map (convert it, e.g. with Object.fromEntries)')
  if (value instanceof Set) throw new Refused('a Set (convert it, e.g. with Array.from)')
  if (value instanceof Promise) throw new Refused('a Promise (await it first)')
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) throw new Refused('binary data (encode it as base64)')
}

/** What was met that JSON cannot carry; becomes the error's sentence once the path is known. */
class Refused extends Error {}

function unserializable(value: unknown, error: unknown): RivuletError {
  const what = error instanceof Refused ? error.message : `a value that throws when read: ${messageOfThrown(error)}`
  const where = findRefused(value, '', new Set())
  const place = where === undefined || where === '' ? 'the value itself' : where
  const cause = error instanceof Refused ? undefined : error
  return new RivuletError('UNSERIALIZABLE', `not JSON: ${place} is ${what}`, { cause })
}

/**
 * The path of the first member that {@link copy} refuses. Walked only after a failure, so that the usual case carries
 * no path along; a value that answers differently the second time gives `undefined`.
 */
function findRefused(value: unknown, path: string, ancestors: Set<object>): string | undefined {
  if (typeof value !== 'object' || value === null) return refuses(value) ? path : undefined
  if (ancestors.has(value) || ancestors.size >= MAX_DEPTH) return path
  ancestors.add(value)
  try {
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function' || refusesContainer(value)) {
      return refuses(value) ? path : undefined
    }
    for (const key of Object.keys(value)) {
      const inner = Array.isArray(value) ? `${path}[${key}]` : joinKey(path, key)
      const found = findInMember(value, key, inner, ancestors)
      if (found !== undefined) return found
    }
    return undefined
  } finally {
    ancestors.delete(value)
  }
}

function findInMember(owner: object, key: string, path: string, ancestors: Set<object>): string | undefined {
  let member: unknown
  try {
    member = (owner as Record<string, unknown>)[key]
  } catch {
    return path
  }
  return member === undefined ? undefined : findRefused(member, path, ancestors)
}

function joinKey(path: string, key: string): string {
  if (!/^[\w$]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

function refuses(value: unknown): boolean {
  try {
    copy(value, 0, undefined)
    return false
  } catch {
    return true
  }
}

function refusesContainer(value: object): boolean {
  try {
    refuseContainer(value)
    return false
  } catch {
    return true
  }
}
