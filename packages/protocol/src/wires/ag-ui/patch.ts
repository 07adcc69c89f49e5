import { fieldsOf, isFields, textOf } from '../fields.ts'

/**
 * The value after JSON Patch operations (RFC 6902): `add`, `replace`, `remove`, `move`, `copy`; a `test` is taken for
 * true. The value itself stays as it is. An operation whose place is not there changes nothing.
 */
export function patched(value: unknown, operations: unknown): unknown {
  return fieldsOf(operations).reduce<unknown>((now, { op, path, from, value: given }) => {
    const source = pointer(from)
    const isMove = op === 'move'
    const next = isMove || op === 'copy' ? source.reduce(at, now) : given
    const left = isMove ? edited(now, source) : now
    if (op === 'remove') return edited(left, pointer(path))
    return next === undefined || (op !== 'add' && op !== 'replace' && op !== 'copy' && !isMove)
      ? left
      : edited(left, pointer(path), [next], op !== 'replace')
  }, value)
}

/** The keys of a JSON Pointer (RFC 6901). */
function pointer(path: unknown): string[] {
  const keys = (textOf(path) ?? '').split('/').slice(1)
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function at(value: unknown, key: string): unknown {
  return Object.hasOwn(Object(value) as object, key) ? (value as Record<string, unknown>)[key] : undefined
}

/** A copy of the value with another one at the path, or with none. Into a list it goes before the one that is there. */
function edited(
  value: unknown,
  [key, ...rest]: readonly string[],
  next: readonly unknown[] = [],
  isInsert = false,
): unknown {
  if (key === undefined) return next[0] ?? null
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    const index = key === '-' ? list.length : Number(key)
    if (!(index <= list.length - (isInsert && rest.length === 0 ? 0 : 1)) || !Number.isInteger(index) || index < 0)
      return value
    return rest.length > 0
      ? list.with(index, edited(list[index], rest, next, isInsert))
      : list.toSpliced(index, isInsert ? 0 : 1, ...next)
  }
  if (!isFields(value) || key === '__proto__') return value
  const { [key]: known, ...others } = value
  if (rest.length > 0) return { ...value, [key]: edited(known, rest, next, isInsert) }
  return next.length > 0 ? { ...value, [key]: next[0] } : others
}
