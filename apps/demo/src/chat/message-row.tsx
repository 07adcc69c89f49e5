import { useMessage, useProgress, useSelect, useToolCall } from '@rivulet/react'
import type { ToolCall } from '@rivulet/protocol'
import { memo, type ReactNode } from 'react'
import { CsvChip } from '../csv/csv-chip.tsx'
import { Markdown } from '../markdown/markdown.tsx'
import { callStatus } from '../tool-card/call-status.ts'
import { ToolCard } from '../tool-card/tool-card.tsx'
import type { AgentHandle } from './agent-handle.ts'

/** One message, which renders alone: while it streams, its neighbours do nothing. */
export const MessageRow = memo(function MessageRow({ handle, id }: { handle: AgentHandle; id: string }): ReactNode {
  const message = useMessage(handle, id)
  // A tool's answer is shown in the card of its call.
  if (!message || message.role === 'tool' || message.role === 'system') return null
  if (message.role === 'user') {
    const files = (message.parts ?? []).flatMap((part) => (part.kind === 'file' && part.name ? [part.name] : []))
    return <UserMessage text={message.content} files={files} delivery={message.delivery} />
  }
  return (
    <li className="message-assistant" data-message={message.status ?? 'done'}>
      <h3 className="unseen">Agent</h3>
      {message.content !== '' && <Markdown text={message.content} />}
      {message.toolCalls?.map((call) => (
        <LiveToolCard key={call.id} handle={handle} call={call} run={message.meta?.run} />
      ))}
      {message.status === 'cut' && <p className="message-note">Stopped here.</p>}
    </li>
  )
})

interface UserMessageProps {
  text: string
  files: readonly string[]
  delivery: 'sending' | 'failed' | undefined
}

function UserMessage({ text, files, delivery }: UserMessageProps): ReactNode {
  return (
    <li className={delivery === 'failed' ? 'message-user failed' : 'message-user'}>
      <h3 className="unseen">You</h3>
      {text !== '' && <div className="bubble">{text}</div>}
      {files.map((name) => (
        <CsvChip key={name} name={name} />
      ))}
      {delivery === 'failed' && <p className="message-note">Not sent.</p>}
    </li>
  )
}

interface LiveToolCardProps {
  handle: AgentHandle
  call: ToolCall
  /** Run that the call was made in. */
  run: string | undefined
}

function LiveToolCard({ handle, call, run }: LiveToolCardProps): ReactNode {
  const state = useToolCall(handle, call.id)
  const progress = useProgress(handle, call.id)
  const outcome = useSelect(handle, (thread) => (run === undefined ? undefined : thread.state.runs.get(run)?.status))
  return (
    <ToolCard
      name={call.name}
      args={call.args}
      status={callStatus(state, outcome)}
      progress={progress?.data}
      output={state?.output}
      error={state?.error?.message}
    />
  )
}
