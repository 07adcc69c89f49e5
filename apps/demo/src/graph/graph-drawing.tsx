import { useMemo, type ReactNode } from 'react'
import type { GraphShape } from '../../contract/graph-shape.ts'
import { describeGraph } from './describe-graph.ts'
import { layOutGraph } from './lay-out-graph.ts'

/** See {@link GraphDrawing}. */
export interface GraphDrawingProps {
  graph: GraphShape
  /** Names of the nodes that run now. */
  running: ReadonlySet<string>
  /** How often each node has run to its end in this run. */
  finished: ReadonlyMap<string, number>
}

/** Nodes and edges of a graph, with the nodes that run lit. As large as its place, and never larger than its own size. */
export function GraphDrawing({ graph, running, finished }: GraphDrawingProps): ReactNode {
  const { width, height, nodes, edges } = useMemo(() => layOutGraph(graph), [graph])
  return (
    <svg
      className="graph"
      viewBox={`0 0 ${width} ${height}`}
      style={{ maxWidth: width, minWidth: Math.min(width, LEAST_WIDTH) }}
      // A drawing made of many elements, read as one sentence.
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
      role="img"
      aria-label={describeGraph(graph, running)}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path className="graph-arrow" d="M0 0.5 7.5 4 0 7.5z" />
        </marker>
      </defs>
      {edges.map(({ id, path, isConditional, label, x, y }) => (
        <g key={id}>
          <path
            className="graph-edge"
            d={path}
            markerEnd="url(#arrow)"
            strokeDasharray={isConditional ? '4 4' : 'none'}
          />
          {label && (
            <text className="graph-label" x={x} y={y}>
              {label}
            </text>
          )}
        </g>
      ))}
      {nodes.map(({ id, name, isEnd, ...box }) => {
        const count = finished.get(id) ?? 0
        const state = running.has(id) ? 'running' : count > 0 ? 'finished' : 'idle'
        return (
          <g key={id} className={isEnd ? 'graph-end' : 'graph-node'} data-node={id} data-state={state}>
            <rect
              x={box.x - box.width / 2}
              y={box.y - box.height / 2}
              width={box.width}
              height={box.height}
              rx={isEnd ? box.height / 2 : 8}
            />
            <text x={box.x} y={box.y}>
              {name}
            </text>
            {count > 1 && (
              <text className="graph-count" x={box.x - box.width / 2} y={box.y - box.height / 2}>
                ×{count}
              </text>
            )}
          </g>
        )
      })}
    </svg>
  )
}

/** Below this width names would be too small to read: its place scrolls instead. */
const LEAST_WIDTH = 300
