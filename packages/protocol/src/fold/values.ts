import type { Values } from '../events/event.ts'
import { isWithin, parseSegment, type Namespace } from '../namespace.ts'
import { isFinal, isUncommitted, originOf, putVersion, resolveId, versionOf } from './entries.ts'
import { listOf, lookup, spaceKey, without, writableSpace, type MutableSpace } from './spaces.ts'
import type { Entry, Space, TaskRun, ThreadState, Version } from './state.ts'
import { withLast, type Work } from './work.ts'

/** `values` sets state and order, and commits what its step made; it replaces nothing that is still open. */
export function applyValues(work: Work, event: Values): undefined {
  const space = writableSpace(work, originOf(event).ns)
  space.values = changedValues(space.values, event)
  if (event.lists !== undefined || event.full) changeLists(work, space, event)
  commitTouched(work, space, event)
  if (space.showing !== undefined) space.showing = space.showing.filter((below) => isUnderWay(work.state, below))
  if (event.shared !== undefined) shareWithAbove(work, space, event.shared)
}

/** What streams into these lists is on the page of the namespace above. */
function shareWithAbove(work: Work, space: MutableSpace, keys: readonly string[]): void {
  space.shared = keys
  if (space.ns.length === 0) return
  const above = writableSpace(work, space.ns.slice(0, -1))
  above.showing = withLast(work, above.showing ?? [], spaceKey(space.ns))
}

/** Whether the task that called this namespace has not ended yet. */
function isUnderWay({ tasks }: ThreadState, key: string): boolean {
  return isOpen(tasks.get(parseSegment(key.slice(key.lastIndexOf('|') + 1)).task))
}

function isOpen(task: TaskRun | undefined): boolean {
  return task?.status === 'running' || task?.status === 'interrupted'
}

function changedValues(values: Space['values'], { set, unset = [], full }: Values): Space['values'] {
  if (full) return sameValues(values, { ...set })
  const next = set ? { ...values, ...set } : values
  if (!unset.some((key) => Object.hasOwn(next, key))) return next
  return Object.fromEntries(Object.entries(next).filter(([key]) => !unset.includes(key)))
}

/** The whole state told again: what says the same stays the same object. */
function sameValues(known: Space['values'], next: Space['values']): Space['values'] {
  const isSame = (key: string) => Object.hasOwn(known, key) && JSON.stringify(known[key]) === JSON.stringify(next[key])
  const keys = Object.keys(next)
  const same = new Set(keys.filter(isSame))
  if (same.size === keys.length && keys.length === Object.keys(known).length) return known
  return Object.fromEntries(keys.map((key) => [key, same.has(key) ? known[key] : next[key]]))
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
  if (isGrowth) return noteListed(work, space, more)
  const now = idsIn(space.lists)
  noteListed(work, space, without(now, was))
  noteUnlisted(work, space, without(was, now))
}

function idsIn(lists: Space['lists']): string[] {
  return [...new Set(Object.values(lists).flat())]
}

/** The new order; the old array when it says the same, so that readers see no change. */
function reordered(work: Work, known: readonly string[], ids: readonly string[]): readonly string[] {
  const next = [...new Set(ids.map((id) => resolveId(work.state, id)))]
  return next.length === known.length && next.every((id, i) => id === known[i]) ? known : next
}

/** What an append adds: by our ids, each once. What is pending is in no list, and need not be looked for in a long one. */
function newTo(work: Work, space: Space, known: readonly string[], append: readonly string[]): readonly string[] {
  const ids = [...new Set(append.map((id) => resolveId(work.state, id)))]
  const isPending = lookup(space.pending, ids.length)
  const waiting = ids.filter(isPending)
  return waiting.length === ids.length ? ids : ids.filter((id) => isPending(id) || !known.includes(id))
}

