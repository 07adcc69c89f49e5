import type { ListChange, Values } from '../events/event.ts'
import { originOf, resolveId } from './entries.ts'
import { spaceKey, writableSpace, type MutableSpace } from './spaces.ts'
import type { Entry, Space } from './state.ts'
import { writable, type Work } from './work.ts'

/** `values` sets state and order, and commits what its step made; it replaces nothing that is still open. */
export function applyValues(work: Work, event: Values): undefined {
  const { ns } = originOf(event)
  const before = work.state.spaces.get(spaceKey(ns))
  const space = writableSpace(work, ns)
  space.values = changedValues(space.values, event)
  if (event.lists !== undefined || event.full) {
    space.lists = changedLists(work, before, event)
    commitLists(work, space, before, event.lists ?? {})
  }
  commitTouched(work, space)
  if (Object.keys(space.lists).length > 0) setAside(work, space, event.step)
}

function changedValues(values: Space['values'], { set, unset, full }: Values): Space['values'] {
  const next = full ? { ...set } : set ? { ...values, ...set } : values
  if (unset === undefined || unset.length === 0) return next
  const gone = new Set(unset)
  return Object.fromEntries(Object.entries(next).filter(([key]) => !gone.has(key)))
}

function changedLists(work: Work, before: Space | undefined, { lists = {}, full }: Values): Space['lists'] {
  const next: [string, readonly string[]][] = full
    ? []
    : Object.entries(before?.lists ?? {}).filter(([key]) => !Object.hasOwn(lists, key))
  for (const [key, change] of Object.entries(lists)) {
    const known = before?.lists[key] ?? []
    next.push([key, 'ids' in change ? replaced(work, known, change.ids) : appended(work, known, change.append)])
  }
  return Object.fromEntries(next)
}

/** The new order; the old array when it says the same, so that readers see no change. */
function replaced(work: Work, known: readonly string[], ids: readonly string[]): readonly string[] {
  const next = ids.map((id) => resolveId(work.state, id))
  return next.length === known.length && next.every((id, i) => id === known[i]) ? known : next
}

function appended(work: Work, known: readonly string[], ids: readonly string[]): readonly string[] {
  const resolved = ids.map((id) => resolveId(work.state, id))
  return known.length === 0 ? resolved : [...known, ...resolved.filter((id) => !known.includes(id))]
}

/** Marks what the lists name now, and frees what they no longer name: absence never removes, so that goes to `pending`. */
function commitLists(
  work: Work,
  space: MutableSpace,
  before: Space | undefined,
  changes: Readonly<Record<string, ListChange>>,
): void {
  const appendsOnly = Object.values(changes).every((change) => 'append' in change) && Object.keys(changes).length > 0
  const named = appendsOnly
    ? Object.values(changes).flatMap((change) => ('append' in change ? change.append : change.ids))
    : Object.values(space.lists).flat()
  const listed = new Set(named.map((id) => resolveId(work.state, id)))
  for (const id of listed) markListed(work, space, id)
  if (space.pending.some((id) => listed.has(id))) space.pending = space.pending.filter((id) => !listed.has(id))
  if (appendsOnly || before === undefined) return
  const dropped = Object.values(before.lists)
    .flat()
    .filter((id) => !listed.has(id))
  if (dropped.length === 0) return
  for (const id of dropped) markUnlisted(work, id)
  const gone = new Set(dropped)
  space.touched = space.touched.filter((id) => !gone.has(id))
  space.pending = [...space.pending, ...dropped.filter((id) => !space.pending.includes(id))]
}

function markListed(work: Work, space: Space, id: string): void {
  const open = work.state.live.get(id)
  if (open !== undefined) {
    if (!open.listed) writable(work, 'live').set(id, { ...open, listed: true })
    return
  }
  const entry = work.state.settled.get(id)
  if (entry === undefined || (entry.listed && entry.committed)) return
  const own = spaceKey(entry.origin.ns) === spaceKey(space.ns)
  writable(work, 'settled').set(id, own ? commit(entry) : { ...entry, listed: true, transient: false })
}

function markUnlisted(work: Work, id: string): void {
  const open = work.state.live.get(id)
  if (open?.listed) writable(work, 'live').set(id, { ...open, listed: false })
  const entry = work.state.settled.get(id)
  if (entry?.listed) writable(work, 'settled').set(id, { ...entry, listed: false })
}

function commit(entry: Entry): Entry {
  return { ...entry, listed: true, committed: true, transient: false, base: undefined }
}

/** A listed message that changed in this step is committed by it, unless it is still open. */
function commitTouched(work: Work, space: MutableSpace): void {
  if (space.touched.length === 0) return
  const open = space.touched.filter((id) => work.state.live.has(id))
  for (const id of space.touched) {
    const entry = work.state.settled.get(id)
    if (entry !== undefined && !entry.committed) writable(work, 'settled').set(id, commit(entry))
  }
  space.touched = open
}

/** What ended in this step or before and was not taken into a list is transient from now on. */
function setAside(work: Work, space: MutableSpace, step: number | undefined): void {
  if (step === undefined) return
  const aside = space.pending.filter((id) => {
    const entry = work.state.settled.get(id)
    return entry !== undefined && !entry.transient && entry.step !== undefined && entry.step <= step
  })
  if (aside.length === 0) return
  for (const id of aside) writable(work, 'settled').set(id, { ...work.state.settled.get(id)!, transient: true })
  // A new array: what is shown is remembered by the identity of `pending`.
  space.pending = [...space.pending]
}
