import type { MessageDelta, StampedEvent, Stamp } from '../events/event.ts'

type StampedDelta = MessageDelta & Stamp

/** What one part of a message was written in: where its deltas stand, and their whole text. */
interface Stretch {
  indexes: number[]
  /** Offset of the first delta. */
  at: number
  text: string
}

/** The parts written between two events about the message as a whole, each up to {@link MAX_TEXT}. */
type Segment = Map<number, Stretch>

/** Characters of a part beyond which another delta begins: no event is larger than readers are sent at once. */
const MAX_TEXT = 64 * 1024

/**
 * The log without the small pieces of a finished run's messages: each part's deltas become one, or of a long part a few, at the place of its last
 * delta and with the offset of its first, so that a reader who resumes in the middle finds text that overlaps with what
 * it has, and the fold trims it. Starts and ends stay. Where a hole was left, the next event says in `prev` what it
 * follows, so that the events still fold as they stand.
 */
export function compactRun(events: readonly StampedEvent[], run: string): StampedEvent[] {
  const dropped = new Uint8Array(events.length)
  const merged = new Map<number, StampedDelta>()
  for (const segment of segmentsOf(events, run)) planSegment(events, segment, dropped, merged)
  if (merged.size === 0) return [...events]
  return withHolesNamed(events, dropped, merged)
}

function segmentsOf(events: readonly StampedEvent[], run: string): Segment[] {
  const open = new Map<string, Segment>()
  const segments: Segment[] = []
  for (const [i, event] of events.entries()) {
    if (event.run !== run) continue
    if (event.type === 'message.delta') {
      const { id, part } = event
      const before: Segment = open.get(id) ?? new Map()
      const isFull = (before.get(part)?.text.length ?? 0) >= MAX_TEXT
      const segment: Segment = isFull ? new Map() : before
      if (segment.size === 0) segments.push(segment)
      open.set(id, extend(segment, event, i) ? segment : new Map())
    } else if (event.type === 'message') {
      open.delete(event.message.id)
    } else if (event.type === 'message.start' || event.type === 'message.end' || event.type === 'message.remove') {
      open.delete(event.id)
    }
  }
  return segments
}

/** Adds a delta to its part's stretch. `false` when it does not follow on: what comes later is left as it is. */
function extend(segment: Segment, { part, at, text }: StampedDelta, index: number): boolean {
  const stretch = segment.get(part)
  if (stretch === undefined) {
    segment.set(part, { indexes: [index], at, text })
    return true
  }
  if (at !== stretch.at + stretch.text.length) return false
  stretch.indexes.push(index)
  stretch.text += text
  return true
}

function planSegment(
  events: readonly StampedEvent[],
  segment: Segment,
  dropped: Uint8Array,
  merged: Map<number, StampedDelta>,
): void {
  const stretches = [...segment].toSorted(([a], [b]) => a - b).map(([, stretch]) => stretch)
  // Parts appear in order. Where they were written in turns, a later part may end before an earlier one does: then each
  // keeps its first delta, which makes the part.
  const inOrder = stretches.every((stretch, i) => i === 0 || lastOf(stretches[i - 1]!) < lastOf(stretch))
  for (const stretch of stretches) {
    const pieces = inOrder ? stretch.indexes : stretch.indexes.slice(1)
    if (pieces.length < 2) continue
    // `extend` put only indexes of deltas there.
    const { prev: _prev, ...first } = events[stretch.indexes[0]!] as StampedDelta
    const last = lastOf(stretch)
    for (const index of pieces) dropped[index] = 1
    dropped[last] = 0
    merged.set(last, { ...first, seq: events[last]!.seq, text: stretch.text })
  }
}

function lastOf({ indexes }: Stretch): number {
  return indexes[indexes.length - 1]!
}

function withHolesNamed(
  events: readonly StampedEvent[],
  dropped: Uint8Array,
  merged: ReadonlyMap<number, StampedDelta>,
): StampedEvent[] {
  const kept: StampedEvent[] = []
  for (const [i, original] of events.entries()) {
    if (dropped[i] === 1) continue
    const event = merged.get(i) ?? original
    const before = kept.at(-1)?.seq ?? original.prev
    kept.push(before === undefined || before === event.seq - 1 ? event : { ...event, prev: before })
  }
  return kept
}
