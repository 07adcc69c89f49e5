import { formatNamespace, type Namespace } from '../namespace.ts'
import type { Space } from './state.ts'
import { dropWhere, made, writable, type Work } from './work.ts'

/** A space this fold may write to. */
export type MutableSpace = { -readonly [K in keyof Space]: Space[K] }

/** The key of a namespace in `state.spaces`. */
export function spaceKey(ns: Namespace = []): string {
  return formatNamespace(ns)
}

/** The namespace's space, ready to be written to; made when it is new. */
export function writableSpace(work: Work, ns: Namespace): MutableSpace {
  const key = spaceKey(ns)
  const known = work.state.spaces.get(key)
  if (known !== undefined && work.fresh.has(known)) return known
  const space: MutableSpace = known
    ? { ...known }
    : { ns, values: {}, lists: {}, pending: [], aside: [], touched: [], awaited: [] }
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

/** Those of `ids` that are not among `others`; the same array when that is all. */
export function without(ids: readonly string[], others: readonly string[]): readonly string[] {
  const isOther = lookup(others, ids.length)
  return ids.some(isOther) ? ids.filter((id) => !isOther(id)) : ids
}

/** Every id a space names, listed or not. */
export function idsOf(space: Space): string[] {
  return [...Object.values(space.lists).flat(), ...space.pending]
}

/** Whether nothing is in a namespace. */
export function isBlank(space: Space): boolean {
  return [space.values, space.lists, space.pending].every((one) => Object.keys(one).length === 0)
}

/** Takes ids out of what a namespace names beside its lists. */
export function unname(work: Work, space: Space, ids: readonly string[]): void {
  for (const key of ['pending', 'aside', 'touched', 'awaited'] as const) {
    const left = without(space[key], ids)
    if (left !== space[key]) writableSpace(work, space.ns)[key] = left
  }
}

/** Drops those of these messages that no namespace names any more, with the names that providers gave them. */
export function dropUnnamed(work: Work, ids: Iterable<string>): void {
  const gone = new Set(ids)
  for (const space of work.state.spaces.values()) for (const id of idsOf(space)) gone.delete(id)
  if (gone.size === 0) return
  for (const key of ['live', 'settled'] as const) dropWhere(work, key, (_, id) => gone.has(id))
  dropWhere(work, 'aliases', (id) => gone.has(id))
}

/** Drops namespaces, and the messages that no other one names. */
export function dropSpaces(work: Work, drop: (space: Space) => boolean): void {
  const ids = [...work.state.spaces.values()].filter(drop).flatMap(idsOf)
  dropWhere(work, 'spaces', drop)
  dropUnnamed(work, ids)
}
