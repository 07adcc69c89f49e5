import {
  formatNamespace,
  isCallSegment,
  isWithin,
  parseSegment,
  RivuletError,
  ROOT,
  taskSegment,
  type Namespace,
} from '@rivulet/protocol/model'
import type { NodeSpec, Plan } from '../graph/plan.ts'
import type { Checkpointer, InterruptRecord, SavedCheckpoint } from './checkpointer.ts'
import { revive } from './revive.ts'

/** Where a graph keeps its state: the root, or one below. */
export interface Place {
  readonly checkpointer: Checkpointer
  readonly threadId: string
  readonly plan: Plan
  readonly ns: Namespace
}

/** What is kept at a place, ready for use: a checkpoint by its id, or the newest. */
export async function savedAt(
  { checkpointer, threadId, ns }: Omit<Place, 'plan'>,
  id?: string,
): Promise<SavedCheckpoint | undefined> {
  const saved = await checkpointer.get(threadId, formatNamespace(ns), id)
  return saved && revive(saved)
}

/**
 * The places from the root to a namespace below; `undefined` when there is no such state. Throws `UNSUPPORTED` when there
 * is one and no node says which graph it is of.
 */
export async function pathTo(root: Place, ns: Namespace): Promise<readonly Place[] | undefined> {
  const path = [root]
  for (let place = root; place.ns.length < ns.length; path.push(place)) {
    const depth = place.ns.length + 1
    const spec = place.plan.nodes.get(parseSegment(ns[depth - 1]!).node)
    if (spec === undefined) return undefined
    const below = ns.slice(0, spec.graph === undefined ? endOfCalls(ns, depth) : depth)
    const kept = await savedAt({ ...place, ns: below })
    if (kept === undefined) return undefined
    const plan = planBelow(spec, kept)
    if (plan === undefined) throw unnamed(spec, below)
    place = { ...place, plan, ns: below }
  }
  return path
}

/** The graph below a task, and its newest state: the first that waits, else the one that its node is or calls first. */
export async function belowTask(
  above: Place,
  { id, node }: { readonly id: string; readonly node: string },
  asked: readonly InterruptRecord[],
): Promise<{ ns: Namespace; plan: Plan | undefined; saved: SavedCheckpoint } | undefined> {
  const spec = above.plan.nodes.get(node)
  const first = [...above.ns, taskSegment(node, id)]
  const waits = asked.find(({ ns = ROOT }) => isWithin(ns, first))?.ns
  const ns = waits === undefined || spec?.graph !== undefined ? first : waits.slice(0, endOfCalls(waits, first.length))
  const saved = await savedAt({ ...above, ns })
  return saved && { ns, plan: spec && planBelow(spec, saved), saved }
}

function planBelow({ graph, calls }: NodeSpec, saved: SavedCheckpoint): Plan | undefined {
  return graph ?? calls.find(({ name }) => name === saved.graph)
}

function endOfCalls(ns: Namespace, from: number): number {
  const end = ns.findIndex((segment, i) => i >= from && !isCallSegment(segment))
  return end === -1 ? ns.length : end
}

function unnamed({ name }: NodeSpec, ns: Namespace): RivuletError {
  const where = formatNamespace(ns)
  return new RivuletError(
    'UNSUPPORTED',
    `node "${name}" does not say which graph runs in "${where}": addNode("${name}", …, { subgraphs: [the graph] })`,
  )
}
