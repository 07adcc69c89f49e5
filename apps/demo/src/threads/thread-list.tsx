import type { Client } from '@rivulet/client'
import { useThreads } from '@rivulet/react/query'
import { useRef, type MouseEvent, type ReactNode } from 'react'
import { Icon } from '../icons.tsx'
import { threadHref } from '../thread-location.ts'
import { ThreadRow } from './thread-row.tsx'

/** As many as the server gives at once. */
const MAX_THREADS = 100

/** See {@link ThreadList}. */
export interface ThreadListProps {
  client: Client
  /** The thread that is shown; `undefined` for a new chat. */
  current: string | undefined
  onOpen: (threadId: string | undefined) => void
}

/** The chats used last, and the way to a new one. They are links, so a new tab works too. */
export function ThreadList({ client, current, onOpen }: ThreadListProps): ReactNode {
  const { data, isError, dataUpdatedAt } = useThreads(client, { limit: MAX_THREADS })
  const threads = data?.threads ?? []
  const newChat = useRef<HTMLAnchorElement>(null)
  const leave = (deleted: string): void => {
    // The row goes away, and the focus would go with it.
    newChat.current?.focus()
    if (deleted === current) onOpen(undefined)
  }
  return (
    <nav className="threads" aria-label="Chats">
      <a
        ref={newChat}
        className="button new-chat"
        href={threadHref()}
        onClick={(event) => follow(event, undefined, onOpen)}
      >
        <Icon name="plus" />
        New chat
      </a>
      {threads.length > 0 && <h2 className="threads-title">Chats</h2>}
      <ul className="threads-list">
        {threads.map((thread) => (
          <ThreadRow
            key={thread.id}
            client={client}
            thread={thread}
            isCurrent={thread.id === current}
            now={dataUpdatedAt}
            onOpen={(event) => follow(event, thread.id, onOpen)}
            onDeleted={() => leave(thread.id)}
          />
        ))}
      </ul>
      {isError && <p className="threads-note">Earlier chats cannot be listed at the moment.</p>}
    </nav>
  )
}

/** Opens a thread in this page, unless the person asked the browser for a new tab or window. */
function follow(event: MouseEvent, threadId: string | undefined, onOpen: ThreadListProps['onOpen']): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  onOpen(threadId)
}
