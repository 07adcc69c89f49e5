import { useMessageIds } from '@rivulet/react'
import { memo, useDeferredValue, type ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'
import { firstToShow } from './first-to-show.ts'
import { MessageRow } from './message-row.tsx'

/**
 * The conversation's messages. Renders when one comes or goes, and not while one grows. Of a long conversation that is
 * opened the end comes at once, and what is above it when there is time.
 */
export const MessageList = memo(function MessageList({ handle }: { handle: AgentHandle }): ReactNode {
  const ids = useMessageIds(handle)
  const first = firstToShow(ids.length, useDeferredValue(ids.length))
  return (
    <ol className="message-list">
      {ids.slice(first).map((id) => (
        <MessageRow key={id} handle={handle} id={id} />
      ))}
    </ol>
  )
})
