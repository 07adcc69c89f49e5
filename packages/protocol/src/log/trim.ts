import type { MessageDelta, RivuletEvent, Stamp } from '../events/event.ts'

/**
 * Takes off a delta what this reader was sent of its part before: a log compacts a finished run's deltas into one a part,
 * and a reader that is a few tokens behind must not be sent a long answer again.
 */
export function createTrimmer(): (event: RivuletEvent) => RivuletEvent {
  /** How much of each part the reader has, by message, from its start on this reading. */
  const sent = new Map<string, number[]>()
  return (event) => {
    switch (event.type) {
      case 'message.start':
        sent.set(event.id, [])
        return event
      case 'message.end':
        sent.delete(event.id)
        return event
      case 'message.delta':
        return trimmed(event, sent.get(event.id))
      case 'run.end':
        sent.clear()
        return event
      default:
        return event
    }
  }
}

function trimmed(event: MessageDelta & Stamp, lengths: number[] | undefined): RivuletEvent {
  if (lengths === undefined) return event
  const known = lengths[event.part] ?? 0
  const end = event.at + event.text.length
  if (end > known) lengths[event.part] = end
  if (event.at >= known) return event
  return { ...event, at: known, text: event.text.slice(known - event.at) }
}
