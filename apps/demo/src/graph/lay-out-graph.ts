import { Graph, layout } from '@dagrejs/dagre'
import { GRAPH_END, GRAPH_START, type GraphShape } from '../../contract/graph-shape.ts'
import { nodeName } from './describe-graph.ts'

/** A graph as it is drawn, from left to right. Lengths are in pixels; `x` and `y` of a node are its centre. */
export interface GraphDrawing {
  width: number
  height: number
  nodes: { id: string; name: string; isEnd: boolean; x: number; y: number; width: number; height: number }[]
  edges: { id: string; path: string; isConditional: boolean; label: string | undefined; x: number; y: number }[]
}

/** Width of one character of a node's name, and what a node needs beside it. */
const CHARACTER = 8.5
const PADDING = 28
const HEIGHT = 36
const MARGIN = 6
/** How far the way from a node to itself rises above it. */
const LOOP = 18

/** Places nodes and edges. The same graph always gives the same drawing. */
export function layOutGraph({ nodes, edges }: GraphShape): GraphDrawing {
  const graph = new Graph({ multigraph: true })
  const marginy = edges.some(({ from, to }) => from === to) ? MARGIN + LOOP : MARGIN
  graph.setGraph({ rankdir: 'LR', nodesep: 24, ranksep: 30, edgesep: 16, marginx: MARGIN, marginy })
  for (const { id } of nodes) graph.setNode(id, { width: widthOf(nodeName(id)), height: HEIGHT })
  edges.forEach(({ from, to, label }, i) => {
    if (from === to) return
    const size = { width: label ? widthOf(label) : 0, height: label ? HEIGHT / 2 : 0 }
    graph.setEdge(from, to, { ...size, labelpos: 'c' }, String(i))
  })
  layout(graph)
  const { width = 0, height = 0 } = graph.graph()
  return {
    width,
    height,
    nodes: nodes.map(({ id }) => {
      const node = graph.node(id)
      const isEnd = id === GRAPH_START || id === GRAPH_END
      return { id, name: nodeName(id), isEnd, x: node.x, y: node.y, width: node.width, height: node.height }
    }),
    edges: edges.map(({ from, to, conditional, label }, i) => {
      const route = from === to ? loopAbove(graph.node(from)) : routeOf(graph.edge(from, to, String(i)))
      return { id: `${i}`, ...route, isConditional: conditional === true, label }
    }),
  }
}

/** A drawn edge, and where its label stands. */
interface Route {
  path: string
  x: number
  y: number
}

function routeOf({ points = [], x = 0, y = 0 }: { points?: readonly Point[]; x?: number; y?: number }): Route {
  return { path: smoothPath(points), x, y }
}

/** The way from a node to itself. */
function loopAbove({ x, y }: Point): Route {
  const top = y - HEIGHT / 2
  // A curve reaches three quarters of the height of the points that pull it.
  const pull = top - (LOOP * 4) / 3
  return { path: `M${x - 10},${top} C${x - 22},${pull} ${x + 22},${pull} ${x + 10},${top}`, x, y: top - LOOP }
}

function widthOf(name: string): number {
  return Math.round(name.length * CHARACTER) + PADDING
}

interface Point {
  x: number
  y: number
}

/** A path through the first and the last point, bent at those between. */
function smoothPath(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.pop()
  if (!first || !last) return ''
  const bends = rest.map((point, i) => {
    const next = rest[i + 1]
    const to = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : last
    return `Q${point.x},${point.y} ${to.x},${to.y}`
  })
  return `M${first.x},${first.y} ${bends.length > 0 ? bends.join(' ') : `L${last.x},${last.y}`}`
}
