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
import { useStoredFlag } from './use-stored-flag.ts'

const NARROW = '(width <= 47.5rem)'
const GRAPH_PANEL = 'graph-panel'

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
  const [isGraphShown, showGraph] = useStoredFlag('graph-shown', !isNarrow)
  const closeDrawer = useCallback(() => setDrawerOpen(false), [])

  const open = (id: string | undefined): void => {
    closeDrawer()
    goToThread(id)
    if (id === undefined) document.querySelector<HTMLElement>('#message')?.focus()
  }
  const sidebar = (
    <div className="sidebar">
      <header>
        <h1 className="brand">
          <Icon name="wave" />
          Rivulet
        </h1>
      </header>
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
          graphPanelId={isGraphShown ? GRAPH_PANEL : undefined}
          topbar={
            <Topbar agent={agent} onMenu={isNarrow ? () => setDrawerOpen(true) : undefined}>
              <button
                type="button"
                className="button graph-toggle"
                aria-expanded={isGraphShown}
                aria-controls={GRAPH_PANEL}
                onClick={() => showGraph(!isGraphShown)}
              >
                <Icon name="graph" />
                Graph
              </button>
            </Topbar>
          }
        />
      </div>
    </>
  )
}

/** A new chat has got its id: the address names it, with no empty chat to go back to. */
function nameThread(threadId: string): void {
  goToThread(threadId, { replace: true })
}

interface TopbarProps {
  agent: AgentLabel | undefined
  /** Opens the list of chats, where it is not beside. */
  onMenu: (() => void) | undefined
  children: ReactNode
}

function Topbar({ agent, onMenu, children }: TopbarProps): ReactNode {
  return (
    <header className="topbar">
      {onMenu && (
        <button type="button" className="icon-button" aria-label="Show chats" onClick={onMenu}>
          <Icon name="menu" />
        </button>
      )}
      {children}
      {agent && (
        <span className="agent-label" title={agent.note}>
          {agent.name}
        </span>
      )}
    </header>
  )
}
