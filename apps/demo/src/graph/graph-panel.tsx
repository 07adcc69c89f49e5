import { useSelect } from '@rivulet/react'
import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import type { AgentHandle } from '../chat/agent-handle.ts'
import { useModule } from '../use-module.ts'
import { fetchGraph } from './fetch-graph.ts'
import { nodeCounts } from './node-counts.ts'

/** The agent's graph, with what runs in it now and what has run in this run. */
export function GraphPanel({ id, handle }: { id: string; handle: AgentHandle }): ReactNode {
  const { data: graph, isError } = useQuery({
    queryKey: ['graph', 'agent'],
    queryFn: (context) => fetchGraph('agent', context),
    staleTime: Infinity,
  })
  // The layout library comes when a graph is looked at.
  const drawing = useModule('graph-drawing', () => import('./graph-drawing.tsx'))
  const tasks = useSelect(handle, ({ state }) => state.tasks)
  const { running, finished } = useMemo(() => nodeCounts(tasks.values()), [tasks])
  return (
    <section className="graph-panel" id={id} aria-label="The agent’s graph">
      {graph && drawing && <drawing.GraphDrawing graph={graph} running={running} finished={finished} />}
      {isError && <p className="message-note">The graph cannot be shown at the moment.</p>}
    </section>
  )
}
