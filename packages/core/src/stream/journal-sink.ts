import { RivuletError, type Commit, type RunEvent } from '@rivulet/protocol/model'
import type { Delivery } from './delivery.ts'
import { eventSink } from './event-queue.ts'
import type { Sink, Wants } from './sink.ts'

/** Rough bytes a commit holds that nothing else does: its state is shared with the run. */
const COMMIT_BYTES = 64

/** A sink that hands on events as they are, and what the run keeps in its place among them. */
export function journalSink(delivery: Delivery<RunEvent | Commit>, wants: Wants): Sink {
  const open = new Set<Commit['settle']>()
  let left: RivuletError | undefined
  return {
    ...eventSink(delivery, wants),
    keep: (write) =>
      new Promise((resolve, reject) => {
        if (left !== undefined) return reject(left)
        const settle = (failure?: RivuletError): void => {
          open.delete(settle)
          if (failure === undefined) resolve()
          else reject(failure)
        }
        open.add(settle)
        delivery.push({ type: 'commit', writes: [write], settle }, COMMIT_BYTES)
        return undefined
      }),
    left: () => {
      left = new RivuletError('CANCELLED', 'the reader of the run left before this was kept')
      for (const settle of open) settle(left)
    },
  }
}
