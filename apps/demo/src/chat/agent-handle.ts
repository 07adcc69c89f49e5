import type { StreamHandle } from '@rivulet/react'
import type { AgentGraph } from '../../server/agent/graph.ts'

/** The conversation that the page shows, for the components that read parts of it. */
export type AgentHandle = StreamHandle<AgentGraph>
