import { useSelect } from '@rivulet/react'
import type { ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'
import { EmptyChat, type EmptyChatProps } from './empty-chat.tsx'

/** What stands where nothing has been said yet: examples, or a word while an earlier chat is fetched. */
export function Opening({ handle, ...examples }: EmptyChatProps & { handle: AgentHandle }): ReactNode {
  const isEmpty = useSelect(handle, (thread) => thread.messageIds().length === 0)
  const isLoading = useSelect(handle, (thread) => thread.status === 'loading')
  if (!isEmpty) return null
  return isLoading ? <p className="message-note">Opening the chat …</p> : <EmptyChat {...examples} />
}
