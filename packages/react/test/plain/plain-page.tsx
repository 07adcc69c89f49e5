import { plain } from '@rivulet/client'
import { useStream } from '@rivulet/react'
import type { ReactNode } from 'react'

export function Ask({ url }: { url: string }): ReactNode {
  const { messages, submit, isLoading, error } = useStream({ transport: plain({ url }) })
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
