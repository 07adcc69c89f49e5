import { fieldsOf, isFields, textOf } from '../fields.ts'

/**
 * The value after JSON Patch operations (RFC 6902): `add`, `replace`, `remove`, `move`, `copy`; a `test` is taken for
 * true. The value itself stays as it is. An operation whose place is not there changes nothing.
 */
export function patched(value: unknown, operations: unknown): unknown {
  return fieldsOf(operations).reduce<unknown>((now, { op, path, from, value: next }) => {
    const to = pointer(path)
    const source = pointer(from)
    switch (op) {
      case 'add':
      case 'replace':
        return put(now, to, { next, isInsert: op === 'add' })
      case 'remove':
        return put(now, to, undefined)
      case 'move':
        return put(put(now, source, undefined), to, { next: at(now, source), isInsert: true })
      case 'copy':
        return put(now, to, { next: at(now, source), isInsert: true })
      default:
        return now
    }
  }, value)
}

/** The keys of a JSON Pointer (RFC 6901). */
function pointer(path: unknown): string[] {
  const text = textOf(path) ?? ''
  return text
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)] as unknown
    return isFields(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined
  }, value)
}

type Change = { next: unknown; isInsert: boolean } | undefined

/** A copy of the value with another at `path`; without a change, with none there. */
function put(value: unknown, [key, ...rest]: readonly string[], change: Change): unknown {
  if (key === undefined) return change === undefined ? null : change.next
  if (Array.isArray(value)) return putInList(value, key, rest, change)
  if (!isFields(value) || key === '__proto__') return value
  const known = Object.hasOwn(value, key) ? value[key] : undefined
  const entries = Object.entries(value).filter(([name]) => name !== key)
  if (rest.length === 0 && change === undefined) return Object.fromEntries(entries)
  return { ...value, [key]: put(known, rest, change) }
}

function putInList(list: readonly unknown[], key: string, rest: readonly string[], change: Change): unknown {
  const index = key === '-' ? list.length : Number(key)
  if (!Number.isInteger(index) || index < 0 || index > list.length) return list
  if (rest.length > 0) return index < list.length ? list.with(index, put(list[index], rest, change)) : list
  if (change === undefined) return list.toSpliced(index, 1)
  return list.toSpliced(index, change.isInsert ? 0 : 1, change.next)
}
