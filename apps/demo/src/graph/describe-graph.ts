import { GRAPH_END, GRAPH_START, type GraphShape } from '../../contract/graph-shape.ts'

/** A node's name for people. */
export function nodeName(id: string): string {
  if (id === GRAPH_START) return 'start'
  return id === GRAPH_END ? 'end' : id
}

/** A graph in words, for those who do not see it: where each node leads, and what runs now. */
export function describeGraph({ nodes, edges }: GraphShape, running: ReadonlySet<string>): string {
  const ways = nodes.flatMap(({ id }) => {
    const out = edges.filter(({ from }) => from === id)
    if (out.length === 0) return []
    const verb = out.some(({ conditional }) => conditional) ? 'may lead to' : 'leads to'
    return [`${nodeName(id)} ${verb} ${listed(out.map(({ to }) => nodeName(to)))}`]
  })
  const now = running.size === 0 ? '' : ` Running now: ${[...running].join(', ')}.`
  return `Graph: ${ways.join('; ')}.${now}`
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
