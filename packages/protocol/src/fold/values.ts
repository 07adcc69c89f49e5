import type { Values } from '../events/event.ts'
import { isWithin, parseSegment } from '../namespace.ts'
import { isFinal, originOf, resolveId, versionOf } from './entries.ts'
import { isOpen, moveBase } from './past.ts'
import { listOf, lookup, spaceKey, without, writableSpace, type MutableSpace } from './spaces.ts'
import type { Entry, Space, ThreadState } from './state.ts'
import { sameItems } from './remember.ts'
import { keep, withLast, writable, type Work } from './work.ts'

/** `values` sets state and order, and commits what its step made; it replaces nothing that is still open. */
export function applyValues(work: Work, event: Values): undefined {
  const { ns } = originOf(event)
  const space = writableSpace(work, ns)
  keep(work, event)
  space.values = changedValues(space.values, event)
  if (event.lists !== undefined || event.full) changeLists(work, space, event)
  commitTouched(work, space, event)
  if (space.showing !== undefined) space.showing = space.showing.filter((below) => isUnderWay(work.state, below))
  if (event.shared !== undefined) {
    space.shared = event.shared
    // What streams into these lists is on the page of the namespace above.
    const above = ns.length > 0 ? writableSpace(work, ns.slice(0, -1)) : undefined
    if (above) above.showing = withLast(work, above.showing ?? [], spaceKey(ns))
  }
  if (ns.length === 0) moveBase(work, event.step)
}

/** Whether the task that called this namespace has not ended yet. */
function isUnderWay({ tasks }: ThreadState, key: string): boolean {
  return isOpen(tasks.get(parseSegment(key.slice(key.lastIndexOf('|') + 1)).task))
}

/** What says the same stays the same object. */
function changedValues(known: Space['values'], { set, unset = [], full }: Values): Space['values'] {
  const next: Record<string, unknown> = { ...(full ? {} : known), ...set }
  for (const key of unset) delete next[key]
  const isSame = (key: string) => Object.hasOwn(known, key) && next[key] === known[key]
  const keys = Object.keys(next)
  for (const key of full ? keys : []) {
    if (Object.hasOwn(known, key) && JSON.stringify(next[key]) === JSON.stringify(known[key])) next[key] = known[key]
  }
  return keys.length === Object.keys(known).length && keys.every(isSame) ? known : next
}

function changeLists(work: Work, space: MutableSpace, { lists = {}, full }: Values): void {
  const before = space.lists
  const changes = Object.entries(lists)
  const isGrowth = !full && changes.every(([, change]) => 'append' in change)
  const was = isGrowth ? [] : idsIn(before)
  const more: string[] = []
  const next = changes.map(([key, change]) => {
    const known = listOf(before, key)
    if ('ids' in change) return [key, reordered(work, known, change.ids)] as const
    const added = newTo(work, space, known, change.append)
    for (const id of added) more.push(id)
    return [key, added.reduce((list, id) => withLast(work, list, id), known)] as const
  })
  space.lists = Object.fromEntries([...(full ? [] : Object.entries(before)), ...next])
  const now = isGrowth ? more : idsIn(space.lists)
  const gone = without(was, now)
  noteListed(work, space, without(now, was))
  // Absence never removes: what no list names any more is pending again.
  space.awaited = without(space.awaited, gone)
  space.pending = [...space.pending, ...gone.filter((id) => versionOf(work.state, id))]
}

function idsIn(lists: Space['lists']): readonly string[] {
  return [...new Set(Object.values(lists).flat())]
}

/** The new order; the old array when it says the same, so that readers see no change. */
function reordered(work: Work, known: readonly string[], ids: readonly string[]): readonly string[] {
  const next = [...new Set(ids.map((id) => resolveId(work.state, id)))]
  return sameItems(known, next)
}

/** What an append adds: by our ids, each once. What is pending is in no list, and need not be looked for in a long one. */
function newTo(work: Work, space: Space, known: readonly string[], append: readonly string[]): readonly string[] {
  const ids = [...new Set(append.map((id) => resolveId(work.state, id)))]
  const isPending = lookup(space.pending, ids.length)
  return ids.every(isPending) ? ids : ids.filter((id) => isPending(id) || !known.includes(id))
}

function noteListed(work: Work, space: MutableSpace, ids: readonly string[]): void {
  if (ids.length === 0) return
  const isHere = (id: string) => versionOf(work.state, id) !== undefined
  const changed = ids.filter((id) => isHere(id) && !isFinal(versionOf(work.state, id)!, space.ns))
  space.pending = without(space.pending, ids)
  space.aside = without(space.aside, ids)
  space.touched = [...space.touched, ...without(changed, space.touched)]
  space.awaited = [...space.awaited, ...ids.filter((id) => !isHere(id))]
}

/** Commits what its step made, unless it is open; what no list took leaves the page where there are lists. */
function commitTouched(work: Work, space: MutableSpace, event: Values): void {
  const { ns } = space
  const hasLists = Object.keys(space.lists).length > 0
  const isPending = lookup(space.pending, space.touched.length)
  const left = space.touched.filter((id) => {
    const entry = work.state.settled.get(id)
    if (entry === undefined || !isWithin(entry.origin.ns, ns)) return work.state.live.has(id)
    if (isFinal(entry, ns)) return false
    const reach = reachOf(work.state, event, entry, ns.length)
    if (reach === 'none') return true
    const held = [...entry.held.filter((place) => !isWithin(place.ns, ns)), { ns }]
    writable(work, 'settled').set(id, { ...entry, held })
    if (hasLists && reach === 'its own step' && isPending(id)) space.aside = withLast(work, space.aside, id)
    return false
  })
  if (left.length < space.touched.length) space.touched = left
}

/**
 * What a `values` means to an entry: it commits the step that made it, or it is of a later run, or none of both: the
 * `values` lags behind, or the task that made the entry waits for a person and may be withdrawn when it goes on.
 */
function reachOf(
  { tasks }: ThreadState,
  { run, step }: Values,
  { origin, step: ownStep }: Entry,
  depth: number,
): 'its own step' | 'a later run' | 'none' {
  // Seen from this namespace, what a subgraph made was made by the task that called it.
  const inside = origin.ns[depth]
  const task = tasks.get(inside === undefined ? (origin.task ?? '') : parseSegment(inside).task)
  // Of earlier runs only the tasks are known that this run goes on with.
  if (origin.run !== run && task === undefined) return 'a later run'
  if (isOpen(task)) return 'none'
  const madeIn = inside === undefined ? ownStep : task?.step
  if (madeIn === undefined || step === undefined) return 'a later run'
  return madeIn <= step ? 'its own step' : 'none'
}
