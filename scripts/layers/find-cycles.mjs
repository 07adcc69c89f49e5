/**
 * The import cycles of a graph of files: for every group of files that reach each other one shortest way round, as
 * `[a, b, a]`. Type imports count: what cannot be read without the other belongs in one file.
 *
 * @param {ReadonlyMap<string, readonly string[]>} graph file to the files it imports
 * @returns {string[][]}
 */
export function findCycles(graph) {
  /** @type {string[][]} */
  const cycles = []
  /** @type {Set<string>} */
  const explained = new Set()
  for (const file of [...graph.keys()].toSorted()) {
    if (explained.has(file)) continue
    const way = wayBack(graph, file)
    if (!way) continue
    cycles.push(way)
    for (const member of reachEachOther(graph, file)) explained.add(member)
  }
  return cycles
}

/**
 * The shortest way from a file back to itself; `undefined` when there is none.
 *
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @param {string} file
 * @returns {string[] | undefined}
 */
function wayBack(graph, file) {
  /** @type {Map<string, string>} */
  const cameFrom = new Map()
  const queue = [file]
  for (const at of queue) {
    for (const next of graph.get(at) ?? []) {
      if (next === file) return [...trail(cameFrom, at), file]
      if (cameFrom.has(next)) continue
      cameFrom.set(next, at)
      queue.push(next)
    }
  }
  return undefined
}

/**
 * @param {ReadonlyMap<string, string>} cameFrom
 * @param {string} end
 * @returns {string[]}
 */
function trail(cameFrom, end) {
  const steps = [end]
  for (let at = cameFrom.get(end); at !== undefined; at = cameFrom.get(at)) steps.unshift(at)
  return steps
}

/**
 * The files that `file` reaches and that reach `file`.
 *
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @param {string} file
 * @returns {string[]}
 */
function reachEachOther(graph, file) {
  return [...reachable(graph, file)].filter((other) => reachable(graph, other).has(file))
}

/**
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @param {string} from
 * @returns {Set<string>}
 */
function reachable(graph, from) {
  const found = new Set(graph.get(from))
  for (const at of found) for (const next of graph.get(at) ?? []) found.add(next)
  return found
}