function noteListed(work: Work, space: MutableSpace, ids: readonly string[]): void {
  if (ids.length === 0) return
  const page = spaceKey(space.ns)
  const here = ids.filter((id) => versionOf(work.state, id) !== undefined)
  space.pending = without(space.pending, ids)
  const changed = here.filter((id) => isUncommitted(versionOf(work.state, id), space.ns))
  space.touched = [...space.touched, ...without(changed, space.touched)]
  if (here.length < ids.length) space.awaited = [...space.awaited, ...without(ids, here)]
  for (const id of here) {
    replaceVersions(work, id, (version) =>
      version.aside.includes(page) ? { ...version, aside: without(version.aside, [page]) } : version,
    )
  }
}

/** Absence never removes: what no list names any more is pending again. */
function noteUnlisted(work: Work, space: MutableSpace, ids: readonly string[]): void {
  space.awaited = without(space.awaited, ids)
  space.pending = [...space.pending, ...ids.filter((id) => versionOf(work.state, id) !== undefined)]
}

/** Commits what its step made, unless it is open; what no list took leaves the page where there are lists. */
function commitTouched(work: Work, space: MutableSpace, event: Values): void {
  const hasLists = Object.keys(space.lists).length > 0
  const isUnlisted = hasLists ? lookup(space.pending, space.touched.length) : () => false
  for (const id of space.touched) {
    replaceVersions(work, id, (version) => {
      const reach = 'message' in version ? reachOf(work.state, event, version, space.ns) : 'none'
      return reach === 'none' ? version : committed(version, space.ns, isUnlisted(id) && reach === 'its own step')
    })
  }
  const left = space.touched.filter((id) => isUncommitted(versionOf(work.state, id), space.ns))
  if (left.length < space.touched.length) space.touched = left
}

/** Replaces the versions of a message, the newest first. */
function replaceVersions(work: Work, id: string, next: (version: Version) => Version): void {
  const replaced = <T extends Version>(version: T): T => {
    // `next` answers what it was given, or a copy with other marks.
    const top = next(version) as T
    const base = top.base && replaced(top.base)
    return base === top.base ? top : { ...top, base }
  }
  const version = versionOf(work.state, id)
  const now = version && replaced(version)
  if (now !== undefined && now !== version) putVersion(work, id, now)
}

/**
 * What a `values` means to an entry: it commits the step that made it, or it is of a later run, or none of both: the
 * entry is of another namespace or committed before, the `values` lags behind, or the task that made the entry waits for
 * a person and may be withdrawn when it goes on.
 */
function reachOf(
  { tasks }: ThreadState,
  { run, step }: Values,
  entry: Entry,
  ns: Namespace,
): 'its own step' | 'a later run' | 'none' {
  if (!isWithin(entry.origin.ns, ns) || isFinal(entry, ns)) return 'none'
  const { origin } = entry
  // Seen from this namespace, what a subgraph made was made by the task that called it.
  const inside = origin.ns[ns.length]
  const task = tasks.get(inside === undefined ? (origin.task ?? '') : parseSegment(inside).task)
  // Of earlier runs only the tasks are known that this run goes on with.
  if (origin.run !== run && task === undefined) return 'a later run'
  if (isOpen(task)) return 'none'
  const madeIn = inside === undefined ? entry.step : task?.step
  if (madeIn === undefined || step === undefined) return 'a later run'
  return madeIn <= step ? 'its own step' : 'none'
}

/** What it replaced in this namespace or below cannot come back; what it replaced above still can. */
function committed<T extends Version>(version: T, ns: Namespace, isAside: boolean): T {
  let { base } = version
  const names = [...version.names]
  for (; base !== undefined && isWithin(base.origin.ns, ns); base = base.base) names.push(...base.names)
  return {
    ...version,
    origin: { ...version.origin, ns },
    committed: true,
    aside: isAside ? [...version.aside, spaceKey(ns)] : version.aside,
    arrived: false,
    names: ns.length === 0 ? [] : names,
    base,
  }
}
