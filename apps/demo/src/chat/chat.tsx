import type { Client } from '@rivulet/client'
import { useSelect, useStream } from '@rivulet/react'
import { useCallback, useRef, type ReactNode } from 'react'
import type { AgentLabel } from '../../contract/agent-label.ts'
import type { CsvFile } from '../../contract/csv-file.ts'
import type { AgentGraph } from '../../server/agent/graph.ts'
import { fetchSampleCsv } from '../csv/sample-csv.ts'
import { useAttachment } from '../csv/use-attachment.ts'
import { useFileDrop } from '../csv/use-file-drop.ts'
import { GraphPanel } from '../graph/graph-panel.tsx'
import { Icon } from '../icons.tsx'
import type { UnsentStarts } from '../unsent-starts.ts'
import { Announcer } from './announcer.tsx'
import { Composer } from './composer.tsx'
import { ConnectionNotice } from './connection-notice.tsx'
import { Failure } from './failure.tsx'
import { MessageList } from './message-list.tsx'
import { Opening } from './opening.tsx'
import { RunStatus } from './run-status.tsx'
import { useStickToBottom } from './use-stick-to-bottom.ts'
import { usePageTitle } from './use-page-title.ts'
import { userMessage } from './user-message.ts'
import { useStopByEscape } from './use-stop-by-escape.ts'
import { useUnsentStart } from './use-unsent-start.ts'

/** See {@link Chat}. */
export interface ChatProps {
  client: Client
  /** The thread to show; a new chat without one. */
  threadId: string | undefined
  onThreadId: (threadId: string) => void
  /** What was not sent when the page was reloaded. */
  unsent: UnsentStarts
  /** Who answers. */
  agent: AgentLabel | undefined
  /** Id for the panel with the agent's graph; none is shown without one. */
  graphPanelId: string | undefined
  /** The bar above the conversation. */
  topbar: ReactNode
}

/** One conversation with the agent: what was said, what is going on, and where to write. */
export function Chat({ client, threadId, onThreadId, unsent, agent, graphPanelId, topbar }: ChatProps): ReactNode {
  const stream = useStream<AgentGraph>({ client, graph: 'agent', threadId, onThreadId })
  const { handle, isLoading, error, submit, stop, retry } = stream
  const attachment = useAttachment()
  const isFileOver = useFileDrop(attachment.take)
  const field = useRef<HTMLTextAreaElement>(null)
  const isEmpty = useSelect(handle, (thread) => thread.messageIds().length === 0)
  const { scroller, content, isAtBottom, jump } = useStickToBottom(handle, isEmpty)

  const ask = (text: string, file?: CsvFile): void => {
    const input = { messages: [userMessage(text, file)], ...(file && { files: [file] }) }
    // Another tab may have been quicker: what is asked here is answered next.
    submit(input, { multitask: 'enqueue' })
    jump()
  }
  const send = (text: string): void => {
    ask(text, attachment.file)
    attachment.clear()
  }
  const halt = useCallback(() => {
    void stop()
    field.current?.focus()
  }, [stop])
  useStopByEscape(isLoading, halt)
  usePageTitle(handle)
  useUnsentStart(handle, unsent)

  const askExample = (text: string, file?: CsvFile): void => {
    // The button that was pressed goes away, and the focus would go with it.
    scroller.current?.focus({ preventScroll: true })
    ask(text, file)
  }
  const sample = (): void => {
    fetchSampleCsv().then(
      (file) => askExample('Analyze this file', file),
      (reason: unknown) => attachment.refuse(reason),
    )
  }
  return (
    <main className="chat">
      {topbar}
      {graphPanelId !== undefined && <GraphPanel id={graphPanelId} handle={handle} />}
      {/* Scrolls, so it takes the focus for those who scroll by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className="scroller" ref={scroller} tabIndex={0} aria-label="Conversation">
        <div className="conversation" ref={content}>
          <Opening handle={handle} agent={agent} onAsk={askExample} onSample={sample} />
          <MessageList handle={handle} />
          <RunStatus handle={handle} />
          {error && !isLoading && <Failure error={error} onRetry={() => retry()} />}
          <ConnectionNotice handle={handle} />
        </div>
      </section>
      <div className="dock">
        {!isAtBottom && (
          <button type="button" className="button jump" onClick={jump}>
            <Icon name="down" />
            Jump to latest
          </button>
        )}
        <Composer isBusy={isLoading} attachment={attachment} field={field} onSend={send} onStop={halt} />
        <p className="hint">
          <kbd>Enter</kbd> sends, <kbd>Shift</kbd>+<kbd>Enter</kbd> begins a line, <kbd>Esc</kbd> stops the answer
        </p>
      </div>
      <Announcer handle={handle} />
      {isFileOver && <div className="drop-veil">Drop a CSV file to analyze it</div>}
    </main>
  )
}
