import { useSelect } from '@rivulet/react'
import { useState, type ReactNode } from 'react'
import type { AgentHandle } from './agent-handle.ts'
import { announcement } from './announcement.ts'
import { spokenText } from './spoken-text.ts'

/** Tells screen readers that an answer begins, and reads it once it is complete: never token by token. */
export function Announcer({ handle }: { handle: AgentHandle }): ReactNode {
  const status = useSelect(handle, (thread) => thread.status)
  // While tokens arrive this is empty, so it does not change with them.
  const lastText = useSelect(handle, (thread) => (thread.isLoading ? '' : (thread.messages.at(-1)?.content ?? '')))
  const [said, setSaid] = useState({ handle, status, text: '' })
  // Another chat being idle does not mean that this one's answer is complete.
  if (said.handle !== handle) setSaid({ handle, status, text: '' })
  else if (said.status !== status) {
    setSaid({ handle, status, text: announcement(said.status, status, spokenText(lastText)) ?? said.text })
  }
  return (
    <output className="unseen" aria-live="polite">
      {said.text}
    </output>
  )
}
