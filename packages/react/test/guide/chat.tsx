import type { Transport } from '@rivulet/client'
import { useProgress, useStream, type StreamHandle } from '@rivulet/react'
import type { ReactNode } from 'react'

export function Chat({ transport }: { transport: Transport }): ReactNode {
  const { messages, toolCalls, interrupts, connection, handle, submit, respond } = useStream({
    transport,
    graph: 'agent',
    threadId: 't1',
  })
  return (
    <main>
      {messages.map(({ id, role, content }) => (
        <p key={id} aria-label={role}>
          {content}
        </p>
      ))}
      {toolCalls.map(({ id, name }) => (
        <ToolCard key={id} handle={handle} id={id} name={name} />
      ))}
      {interrupts.map(({ id, value }) => (
        <button key={id} onClick={() => void respond('yes', { id })}>
          {String(value)}
        </button>
      ))}
      {connection.phase === 'waiting' && <output>Connection lost, trying again</output>}
      <button onClick={() => void submit({ messages: 'Hi!' })}>Send</button>
    </main>
  )
}

function ToolCard({ handle, id, name }: { handle: StreamHandle; id: string; name: string }): ReactNode {
  // What the graph of this page reports.
  const progress = useProgress(handle, id)?.data as { done: number; total: number } | undefined
  return <progress aria-label={name} value={progress?.done ?? 0} max={progress?.total ?? 1} />
}
