import type { MessageDelta, RivuletEvent, Stamp } from '../events/event.ts'

/** Where the growing delta of a message stands in the output, and whether it is a copy that may be written to. */
interface Slot {
  index: number
  delta: MessageDelta & Stamp
  own: boolean
}

/**
 * The events of one frame with the deltas of each part merged at their first place, never across another event of the
 * same message, `values`, `rewind` or `run.end`. `seq` still rises from event to event, no event but a merged delta has
 * another than before, and the last one's is that of the last event that came in: whoever has folded the frame is where
 * the log was.
 */
export function mergeDeltas(events: readonly RivuletEvent[]): RivuletEvent[] {
  const out: RivuletEvent[] = []
  const slots = new Map<string, Slot>()
  for (const [i, event] of events.entries()) {
    if (event.type !== 'message.delta') {
      closeSlots(slots, event)
      out.push(event)
      continue
    }
    const slot = slots.get(event.id)
    const isTail = slot?.index === out.length - 1
    // The last event keeps its place, unless that is where it merges: the frame's cursor is its own.
    if (slot !== undefined && goesOn(slot.delta, event) && (isTail || i < events.length - 1)) {
      out[slot.index] = extend(slot, event, isTail)
    } else {
      slots.set(event.id, { index: out.length, delta: event, own: false })
      out.push(event)
    }
  }
  return out
}

function goesOn(before: MessageDelta, { part, at }: MessageDelta): boolean {
  return part === before.part && at === before.at + before.text.length
}

function extend(slot: Slot, { text, seq }: MessageDelta & Stamp, isTail: boolean): RivuletEvent {
  if (!slot.own) {
    slot.delta = { ...slot.delta }
    slot.own = true
  }
  slot.delta.text += text
  if (isTail) slot.delta.seq = seq
  return slot.delta
}

function closeSlots(slots: Map<string, Slot>, event: RivuletEvent): void {
  switch (event.type) {
    case 'values':
    case 'rewind':
    case 'run.end':
    case 'sync':
      return slots.clear()
    case 'message':
      return void slots.delete(event.message.id)
    case 'message.start':
    case 'message.end':
    case 'message.remove':
      return void slots.delete(event.id)
    default:
      return undefined
  }
}
