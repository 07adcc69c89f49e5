import type { Client, ThreadInfo } from '@rivulet/client'
import { queryKeys } from '@rivulet/react/query'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef, useState, type MouseEvent, type ReactNode } from 'react'
import { Icon } from '../icons.tsx'
import { threadHref } from '../thread-location.ts'
import { ago } from './ago.ts'

/** See {@link ThreadRow}. */
export interface ThreadRowProps {
  client: Client
  thread: ThreadInfo
  isCurrent: boolean
  /** The present, in milliseconds since the epoch. */
  now: number
  onOpen: (event: MouseEvent) => void
  onDeleted: () => void
}

/** One chat in the list: a link to it, and a way to delete it, which asks first. */
export function ThreadRow({ client, thread, isCurrent, now, onOpen, onDeleted }: ThreadRowProps): ReactNode {
  const [isAsking, ask] = useState(false)
  const asker = useRef<HTMLButtonElement>(null)
  const title = titleOf(thread)
  const queries = useQueryClient()
  const { mutate, isPending, isError } = useMutation({
    mutationFn: () => client.threads.delete(thread.id),
    onSuccess: onDeleted,
    // Also when it failed: it may be gone already.
    onSettled: () => queries.invalidateQueries({ queryKey: queryKeys.threads(client) }),
  })
  const keep = (): void => {
    ask(false)
    // The button that was pressed goes away, and the focus would go with it.
    asker.current?.focus()
  }
  return (
    <li className="thread-row">
      <a
        className="thread-link"
        href={threadHref(thread.id)}
        aria-current={isCurrent ? 'page' : undefined}
        onClick={onOpen}
      >
        <span className="thread-title">{title}</span>
        {thread.updatedAt !== undefined && <span className="thread-time">{ago(thread.updatedAt, now)}</span>}
      </a>
      <button
        ref={asker}
        type="button"
        className="icon-button thread-delete"
        aria-label={`Delete ${title}`}
        aria-expanded={isAsking}
        onClick={() => ask(!isAsking)}
      >
        <Icon name="trash" />
      </button>
      {isAsking && (
        <fieldset className="thread-question" aria-label={`Delete ${title}?`}>
          <button type="button" className="button danger" disabled={isPending} onClick={() => mutate()}>
            Delete
          </button>
          <button type="button" className="button" onClick={keep}>
            Keep
          </button>
          {isError && <p role="alert">It could not be deleted.</p>}
        </fieldset>
      )}
    </li>
  )
}

function titleOf({ metadata }: ThreadInfo): string {
  const title = metadata?.['title']
  return typeof title === 'string' && title !== '' ? title : 'Chat'
}
