import type { ConnectionHealth } from '@rivulet/client'
import { useSelect } from '@rivulet/react'
import { useEffect, useState, type ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'

/** Says that the connection is lost, and when it is opened again. Shows nothing while all is well. */
export function ConnectionNotice({ handle }: { handle: AgentHandle }): ReactNode {
  return <ConnectionWords {...useSelect(handle, ({ connection }) => connection)} />
}

/** What a person is told of a connection in this state. */
export function ConnectionWords({ phase, attempt, nextRetryAt }: ConnectionWordsProps): ReactNode {
  const isWaiting = phase === 'waiting' && nextRetryAt !== undefined
  if (phase === 'offline') return <Notice>You are offline. This goes on once the network is back.</Notice>
  if (!isWaiting && !(phase === 'connecting' && attempt > 0)) return null
  return (
    <Notice>
      The connection is interrupted. {/* Read out once and not every second. */}
      <span aria-hidden="true">{isWaiting ? <Countdown until={nextRetryAt} /> : 'Reconnecting …'}</span>
    </Notice>
  )
}

/** See {@link ConnectionWords}. */
export type ConnectionWordsProps = Pick<ConnectionHealth, 'phase' | 'attempt' | 'nextRetryAt'>

function Notice({ children }: { children: ReactNode }): ReactNode {
  return (
    <output className="notice notice-waiting">
      <span>{children}</span>
    </output>
  )
}

/** Seconds left, counted down on the second. */
function Countdown({ until }: { until: number }): ReactNode {
  const [now, setNow] = useState(Date.now)
  const leftMs = Math.max(0, until - now)
  useEffect(() => {
    if (leftMs === 0) return undefined
    const timer = setTimeout(() => setNow(Date.now()), leftMs % 1000 || 1000)
    return () => clearTimeout(timer)
  }, [leftMs])
  return <>Reconnecting in {Math.ceil(leftMs / 1000)} s</>
}
