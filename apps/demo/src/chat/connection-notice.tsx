import { useSelect } from '@rivulet/react'
import { useEffect, useState, type ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'

/** Says that the connection is being opened again, and in how many seconds. Shows nothing while all is well. */
export function ConnectionNotice({ handle }: { handle: AgentHandle }): ReactNode {
  const { phase, attempt, nextRetryAt } = useSelect(handle, ({ connection }) => connection)
  const isWaiting = phase === 'waiting' && nextRetryAt !== undefined
  if (!isWaiting && !(phase === 'connecting' && attempt > 0)) return null
  return (
    <output className="notice notice-waiting">
      <span>
        The connection is interrupted. {/* Read out once and not every second. */}
        <span aria-hidden="true">{isWaiting ? <Countdown until={nextRetryAt} /> : 'Reconnecting …'}</span>
      </span>
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
