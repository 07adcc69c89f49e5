import type { Values } from '../state/schema.ts'
import { appendedTo } from '../state/message-list.ts'
import type { StateChange } from './checkpointer.ts'

/**
 * What changed from one state to the next. State is immutable, so a key is unchanged when its value is the same one. An
 * array that begins with all of its old elements counts as appended to.
 */
export function diffOf(before: Values, after: Values): StateChange {
  const set: Record<string, unknown> = {}
  const append: Record<string, readonly unknown[]> = {}
  for (const key of Object.keys(after)) {
    const old = before[key]
    const now = after[key]
    if (old === now && Object.hasOwn(before, key)) continue
    const tail = Array.isArray(old) && Array.isArray(now) ? tailBeyond(old, now) : undefined
    if (tail !== undefined) append[key] = tail
    else set[key] = now
  }
  const unset = Object.keys(before).filter((key) => !Object.hasOwn(after, key))
  return { set, append, unset }
}

function tailBeyond(old: readonly unknown[], now: readonly unknown[]): readonly unknown[] | undefined {
  if (now.length < old.length || old.length === 0) return undefined
  // Lists of messages know what they grew from; other arrays have to be looked at.
  const tail = appendedTo(old, now)
  if (tail !== undefined) return tail
  // From the end: what was edited or removed shows there first.
  for (let i = old.length - 1; i >= 0; i--) if (old[i] !== now[i]) return undefined
  return now.slice(old.length)
}

/** The state after a change. */
export function patched(values: Values, { set, append, unset }: StateChange): Values {
  const next: Record<string, unknown> = { ...values, ...set }
  for (const [key, tail] of Object.entries(append)) next[key] = [...((next[key] ?? []) as readonly unknown[]), ...tail]
  for (const key of unset) delete next[key]
  return next
}
