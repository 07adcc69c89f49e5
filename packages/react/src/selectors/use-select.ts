import { sameItems, type ThreadSnapshot } from '@rivulet/client'
import type { TypedGraph, UntypedGraph } from '@rivulet/protocol'
import { useEffect, useInsertionEffect, useState } from 'react'
import { useRerender } from '../stream/use-rerender.ts'
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
  const rerender = useRerender()
  const value = selection.read(handle.getSnapshot(), selector, isEqual)
  // Not an effect of the passive kind: with text in every frame, that is a second walk over the page for each.
  useInsertionEffect(() => selection.note(value))
  useEffect(() => {
    // It may have changed between the render and now.
    if (selection.isOutdated(handle.getSnapshot(), selector, isEqual)) rerender()
    return handle.select(selector, rerender, isEqual)
  }, [selection, handle, selector, isEqual, rerender])
  return value
}

type Selector<T, G extends TypedGraph> = (snapshot: ThreadSnapshot<G>) => T

/** The value selected last, kept while it says the same. */
interface Selection<T, G extends TypedGraph> {
  read(snapshot: ThreadSnapshot<G>, selector: Selector<T, G>, isEqual: (a: T, b: T) => boolean): T
  /** This value is on screen now. */
  note(value: T): void
  /** Whether what is on screen is not what the selector gives now. */
  isOutdated(snapshot: ThreadSnapshot<G>, selector: Selector<T, G>, isEqual: (a: T, b: T) => boolean): boolean
}

function createSelection<T, G extends TypedGraph>(): Selection<T, G> {
  let last: { snapshot: ThreadSnapshot<G>; selector: Selector<T, G>; value: T } | undefined
  let onScreen: { value: T } | undefined
  return {
    note(value) {
      onScreen = { value }
    },
    isOutdated: (snapshot, selector, isEqual) => onScreen !== undefined && !isEqual(onScreen.value, selector(snapshot)),
    read(snapshot, selector, isEqual) {
      if (last?.snapshot === snapshot && last.selector === selector) return last.value
      const value = selector(snapshot)
      last = { snapshot, selector, value: last !== undefined && isEqual(last.value, value) ? last.value : value }
      return last.value
    },
  }
}
