import { RivuletError } from '@rivulet/protocol/model'
import { END, START } from './command.ts'
import type { Plan } from './plan.ts'

/** Checks a plan before it runs. Throws `INVALID_GRAPH` naming the node and saying what to do. */
export function validatePlan(
  plan: Plan,
  options: { interruptBefore?: readonly string[]; interruptAfter?: readonly string[] },
): void {
  const { nodes, edges, joins, branches } = plan
  if (nodes.size === 0) fail('the graph has no nodes: add one with addNode(name, fn)')
  if (!edges.has(START) && !branches.has(START))
    fail('nothing runs first: add an edge from START, as in addEdge(START, "…")')
  for (const [from, targets] of edges) {
    known(plan, from, `an edge begins at "${from}"`, START)
    for (const to of targets) known(plan, to, `an edge leads from "${from}" to "${to}"`, END)
  }
  for (const { sources, target } of joins) {
    for (const source of sources) known(plan, source, `an edge to "${target}" begins at "${source}"`)
    known(plan, target, `an edge leads from ${sources.join(' and ')} to "${target}"`, END)
  }
  for (const [from, list] of branches) {
    known(plan, from, `a conditional edge begins at "${from}"`, START)
    for (const { targets } of list) {
      for (const to of targets?.values() ?? [])
        known(plan, to, `the conditional edge of "${from}" leads to "${to}"`, END)
    }
  }
  for (const name of [...(options.interruptBefore ?? []), ...(options.interruptAfter ?? [])]) {
    if (name !== '*') known(plan, name, `an interrupt is set at "${name}"`)
  }
  for (const key of [...(plan.inputKeys ?? []), ...(plan.outputKeys ?? [])]) {
    if (plan.schema.whole === undefined && !Object.hasOwn(plan.schema.fields, key)) {
      fail(
        `"${key}" is named as input or output but is no state key; there are: ${Object.keys(plan.schema.fields).join(', ')}`,
      )
    }
  }
}

function known(plan: Plan, name: string, how: string, also?: string): void {
  if (plan.nodes.has(name) || name === also) return
  fail(
    `${how}, which is no node: add it with addNode("${name}", …), or use one of: ${[...plan.nodes.keys()].join(', ')}`,
  )
}

function fail(message: string): never {
  throw new RivuletError('INVALID_GRAPH', message)
}
