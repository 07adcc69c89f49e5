import type { ThreadState } from './state.ts'

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
  readonly owned: Set<keyof ThreadState>
  readonly fresh: Set<object>
}

/** Starts a fold from `state`, which stays as it is. */
export function beginWork(state: ThreadState): Work {
  return { state: { ...state }, owned: new Set(), fresh: new Set() }
}

/** A map of the state that may be written to: a copy on first use. */
export function writable<K extends MapKey>(work: Work, key: K): Map<string, ValueIn<K>> {
  if (!work.owned.has(key)) {
    // The copy has the type of what it copies; TypeScript cannot see that through the indexed access.
    ;(work.state as Record<K, unknown>)[key] = new Map(work.state[key] as ReadonlyMap<string, ValueIn<K>>)
    work.owned.add(key)
  }
  return work.state[key] as unknown as Map<string, ValueIn<K>>
}

/** Replaces a map of the state by one this fold may write to. */
export function replaceMap<K extends MapKey>(work: Work, key: K, map: Map<string, ValueIn<K>>): void {
  ;(work.state as Record<K, unknown>)[key] = map
  work.owned.add(key)
}

/** Notes that this fold made `value`, so it may write to it until the fold ends. */
export function made<T extends object>(work: Work, value: T): T {
  work.fresh.add(value)
  return value
}

/** Deletes the oldest entries of a map in insertion order until `kept` are left. */
export function capOldest(map: Map<string, unknown>, kept: number): void {
  for (const key of map.keys()) {
    if (map.size <= kept) return
    map.delete(key)
  }
}
