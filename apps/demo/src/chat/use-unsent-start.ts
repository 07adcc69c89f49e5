import { useEffect } from 'react'
import type { UnsentStarts } from '../unsent-starts.ts'
import type { AgentHandle } from './agent-handle.ts'

/** Sends again what had not got through when the page was reloaded: the same run, so that nothing happens twice. */
export function useUnsentStart({ thread }: AgentHandle, unsent: UnsentStarts): void {
  useEffect(() => {
    if (thread.id === undefined) return
    const start = unsent.of(thread.id)
    // The page wrote it, of what this graph takes.
    if (start) thread.submit(start.input as Parameters<typeof thread.submit>[0], { run: start.run })
  }, [thread, unsent])
}
