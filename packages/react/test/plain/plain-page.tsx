import { plain } from '@rivulet/client'
import { useStream } from '@rivulet/react'
import { useState, type ReactNode } from 'react'

export function Ask({ url }: { url: string }): ReactNode {
  const [transport] = useState(() => plain({ url }))
  const { messages, submit, isLoading, error } = useStream({ transport, graph: 'chat' })
  return (
    <>
      {messages.map(({ id, content }) => (
        <p key={id}>{content}</p>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <button disabled={isLoading} onClick={() => void submit({ messages: 'Who are you?' })}>
        Ask
      </button>
    </>
  )
}
