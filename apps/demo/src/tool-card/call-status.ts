import type { ToolCallState } from '@rivulet/protocol'

/** How a tool call stands; `pending` while nothing was heard of it. */
export type CallStatus = ToolCallState['status'] | 'pending'

/**
 * How a call stands, given how its run ended: one that never began waits only as long as its run is under way or waits
 * for a person. `outcome` is `undefined` when nothing is known of the run any more.
 */
export function callStatus(status: CallStatus = 'pending', outcome: string | undefined): CallStatus {
  const mayBegin = outcome === 'running' || outcome === 'interrupted'
  return status === 'pending' && !mayBegin ? 'cut' : status
}
