import { sameItems, type ThreadSnapshot } from '@rivulet/client'
import type { TypedGraph, UntypedGraph } from '@rivulet/protocol'
import { useCallback, useState, useSyncExternalStore } from 'react'
import type { StreamHandle } from '../stream/stream.ts'

/**
 * Any value read from a thread; the component renders when it is another one. The selector is asked again only after a
 * change of what it read. `isEqual` is by default: the same value, or lists of the same items; the earlier of two equal
 * values is kept. A selector defined inside the component works; one defined outside saves work.
 */
export function useSelect<T, G extends TypedGraph = UntypedGraph>(
  handle: StreamHandle<G>,
  selector: (snapshot: ThreadSnapshot<G>) => T,
  isEqual: (a: T, b: T) => boolean = sameItems,
): T {
  const [selection] = useState(createSelection<T, G>)
  const subscribe = useCallback((fn: () => void) => handle.select(selector, fn, isEqual), [handle, selector, isEqual])
  const getValue = () => selection.read(handle.getSnapshot(), selector, isEqual)
  return useSyncExternalStore(subscribe, getValue, getValue)
}

type Selector<T, G extends TypedGraph> = (snapshot: ThreadSnapshot<G>) => T

/** The value selected last, kept while it says the same. */
interface Selection<T, G extends TypedGraph> {
  read(snapshot: ThreadSnapshot<G>, selector: Selector<T, G>, isEqual: (a: T, b: T) => boolean): T
}

function createSelection<T, G extends TypedGraph>(): Selection<T, G> {
  let last: { snapshot: ThreadSnapshot<G>; selector: Selector<T, G>; value: T } | undefined
  return {
    read(snapshot, selector, isEqual) {
      if (last?.snapshot === snapshot && last.selector === selector) return last.value
      const value = selector(snapshot)
      last = { snapshot, selector, value: last !== undefined && isEqual(last.value, value) ? last.value : value }
      return last.value
    },
  }
}
