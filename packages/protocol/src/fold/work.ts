import { LayeredMap } from './layered-map.ts'
import { alsoTold } from './since.ts'
import type { ThreadState, Told } from './state.ts'

/** A state that may be written to. */
export type MutableState = { -readonly [K in keyof ThreadState]: ThreadState[K] }

type MapKey = {
  [K in keyof ThreadState]: ThreadState[K] extends ReadonlyMap<string, unknown> ? K : never
}[keyof ThreadState]
type ValueIn<K extends MapKey> = ThreadState[K] extends ReadonlyMap<string, infer V> ? V : never

/**
 * One fold under way: the next state, and which of its parts are already copies of its own. What the old state holds is
 * never written to; what this fold made may be written to until it ends, so that a batch copies each thing once.
 */
export interface Work {
  readonly state: MutableState
  /** What this fold made: maps, lists, entries. */
  readonly fresh: Set<object>
}

/** Starts a fold from `state`, which stays as it is. */
export function beginWork(state: ThreadState): Work {
  const { log, cursor, gap, runs, current, spaces, settled, live, aliases, tools } = state
  const { tasks, custom, recent, interrupts, errors, ignored, lineage = {}, base, since } = state
  // This runs for every token, and naming the fields is several times faster than spreading them.
  return {
    state: {
      log,
      cursor,
      gap,
      runs,
      current,
      spaces,
      settled,
      live,
      aliases,
      tools,
      tasks,
      custom,
      recent,
      interrupts,
      errors,
      ignored,
      lineage,
      base,
      since,
    },
    fresh: new Set(),
  }
}

/** A map of the state that may be written to: a copy on first use. */
export function writable<K extends MapKey>(work: Work, key: K): LayeredMap<ValueIn<K>> {
  if (!work.fresh.has(work.state[key])) replaceMap(work, key, work.state[key] as ReadonlyMap<string, ValueIn<K>>)
  // Only `replaceMap` makes a map of this fold, and it puts a LayeredMap of this type there.
  return work.state[key] as unknown as LayeredMap<ValueIn<K>>
}

/** Replaces a map of the state by a copy of `map` that this fold may write to. */
export function replaceMap<K extends MapKey>(work: Work, key: K, map: ReadonlyMap<string, ValueIn<K>>): void {
  // The map has the type of what it replaces; TypeScript cannot see that through the indexed access.
  ;(work.state as Record<K, unknown>)[key] = made(work, LayeredMap.over(map))
}

/** Deletes from a map of the state what `drop` takes; no copy is made when that is nothing. */
export function dropWhere<K extends MapKey>(
  work: Work,
  key: K,
  drop: (value: ValueIn<K>, id: string) => boolean,
): void {
  for (const [id, value] of work.state[key] as ReadonlyMap<string, ValueIn<K>>) {
    if (drop(value, id)) writable(work, key).delete(id)
  }
}

/** Notes that this fold made `value`, so it may write to it until the fold ends. */
export function made<T extends object>(work: Work, value: T): T {
  work.fresh.add(value)
  return value
}

/** The list with one more at its end; within one fold the same array grows. */
export function withLast<T>(work: Work, list: readonly T[], item: T): T[] {
  // Only arrays that this fold made are in `fresh`, so nobody else holds it yet.
  const next = work.fresh.has(list) ? (list as T[]) : made(work, list.slice())
  next.push(item)
  return next
}

/** Deletes the oldest entries beyond `kept`, in bulk when they are as many again: so that the cost stays linear. */
export function capOldest(map: LayeredMap<unknown>, kept: number): void {
  if (map.size < kept * 2) return
  let excess = map.size - kept
  for (const key of map.keys()) {
    if (excess-- <= 0) return
    map.delete(key)
  }
}

/** Its place, and what messages and lists do not depend on. */
const LEFT_OUT: readonly string[] = ['seq', 'prev', 'set', 'unset', 'input', 'triggers', 'result', 'interrupts']

/** Notes what a `rewind` may have to tell again. */
export function keep(work: Work, event: Told): void {
  // In one order, whoever delivered it; what is left out is optional in every type of event.
  const more = Object.entries(event).filter(([field]) => !LEFT_OUT.includes(field))
  const told = { type: event.type, ...('run' in event && { run: event.run }), ...Object.fromEntries(more) } as Told
  work.state.since = alsoTold(work.state.since, told)
}
