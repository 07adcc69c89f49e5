import { sameNamespace, type Namespace, type RivuletEvent, type TypedGraph, type TypesOf } from '@rivulet/protocol'
import { useEffect, useInsertionEffect, useRef } from 'react'
import type { StreamHandle } from '../stream/stream.ts'

/** Which events to be told of; fields add up, what is left out is not filtered by. */
export interface EventFilter<T extends RivuletEvent['type'] = RivuletEvent['type']> {
  type?: T | readonly T[]
  /** The node that produced it. */
  node?: string
  /** The namespace it came from; `[]` is the root. */
  ns?: Namespace
}

/** An event of the graph itself, not of one inside it, typed by the graph. */
export type RootEvent<G extends TypedGraph, T extends RivuletEvent['type']> = {
  [K in T]: Extract<RivuletEvent, { type: K }> &
    (K extends 'custom'
      ? { readonly data: TypesOf<G>['custom'] }
      : K extends 'updates'
        ? { readonly update: TypesOf<G>['update'] }
        : K extends 'interrupt'
          ? { readonly value: TypesOf<G>['interrupt'] }
          : unknown)
}[T]

/**
 * Calls back with every event of a thread that passes the filter, as it is applied; renders nothing. `fn` and `filter`
 * may change from render to render. With `ns: []`, events come typed by the graph.
 */
export function useEvents<G extends TypedGraph, T extends RivuletEvent['type'] = RivuletEvent['type']>(
  handle: StreamHandle<G>,
  filter: EventFilter<T> & { ns: readonly [] },
  fn: (event: RootEvent<G, T>) => void,
): void
export function useEvents<G extends TypedGraph, T extends RivuletEvent['type'] = RivuletEvent['type']>(
  handle: StreamHandle<G>,
  filter: EventFilter<T>,
  fn: (event: Extract<RivuletEvent, { type: T }>) => void,
): void
export function useEvents<G extends TypedGraph>(
  handle: StreamHandle<G>,
  filter: EventFilter,
  fn: (event: never) => void,
): void {
  const latest = useRef({ filter, fn })
  useInsertionEffect(() => {
    latest.current = { filter, fn }
  })
  useEffect(
    () =>
      handle.thread.listen((event) => {
        const now = latest.current
        // The filter lets through what the signatures above say. What `fn` returns may be a promise that rejects.
        return passes(event, now.filter) ? now.fn(event as never) : undefined
      }),
    [handle],
  )
}

function passes(event: RivuletEvent, { type, node, ns }: EventFilter): boolean {
  const types: readonly string[] | undefined = typeof type === 'string' ? [type] : type
  if (types !== undefined && !types.includes(event.type)) return false
  if (node === undefined && ns === undefined) return true
  if (event.type === 'sync') return false
  return (node === undefined || event.node === node) && (ns === undefined || sameNamespace(event.ns ?? [], ns))
}
