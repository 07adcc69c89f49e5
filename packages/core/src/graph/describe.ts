import { END, START } from './command.ts'
import type { Plan } from './plan.ts'

/** A graph's nodes and edges as JSON. */
export interface GraphDescription {
  name: string
  nodes: { id: string; defer?: true; tags?: readonly string[]; metadata?: Readonly<Record<string, unknown>> }[]
  /** `conditional` edges are taken when a router says so; without known targets they lead to every node. */
  edges: { from: string; to: string; conditional?: true; label?: string }[]
}

/** Describes a compiled plan. */
export function describePlan(plan: Plan): GraphDescription {
  const names = [...plan.nodes.keys()]
  const nodes = [START, ...names, END].map((id) => {
    const spec = plan.nodes.get(id)
    return {
      id,
      ...(spec?.defer && { defer: true as const }),
      ...(spec && spec.tags.length > 0 && { tags: spec.tags }),
      ...(spec?.metadata && { metadata: spec.metadata }),
    }
  })
  const edges: GraphDescription['edges'] = []
  for (const [from, targets] of plan.edges) for (const to of targets) edges.push({ from, to })
  for (const { sources, target } of plan.joins) for (const from of sources) edges.push({ from, to: target })
  for (const [from, branches] of plan.branches) {
    for (const { targets } of branches) {
      const known = targets === undefined ? [...names, END].map((to) => [to, to] as const) : [...targets]
      for (const [label, to] of known) {
        edges.push({ from, to, conditional: true, ...(label !== to && { label: String(label) }) })
      }
    }
  }
  return { name: plan.name, nodes, edges }
}

/** A description as a Mermaid flowchart: conditional edges are dotted. */
export function mermaidOf({ nodes, edges }: GraphDescription): string {
  const ids = new Map(nodes.map(({ id }, i) => [id, `n${i}`]))
  const boxes = nodes.map(
    ({ id }) => `  ${ids.get(id)}${id === START || id === END ? `([${id}])` : `["${escaped(id)}"]`}`,
  )
  const arrows = edges.map(({ from, to, conditional, label }) => {
    const arrow = conditional ? '-.->' : '-->'
    return `  ${ids.get(from)} ${arrow}${label === undefined ? '' : `|"${escaped(label)}"|`} ${ids.get(to)}`
  })
  return ['flowchart TD', ...boxes, ...arrows, ''].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('"', '#quot;')
}
