import type { RivuletEvent, StampedEvent } from '../events/event.ts'
import { filterSnapshot, type ReadFilter } from '../events/filter.ts'
import { serializeState } from '../fold/snapshot.ts'
import { messageOf } from '../fold/read.ts'
import type { ThreadState } from '../fold/state.ts'
import { foldHeld } from './fold-held.ts'

/**
 * For a reader of `values` that does not read the streaming of messages: each message that ends becomes one `message`
 * event with the whole of it. A message that the end of its run cuts off has no event of its own to become that, so
 * before such a `run.end` stands a snapshot; and one that a later message overtook is told by a snapshot, which has their order. Follows the log from `state` on; events must come in their order.
 */
export function createWholeMessages(
  state: ThreadState,
  filter: ReadFilter,
): (event: StampedEvent) => readonly RivuletEvent[] {
  let now = state
  return (event) => {
    const before = now
    now = foldHeld(now, [event])
    switch (event.type) {
      case 'message.start':
      case 'message.delta':
        return []
      case 'message.end':
        return overtaken(now, event.id)
          ? [snapshotAt(now, filter, event.seq)]
          : wholeMessage(before, now, event.id, event.seq)
      case 'run.end': {
        const cut = [...before.live.values()].some((open) => open.origin.run === event.run)
        return cut ? [snapshotAt(before, filter, event.seq - 1), event] : [event]
      }
      default:
        return [event]
    }
  }
}

function wholeMessage(before: ThreadState, now: ThreadState, name: string, seq: number): RivuletEvent[] {
  const message = messageOf(now, name)
  const open = message && before.live.get(message.id)
  // The end did not fit what streamed, so the message goes on; the log's own fold skips it in the same way.
  if (message === undefined || open === undefined || now.live.has(message.id)) return []
  const { run, ns, task, attempt } = open.origin
  return [
    {
      type: 'message',
      run,
      ...(ns.length > 0 && { ns }),
      ...(message.meta?.node !== undefined && { node: message.meta.node }),
      ...(open.step !== undefined && { step: open.step }),
      ...(task !== undefined && { task }),
      ...(attempt > 1 && { attempt }),
      message,
      seq,
    },
  ]
}

/**
 * Whether a message that began after this one ended before it, so that the reader has it already: the order is that of
 * their starts, which a whole message added last cannot say.
 */
function overtaken(now: ThreadState, name: string): boolean {
  const id = messageOf(now, name)?.id
  if (id === undefined || now.live.has(id)) return false
  return [...now.spaces.values()].some(({ pending }) => {
    const place = pending.indexOf(id)
    return place !== -1 && pending.slice(place + 1).some((later) => now.settled.has(later))
  })
}

function snapshotAt(state: ThreadState, filter: ReadFilter, seq: number): RivuletEvent {
  const snapshot = filterSnapshot(serializeState(state), filter)
  return { type: 'sync', phase: 'snapshot', log: state.log, state: snapshot, seq }
}
