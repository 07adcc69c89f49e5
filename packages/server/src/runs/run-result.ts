import { interruptsOf, valuesOf, type RunEnd, type ThreadState, type WireError } from '@rivulet/protocol'
import type { Run, ThreadStatus } from '../threads/store.ts'

/** How a run ended, as `?wait=1` answers. */
export interface RunResult {
  run: string
  status: Run['status']
  values: Readonly<Record<string, unknown>>
  interrupts: readonly { id: string; value: unknown }[]
  error?: WireError
}

/** The result of a run out of the thread's state. */
export function resultOf({ id, status, error }: Pick<Run, 'id' | 'status' | 'error'>, state: ThreadState): RunResult {
  return {
    run: id,
    status,
    values: valuesOf(state),
    interrupts: interruptsOf(state).map((one) => ({ id: one.id, value: one.value })),
    ...(error !== undefined && { error }),
  }
}

/** How the end of its last run leaves a thread. */
export const statusAfter: Readonly<Record<RunEnd['status'], ThreadStatus>> = {
  done: 'idle',
  cancelled: 'idle',
  interrupted: 'interrupted',
  error: 'error',
}
