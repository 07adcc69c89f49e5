import { RivuletError } from './errors.ts'

/** Path of subgraph steps from the root, e.g. `["research:<task id>", "search:<task id>"]`. The root is `[]`. */
export type Namespace = readonly string[]

const SEPARATOR = '|'

/** The root namespace, shared so that it can be compared by identity first. */
export const ROOT: Namespace = Object.freeze([])

/** Wire form of a namespace; `""` is the root. Throws `INVALID_INPUT` on an empty segment or one holding the separator. */
export function formatNamespace(ns: Namespace): string {
  if (ns.length === 0) return ''
  const bad = ns.find((segment) => segment === '' || segment.includes(SEPARATOR))
  if (bad !== undefined) throw new RivuletError('INVALID_INPUT', `bad namespace segment ${JSON.stringify(bad)}`)
  return ns.join(SEPARATOR)
}

/** The namespace that {@link formatNamespace} wrote. Throws `INVALID_INPUT` on an empty segment. */
export function parseNamespace(text: string): Namespace {
  if (text === '') return ROOT
  const ns = text.split(SEPARATOR)
  if (ns.includes('')) throw new RivuletError('INVALID_INPUT', `bad namespace ${JSON.stringify(text)}`)
  return ns
}

/** The segment that a task adds to the namespace of the graph it calls: `node:<task id>`. */
export function taskSegment(node: string, task: string): string {
  return `${node}:${task}`
}

/** The segment that a tool call adds, below its task's, to the namespace of a graph it calls: `call:<call id>`. */
export function callSegment(toolCallId: string): string {
  return `call:${toolCallId.replaceAll(/[|%]/g, encodeURIComponent)}`
}

/** Whether a segment stands for a call below a task, not for a task: a tool's, or its caller's second graph and later. */
export function isCallSegment(segment: string): boolean {
  return segment.startsWith('call:') || /^\d+$/.test(segment)
}

/** The node and task id a segment names. A segment without a task id gives an empty one. */
export function parseSegment(segment: string): { node: string; task: string } {
  const colon = segment.lastIndexOf(':')
  return colon === -1 ? { node: segment, task: '' } : { node: segment.slice(0, colon), task: segment.slice(colon + 1) }
}

/** Whether two namespaces are the same path. */
export function sameNamespace(a: Namespace, b: Namespace): boolean {
  return a === b || (a.length === b.length && a.every((segment, i) => segment === b[i]))
}

/** Whether `ns` is `above` or lies below it. */
export function isWithin(ns: Namespace, above: Namespace): boolean {
  return ns.length >= above.length && above.every((segment, i) => segment === ns[i])
}
