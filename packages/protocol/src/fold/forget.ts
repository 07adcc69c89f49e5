import { idsOf, spaceKey } from './spaces.ts'
import type { Space } from './state.ts'
import { dropWhere, writable, type Work } from './work.ts'

/** Drops messages, with the names that providers gave them. */
export function forget(work: Work, ids: ReadonlySet<string>): void {
  for (const id of ids) {
    if (work.state.live.has(id)) writable(work, 'live').delete(id)
    if (work.state.settled.has(id)) writable(work, 'settled').delete(id)
  }
  if (ids.size > 0) dropWhere(work, 'aliases', (id) => ids.has(id))
}

/** Drops namespaces, and the messages that no other namespace names. */
export function dropSpaces(work: Work, drop: (space: Space) => boolean): void {
  const dropped = [...work.state.spaces.values()].filter(drop)
  if (dropped.length === 0) return
  const spaces = writable(work, 'spaces')
  for (const { ns } of dropped) spaces.delete(spaceKey(ns))
  const named = new Set(dropped.flatMap((space) => [...idsOf(space), ...space.touched]))
  for (const space of spaces.values()) for (const id of idsOf(space)) named.delete(id)
  forget(work, named)
}
