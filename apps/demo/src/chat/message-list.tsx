import { useMessageIds } from '@rivulet/react'
import { memo, type ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'
import { MessageRow } from './message-row.tsx'

/** The conversation's messages. Renders when one comes or goes, and not while one grows. */
export const MessageList = memo(function MessageList({ handle }: { handle: AgentHandle }): ReactNode {
  const ids = useMessageIds(handle)
  return (
    <ol className="message-list">
      {ids.map((id) => (
        <MessageRow key={id} handle={handle} id={id} />
      ))}
    </ol>
  )
})
