import type { ToolCallState } from '@rivulet/protocol'

/** How a tool call stands; `pending` while nothing was heard of it. */
export type CallStatus = ToolCallState['status'] | 'pending'

/**
 * How a call stands, given what is known of it and how its run ended. One that never began waits only as long as its run
 * is under way or waits for a person; one that a person stopped did not fail. `outcome` is `undefined` when nothing is
 * known of the run any more.
 */
export function callStatus(
  call: Pick<ToolCallState, 'status' | 'error'> | undefined,
  outcome: string | undefined,
): CallStatus {
  if (call === undefined) return outcome === 'running' || outcome === 'interrupted' ? 'pending' : 'cut'
  return call.error?.code === 'CANCELLED' ? 'cut' : call.status
}
