import { useSelect } from '@rivulet/react'
import type { ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'

/** Which node of the graph is running; nothing while none is. */
export function RunStatus({ handle }: { handle: AgentHandle }): ReactNode {
  const isLoading = useSelect(handle, (thread) => thread.isLoading)
  const nodes = useSelect(handle, (thread) => thread.activeNodes.map(({ node }) => node).join(', '))
  if (!isLoading) return null
  return (
    <div className="run-status">
      <svg className="ripple" viewBox="0 0 36 10" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
        <path d="M-24 5c4-4 8-4 12 0s8 4 12 0 8-4 12 0 8 4 12 0 8-4 12 0 8 4 12 0 8-4 12 0" />
      </svg>
      {nodes === '' ? (
        'Starting'
      ) : (
        <span>
          Running node <code>{nodes}</code>
        </span>
      )}
    </div>
  )
}
