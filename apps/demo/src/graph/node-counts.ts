import type { TaskRun } from '@rivulet/protocol'

/** Which nodes run, and how often each has run to its end. */
export interface NodeCounts {
  running: ReadonlySet<string>
  finished: ReadonlyMap<string, number>
}

/** Counts the tasks of the graph itself by their nodes; those of graphs inside it are of other nodes. */
export function nodeCounts(tasks: Iterable<Pick<TaskRun, 'node' | 'status' | 'origin'>>): NodeCounts {
  const running = new Set<string>()
  const finished = new Map<string, number>()
  for (const { node, status, origin } of tasks) {
    if (origin.ns.length > 0) continue
    if (status === 'running') running.add(node)
    else if (status === 'ok' || status === 'cached') finished.set(node, (finished.get(node) ?? 0) + 1)
  }
  return { running, finished }
}
