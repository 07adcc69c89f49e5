import type { StampedEvent } from '../../src/index.ts'

/** The log with deltas that begin earlier than they need to: what came before in their part is told again. */
export function overlapping(events: readonly StampedEvent[], luck: readonly number[]): StampedEvent[] {
  const parts = new Map<string, string>()
  return events.map((event, i) => {
    if (event.type === 'message.start')
      for (const key of parts.keys()) if (key.startsWith(`${event.id} `)) parts.delete(key)
    if (event.type !== 'message.delta') return event
    const key = `${event.id} ${event.part}`
    const before = (parts.get(key) ?? '').slice(0, event.at)
    parts.set(key, before + event.text)
    const at = Math.max(0, event.at - (luck[i % luck.length] ?? 0))
    return { ...event, at, text: before.slice(at) + event.text }
  })
}

/**
 * Batches in which deltas of one part became one at their first place, never across another event that bears on a whole
 * message or on the thread.
 */
export function mergedDeltas(batches: readonly (readonly StampedEvent[])[]): StampedEvent[][] {
  let last = 0
  return batches.map((batch) =>
    mergedIn(batch).map((event) => {
      const prev = last
      last = event.seq
      return { ...event, prev }
    }),
  )
}

function mergedIn(batch: readonly StampedEvent[]): StampedEvent[] {
  const merged: StampedEvent[] = []
  /** By message: where in `merged` the delta stands that may still grow. */
  const growing = new Map<string, number>()
  for (const event of batch) {
    if (event.type !== 'message.delta') {
      for (const id of growing.keys()) if (bearsOn(event, id)) growing.delete(id)
      merged.push(event)
      continue
    }
    const place = growing.get(event.id) ?? -1
    const known = merged[place]
    if (known?.type === 'message.delta' && known.part === event.part) {
      merged[place] = { ...known, text: known.text + event.text }
    } else {
      growing.set(event.id, merged.length)
      merged.push(event)
    }
  }
  return merged
}

function bearsOn(event: StampedEvent, id: string): boolean {
  switch (event.type) {
    case 'message.start':
    case 'message.end':
    case 'message.remove':
      // What is named by a provider's id may be this message.
      return event.id === id || event.id.startsWith('p')
    case 'message':
      return event.message.id === id || event.message.id.startsWith('p')
    default:
      return ['values', 'rewind', 'run.start', 'run.end'].includes(event.type)
  }
}
