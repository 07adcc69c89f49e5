import { RivuletError, type AppendOptions, type EventLog, type RunEvent } from '@rivulet/protocol/model'
import type { Checkpointer } from './checkpointer.ts'
import { isCheckpointWrite, writeTo } from './write.ts'

/**
 * A log that takes what runs keep together with their events, for stores that cannot put both into one transaction: the
 * events first, then the checkpoints. So a checkpoint is never ahead of what readers can see, and a crash in between
 * costs no more than a step that runs again. `append` rejects with what the checkpointer failed with, and with
 * `INVALID_INPUT` for writes that no graph made.
 */
export function keepingLog(log: EventLog, checkpointer: Checkpointer): EventLog {
  async function keep(
    events: readonly RunEvent[],
    options: AppendOptions,
    writes: readonly unknown[],
  ): Promise<number> {
    const wrong = writes.find((write) => !isCheckpointWrite(write))
    if (wrong !== undefined) throw new RivuletError('INVALID_INPUT', 'a log was given a write that no graph made')
    const head = await log.append(events, options)
    for (const write of writes.filter(isCheckpointWrite)) await writeTo(checkpointer, write)
    return head
  }
  return {
    id: log.id,
    keepsFor: checkpointer,
    head: () => log.head(),
    append: (events, options = {}) => {
      const { writes, ...rest } = options
      return writes === undefined ? log.append(events, options) : keep(events, rest, writes)
    },
    read: (after, limit) => log.read(after, limit),
    ...(log.held && { held: (after, limit) => log.held?.(after, limit) }),
    snapshot: () => log.snapshot(),
    waitFor: (after, signal) => log.waitFor(after, signal),
    ...(log.watch && { watch: (listener) => log.watch!(listener) }),
  }
}
