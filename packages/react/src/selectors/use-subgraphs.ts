import type { ThreadSnapshot } from '@rivulet/client'
import {
  formatNamespace,
  isWithin,
  parseNamespace,
  parseSegment,
  ROOT,
  sameNamespace,
  type Namespace,
  type TypedGraph,
} from '@rivulet/protocol'
import { useCallback } from 'react'
import type { StreamHandle } from '../stream/stream.ts'
import { useSelect } from './use-select.ts'

/** A graph that ran or runs as part of another: a node that is a graph, an agent that is a tool. */
export interface Subgraph {
  /** What to read it by: `useMessages(handle, { ns })`. */
  readonly ns: Namespace
  /** The node that called it. */
  readonly node: string
  readonly isRunning: boolean
}

/**
 * The subgraphs that the thread knows of, in order of their first event; with `ns` only those below it. The component
 * renders when one begins or ends, never for what is streamed inside.
 */
export function useSubgraphs<G extends TypedGraph>(handle: StreamHandle<G>, ns: Namespace = ROOT): readonly Subgraph[] {
  const top = formatNamespace(ns)
  const selector = useCallback((snapshot: ThreadSnapshot<G>) => subgraphsOf(snapshot, parseNamespace(top)), [top])
  return useSelect(handle, selector, sameSubgraphs)
}

function subgraphsOf<G extends TypedGraph>({ state }: ThreadSnapshot<G>, top: Namespace): readonly Subgraph[] {
  const { spaces, tasks } = state
  const found = new Map<string, Subgraph>()
  const add = (ns: Namespace) => {
    const { node, task } = parseSegment(ns.at(-1) ?? '')
    found.set(formatNamespace(ns), { ns, node, isRunning: tasks.get(task)?.status === 'running' })
  }
  for (const { ns } of [...spaces.values(), ...[...tasks.values()].map(({ origin }) => origin)]) {
    if (!isWithin(ns, top)) continue
    // A graph in between may have said nothing itself.
    for (let depth = top.length + 1; depth <= ns.length; depth++) add(ns.slice(0, depth))
  }
  return [...found.values()]
}

function sameSubgraphs(a: readonly Subgraph[], b: readonly Subgraph[]): boolean {
  return a.length === b.length && a.every((one, i) => isSame(one, b[i]))
}

function isSame(one: Subgraph, other: Subgraph | undefined): boolean {
  return other !== undefined && one.isRunning === other.isRunning && sameNamespace(one.ns, other.ns)
}
