import { useEffect } from 'react'
import type { UnsentStarts } from '../unsent-starts.ts'
import type { AgentHandle } from './agent-handle.ts'

/** Sends again what had not got through when the page was reloaded: the same run, so that nothing happens twice. */
export function useUnsentStart({ thread }: AgentHandle, unsent: UnsentStarts): void {
  useEffect(() => {
    if (thread.id === undefined) return
    const start = unsent.of(thread.id)
    if (start === undefined) return
    // The page wrote it, of what this graph takes.
    const input = start.input as Parameters<typeof thread.submit>[0]
    thread.submit(input, { run: start.run, multitask: 'enqueue' })
  }, [thread, unsent])
}
