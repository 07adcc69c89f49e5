import { RivuletError } from '@rivulet/protocol'
import type { Run } from './store.ts'

/** Whether a run is under way or waits for it. */
export function isInFlight({ status }: Run): boolean {
  return status === 'running' || status === 'queued'
}

/** The error for a run that would wait behind too many. */
export function tooManyQueued(maxQueued: number): RivuletError {
  return new RivuletError('LIMIT_EXCEEDED', `${maxQueued} runs wait on this thread already`, { retryable: true })
}
