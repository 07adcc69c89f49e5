import { changedMessages, isFacetChanged, type Facet } from './facets.ts'
import type { ThreadFacts } from './facts.ts'
import { isolate } from './isolate.ts'
import { sameItems, snapshotOf, type ThreadSnapshot } from './snapshot.ts'

/** A thread to look at: its snapshot, and calls back when what somebody reads of it has changed. */
export interface ThreadView<S = ThreadSnapshot> {
  /** The snapshot now; the same object until something changes. */
  readonly getSnapshot: () => S
  /** Calls back after every change. The function it returns ends that. */
  readonly subscribe: (fn: () => void) => () => void
  /**
   * Calls back when `selector` gives another value than before. It is asked again only after a change of what it read,
   * so a thousand selectors of one message each cost nothing while another message streams. `isEqual` is by default:
   * the same value, or lists of the same items. A selector that throws is reported and keeps its last value.
   */
  readonly select: <T>(
    selector: (snapshot: S) => T,
    fn: (value: T, before: T) => void,
    isEqual?: (a: T, b: T) => boolean,
  ) => () => void
}

/** A view that is told of each change. */
export interface Observers extends ThreadView {
  readonly set: (facts: ThreadFacts) => void
}

/** Somebody who reads parts of the thread: `check` runs after one of them changed. */
interface Observer {
  readonly facets: Set<Facet>
  readonly messages: Set<string>
  check(): void
}

/** Observers of a thread, indexed by what they read. */
export function createObservers(first: ThreadFacts): Observers {
  const byFacet = new Map<Facet, Set<Observer>>()
  const byMessage = new Map<string, Set<Observer>>()
  const listeners = new Set<() => void>()
  let facts = first
  let snapshot: ThreadSnapshot | undefined

  const getSnapshot = () => (snapshot ??= snapshotOf(facts))
  const forget = (observer: Observer) => {
    for (const facet of observer.facets) removeFrom(byFacet, facet, observer)
    for (const id of observer.messages) removeFrom(byMessage, id, observer)
    observer.facets.clear()
    observer.messages.clear()
  }
  const read = <T>(observer: Observer, selector: (snapshot: ThreadSnapshot) => T): T => {
    forget(observer)
    const reads = (...facets: readonly Facet[]) => {
      for (const facet of facets) addTo(byFacet, facet, observer, observer.facets)
    }
    return selector(snapshotOf(facts, reads, (id) => addTo(byMessage, id, observer, observer.messages)))
  }
  const due = (before: ThreadFacts, after: ThreadFacts): Set<Observer> => {
    const found = new Set<Observer>()
    const add = (observers: Set<Observer> | undefined) => observers?.forEach((observer) => found.add(observer))
    for (const [facet, observers] of byFacet) if (isFacetChanged(facet, before, after)) add(observers)
    if (byMessage.size === 0) return found
    for (const id of changedMessages(before, after) ?? byMessage.keys()) add(byMessage.get(id))
    return found
  }

  return {
    getSnapshot,
    subscribe(fn) {
      // A function of its own for each call: the same one may be handed in twice.
      const listener = () => fn()
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    select(selector, fn, isEqual = sameItems) {
      const observer: Observer = { facets: new Set(), messages: new Set(), check }
      let value = read(observer, selector)
      function check(): void {
        isolate(() => {
          const next = read(observer, selector)
          if (isEqual(value, next)) return undefined
          const before = value
          value = next
          return fn(next, before)
        })
      }
      return () => forget(observer)
    },
    set(next) {
      const before = facts
      facts = next
      snapshot = undefined
      for (const observer of due(before, next)) if (observer.facets.size + observer.messages.size > 0) observer.check()
      for (const listener of listeners) isolate(listener)
    },
  }
}

function addTo<K>(index: Map<K, Set<Observer>>, key: K, observer: Observer, own: Set<K>): void {
  own.add(key)
  const known = index.get(key)
  if (known === undefined) index.set(key, new Set([observer]))
  else known.add(observer)
}

function removeFrom<K>(index: Map<K, Set<Observer>>, key: K, observer: Observer): void {
  const known = index.get(key)
  known?.delete(observer)
  if (known?.size === 0) index.delete(key)
}
