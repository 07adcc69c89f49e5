import {
  emptyState,
  foldAll,
  formatCursor,
  interruptsOf,
  RivuletError,
  valuesOf,
  type ThreadState,
} from '@rivulet/protocol'
import type { Pump } from '../pump/pump.ts'
import type { StreamRequest } from './connections.ts'

/** Starts or joins a run and does not read it: answers where its events begin. */
export async function startAlone(pump: Pump, { open, after }: StreamRequest, signal: AbortSignal): Promise<Response> {
  const run = runOf(open)
  for await (const frame of pump.backend.open(open, { signal, after })) {
    const [first] = frame.type === 'events' ? frame.events : []
    if (frame.type !== 'events' || first === undefined) continue
    return Response.json({ thread: open.thread, run, cursor: formatCursor(frame.log, first.seq) }, { status: 202 })
  }
  throw unstarted(run)
}

/** Starts or joins a run, waits for its end, and answers its result. */
export async function startAndWait(pump: Pump, { open }: StreamRequest, signal: AbortSignal): Promise<Response> {
  const run = runOf(open)
  let state = emptyState()
  for await (const frame of pump.backend.open(open, { signal, after: undefined })) {
    if (frame.type === 'events') state = foldAll(state, frame.events)
  }
  const known = state.runs.get(run)
  if (known === undefined) throw unstarted(run)
  return Response.json({ run, status: known.status, ...whatItLeft(state), ...(known.error && { error: known.error }) })
}

function whatItLeft(state: ThreadState): object {
  return { values: valuesOf(state), interrupts: interruptsOf(state).map(({ id, value }) => ({ id, value })) }
}

function runOf({ start }: StreamRequest['open']): string {
  if (start !== undefined) return start.run
  throw new RivuletError('INVALID_INPUT', 'the request starts no run')
}

function unstarted(run: string): RivuletError {
  return new RivuletError('INTERNAL', `run ${run} did not begin`)
}
