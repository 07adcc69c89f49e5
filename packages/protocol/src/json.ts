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
    return copy(value, { depth: 0, above: undefined, path: undefined })
  } catch (error) {
    throw unserializable(value, error)
  }
}

/** Where a walk is. Objects above and the path cost more than the walk itself: they are kept where they are needed. */
interface Walk {
  depth: number
  above: Set<object> | undefined
  readonly path: string[] | undefined
}

function copy(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return copyNumber(value)
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : copyObject(value, walk)
    default:
      throw new Refused(typeof value === 'bigint' ? 'a bigint' : `a ${typeof value}`)
  }
}

/** `-0` becomes `0`, as JSON writes it: in process and over the wire a reader sees the same. */
function copyNumber(value: number): number | null {
  if (value === 0) return 0
  return Number.isFinite(value) ? value : null
}

function copyObject(value: object, walk: Walk): unknown {
  if (walk.depth >= MAX_DEPTH) throw new Refused(`nested deeper than ${MAX_DEPTH} levels`)
  if (walk.depth === UNTRACKED_DEPTH) walk.above ??= new Set()
  const { above } = walk
  if (above?.has(value)) throw new Refused('a cycle')
  above?.add(value)
  walk.depth++
  const copied = copyMembers(value, walk)
  walk.depth--
  above?.delete(value)
  return copied
}

function copyMembers(value: object, walk: Walk): unknown {
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return copy(withoutToJson((value as { toJSON(key: string): unknown }).toJSON('')), walk)
  }
  const { path } = walk
  if (Array.isArray(value)) {
    const list: unknown[] = []
    for (let i = 0; i < value.length; i++) {
      path?.push(`[${i}]`)
      list.push(copy(value[i], walk))
      path?.pop()
    }
    return list
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    if (isBoxed(value)) return copy(value.valueOf(), walk)
    refuseContainer(value)
  }
  const record: Record<string, unknown> = {}
  // Own enumerable keys, as JSON takes them.
  for (const key of Object.keys(value)) {
    path?.push(segment(key))
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined && key !== '__proto__') record[key] = copy(member, walk)
    path?.pop()
  }
  return record
}

function segment(key: string): string {
  return /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
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
  const cause = error instanceof Refused ? undefined : error
  return new RivuletError('UNSERIALIZABLE', `not JSON: ${placeOf(value)} is ${what}`, { cause })
}

/** The path of what is refused. Walked again, so that the usual case carries no path along. */
function placeOf(value: unknown): string {
  const path: string[] = []
  try {
    copy(value, { depth: 0, above: new Set(), path })
  } catch {
    // The path ends where the walk did; a value that answers differently the second time has none.
  }
  return path.join('').replace(/^\./, '') || 'the value itself'
}
