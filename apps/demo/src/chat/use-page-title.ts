import { useSelect } from '@rivulet/react'
import { useEffect } from 'react'
import { threadTitle } from '../threads/thread-title.ts'
import type { AgentHandle } from './agent-handle.ts'

/** Names the browser's tab after the chat. */
export function usePageTitle(handle: AgentHandle): void {
  const question = useSelect(handle, ({ messageIds, message }) => {
    const [first] = messageIds()
    return first === undefined ? undefined : message(first)?.content
  })
  useEffect(() => {
    document.title = question ? `${threadTitle(question)} · Rivulet` : 'Rivulet'
  }, [question])
}
