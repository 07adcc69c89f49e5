import { formatNamespace, type Namespace } from '../namespace.ts'
import type { Space } from './state.ts'
import { made, writable, type Work } from './work.ts'

/** A space this fold may write to. */
export type MutableSpace = { -readonly [K in keyof Space]: Space[K] }

/** The key of a namespace in `state.spaces`. */
export function spaceKey(ns: Namespace | undefined): string {
  return ns === undefined || ns.length === 0 ? '' : formatNamespace(ns)
}

/** The namespace's space, ready to be written to; made when it is new. */
export function writableSpace(work: Work, ns: Namespace): MutableSpace {
  const key = spaceKey(ns)
  const known = work.state.spaces.get(key)
  if (known !== undefined && work.fresh.has(known)) return known
  const space: MutableSpace =
    known === undefined ? { ns, values: {}, lists: {}, pending: [], touched: [], awaited: [] } : { ...known }
  writable(work, 'spaces').set(key, made(work, space))
  return space
}

/** The ids of one list; none when there is no such list, whatever its name. */
export function listOf(lists: Space['lists'], key: string): readonly string[] {
  return Object.hasOwn(lists, key) ? lists[key]! : NO_IDS
}

const NO_IDS: readonly string[] = Object.freeze([])

/** Answers whether ids are among these; a set is made only where it pays. */
export function lookup(ids: readonly string[], times: number): (id: string) => boolean {
  if (times <= 8) return (id) => ids.includes(id)
  const known = new Set(ids)
  return (id) => known.has(id)
}

/** Those of `ids` that are not among `others`. */
export function without(ids: readonly string[], others: readonly string[]): string[] {
  const isOther = lookup(others, ids.length)
  return ids.filter((id) => !isOther(id))
}

/** Whether some list of the namespace holds the id. */
export function isListed(space: Space, id: string): boolean {
  return Object.values(space.lists).some((ids) => ids.includes(id))
}

/** Every id a space names, listed or not. */
export function idsOf(space: Space): string[] {
  return [...Object.values(space.lists).flat(), ...space.pending]
}
