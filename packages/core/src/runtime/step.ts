import { END, Send } from '../graph/command.ts'
import type { Plan, Target } from '../graph/plan.ts'

/** A task that ended well, and where its router and commands send the run. */
export interface Finished {
  readonly node: string
  readonly targets: readonly Target[]
}

/** Sources that have arrived at each join that is not complete yet, by the join's key. */
export type Arrivals = Readonly<Record<string, readonly string[]>>

/** What runs next: nodes by name with what triggered them, and sends in the order they were made. */
export interface NextStep {
  readonly nodes: readonly { readonly name: string; readonly triggers: readonly string[] }[]
  readonly sends: readonly Send[]
  /** Deferred nodes that were reached and wait until nothing else is left. */
  readonly deferred: readonly string[]
  readonly arrivals: Arrivals
}

/** No step at all. */
export const NOTHING: NextStep = Object.freeze({ nodes: [], sends: [], deferred: [], arrivals: {} })

/** Whether anything runs. */
export function isEmpty({ nodes, sends }: NextStep): boolean {
  return nodes.length === 0 && sends.length === 0
}

/**
 * What runs after `finished`, in the order their writes applied. Nodes come sorted by name and once each, however many
 * edges reach them; a join's target when its last source arrives; deferred nodes when nothing else is left. `left` runs
 * beside that: what was planned before and has not run.
 */
export function planNext(
  plan: Plan,
  finished: readonly Finished[],
  before: NextStep,
  left: Pick<NextStep, 'nodes' | 'sends'> = NOTHING,
): NextStep {
  const triggers = new Map<string, string[]>()
  const sends: Send[] = [...left.sends]
  const reach = (name: string, by: string): void => {
    if (name === END) return
    const known = triggers.get(name)
    if (known === undefined) triggers.set(name, [by])
    else if (!known.includes(by)) known.push(by)
  }
  for (const { name, triggers: reached } of left.nodes) for (const by of reached) reach(name, by)
  for (const { node, targets } of finished) {
    const edges = plan.edges.get(node)
    if (edges !== undefined) for (const target of edges) reach(target, node)
    for (const target of targets) {
      if (target instanceof Send) sends.push(target)
      else reach(target, node)
    }
  }
  const arrivals = plan.joins.length === 0 ? before.arrivals : arrive(plan, finished, before.arrivals, reach)
  return order(plan, triggers, sends, before.deferred, arrivals)
}

function arrive(
  plan: Plan,
  finished: readonly Finished[],
  before: Arrivals,
  reach: (name: string, by: string) => void,
): Arrivals {
  const arrivals: Record<string, readonly string[]> = { ...before }
  for (const { key, sources, target } of plan.joins) {
    const came = finished.filter(({ node }) => sources.includes(node)).map(({ node }) => node)
    if (came.length === 0) continue
    const here = [...new Set([...(arrivals[key] ?? []), ...came])]
    if (here.length < sources.length) arrivals[key] = here
    else {
      delete arrivals[key]
      for (const source of sources) reach(target, source)
    }
  }
  return arrivals
}

function order(
  plan: Plan,
  triggers: ReadonlyMap<string, readonly string[]>,
  sends: readonly Send[],
  waiting: readonly string[],
  arrivals: Arrivals,
): NextStep {
  const reached = triggers.size > 1 ? [...triggers.keys()].sort() : [...triggers.keys()]
  const later = reached.filter((name) => plan.nodes.get(name)?.defer)
  const deferred = later.length === 0 ? waiting : [...new Set([...waiting, ...later])].sort()
  const now = later.length === 0 ? reached : reached.filter((name) => !later.includes(name))
  if (now.length === 0 && sends.length === 0 && deferred.length > 0) {
    const nodes = deferred.map((name) => ({ name, triggers: triggers.get(name) ?? [] }))
    return { nodes, sends, deferred: [], arrivals }
  }
  return { nodes: now.map((name) => ({ name, triggers: triggers.get(name)! })), sends, deferred, arrivals }
}
