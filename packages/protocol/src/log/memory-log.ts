import { RivuletError } from '../errors.ts'
import type { RunEvent } from '../events/event.ts'
import { fold } from '../fold/fold.ts'
import { emptyState, type ThreadState } from '../fold/state.ts'
import { randomId } from '../random-id.ts'
import type { AppendOptions, EventLog, LogBatch } from './event-log.ts'
import { eventSize } from './event-size.ts'
import { foldHeld } from './fold-held.ts'
import { Shelf } from './shelf.ts'
import { Waiters } from './waiters.ts'

/** Bounds of a {@link memoryLog}. */
export interface MemoryLogOptions {
  /** Events kept. Default 50,000. */
  maxEvents?: number
  /** JSON text of the events kept, in bytes as UTF-16 code units count them. Default 64 MiB. */
  maxBytes?: number
  /** Id of the log. Default 8 random characters out of `0-9a-z`. */
  id?: string
}

/**
 * Events folded at once, at most: a snapshot is never far, and no fold takes long. What ends before is folded without the
 * pieces of its messages, which costs next to nothing.
 */
const FOLD_EVERY = 1024

/**
 * A thread's log in this process' memory, gone with it. Events are readable as soon as `append` returns.
 *
 * It holds a bounded number: at `run.end` the deltas of the run's messages become one a part, and beyond the caps the
 * oldest events go; whoever still needed them is answered `CURSOR_GONE` by `read` and goes on from the snapshot, which is
 * the fold of everything ever appended. `append` throws `LIMIT_EXCEEDED` for an event larger than the whole log, and
 * `UNSERIALIZABLE` for one that is not JSON; it appends all or nothing.
 */
export function memoryLog(options: MemoryLogOptions = {}): EventLog {
  const { maxEvents = 50_000, maxBytes = 64 * 1024 * 1024, id = randomId(8) } = options
  const shelf = new Shelf(maxEvents, maxBytes)
  const waiters = new Waiters()
  let head = 0
  let fence = 0
  let folded = fold(emptyState(), { type: 'sync', phase: 'replay', log: id, seq: 0 })

  function foldUp(): ThreadState {
    folded = foldHeld(folded, shelf.after(folded.cursor, Infinity))
    return folded
  }

  function add(event: RunEvent, weight: number): void {
    // Ahead of what is spread: behind it, V8 gives every such object a shape of its own.
    shelf.push({ seq: ++head, ...event }, weight)
    if (event.type === 'run.end') shelf.compact(event.run, eventSize)
    // What leaves the log must be in the snapshot before.
    if (shelf.isOver() || head - folded.cursor >= FOLD_EVERY) foldUp()
    if (shelf.isOver()) shelf.trim()
  }

  function append(events: readonly RunEvent[], appended: AppendOptions): number {
    if (appended.fence !== undefined && appended.fence < fence) {
      throw new RivuletError('RUN_CONFLICT', `a newer worker (${fence}) writes this thread`)
    }
    const weights = events.map((event) => weigh(event, maxBytes))
    fence = Math.max(fence, appended.fence ?? fence)
    events.forEach((event, i) => add(event, weights[i]!))
    waiters.wake(head)
    return head
  }

  function held(after: number, limit: number): LogBatch {
    return { events: shelf.after(after, limit), head }
  }

  return {
    id,
    head: () => head,
    append: async (events, appended = {}) => append(events, appended),
    read: async (after, limit): Promise<LogBatch> => held(after, limit),
    held,
    snapshot: async () => foldUp(),
    waitFor: (after, signal) => (head > after ? Promise.resolve() : waiters.wait(after, signal)),
    watch: (listener) => waiters.watch(listener),
  }
}

/** What an event weighs. Throws `LIMIT_EXCEEDED` when the whole log is smaller. */
function weigh(event: RunEvent, maxBytes: number): number {
  const size = eventSize(event)
  if (size <= maxBytes) return size
  throw new RivuletError(
    'LIMIT_EXCEEDED',
    `a ${event.type} event of ${size} bytes is larger than the log (${maxBytes})`,
  )
}
