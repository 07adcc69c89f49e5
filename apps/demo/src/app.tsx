import type { Client } from '@rivulet/client'
import { useCallback, useState, type ReactNode } from 'react'
import type { AgentLabel } from '../contract/agent-label.ts'
import { Chat } from './chat/chat.tsx'
import { Drawer } from './drawer.tsx'
import { Icon } from './icons.tsx'
import { goToThread, useThreadLocation } from './thread-location.ts'
import { ThreadList } from './threads/thread-list.tsx'
import type { UnsentStarts } from './unsent-starts.ts'
import { useMediaQuery } from './use-media-query.ts'

const NARROW = '(width <= 47.5rem)'

/** See {@link App}. */
export interface AppProps {
  client: Client
  /** What was not sent when the page was reloaded. */
  unsent: UnsentStarts
  /** Who answers; left out when nothing is known of it. */
  agent: AgentLabel | undefined
}

/** The page: the list of chats, in a drawer where there is no room beside, and the chat that the address names. */
export function App({ client, unsent, agent }: AppProps): ReactNode {
  const threadId = useThreadLocation()
  const isNarrow = useMediaQuery(NARROW)
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  const closeDrawer = useCallback(() => setDrawerOpen(false), [])

  const open = (id: string | undefined): void => {
    closeDrawer()
    goToThread(id)
    if (id === undefined) document.querySelector<HTMLElement>('#message')?.focus()
  }
  const sidebar = (
    <div className="sidebar">
      <h1 className="brand">
        <Icon name="wave" />
        Rivulet
      </h1>
      <ThreadList client={client} current={threadId} onOpen={open} />
    </div>
  )
  return (
    <>
      <a className="skip-link unseen" href="#message">
        Skip to the message field
      </a>
      <div className="shell">
        {isNarrow ? (
          <Drawer isOpen={isDrawerOpen} label="Chats" onClose={closeDrawer}>
            {sidebar}
          </Drawer>
        ) : (
          sidebar
        )}
        <Chat
          client={client}
          threadId={threadId}
          onThreadId={nameThread}
          unsent={unsent}
          agent={agent}
          topbar={<Topbar agent={agent} onMenu={isNarrow ? () => setDrawerOpen(true) : undefined} />}
        />
      </div>
    </>
  )
}

/** A new chat has got its id: the address names it, with no empty chat to go back to. */
function nameThread(threadId: string): void {
  goToThread(threadId, { replace: true })
}

function Topbar({ agent, onMenu }: { agent: AgentLabel | undefined; onMenu: (() => void) | undefined }): ReactNode {
  return (
    <header className="topbar">
      {onMenu && (
        <button type="button" className="icon-button" aria-label="Show chats" onClick={onMenu}>
          <Icon name="menu" />
        </button>
      )}
      {agent && (
        <span className="agent-label" title={agent.note}>
          {agent.name}
        </span>
      )}
    </header>
  )
}
