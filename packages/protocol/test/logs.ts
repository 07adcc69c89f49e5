import type { RivuletEvent, RunEvent, StampedEvent } from '../src/events/event.ts'
import { serializeState } from '../src/fold/snapshot.ts'
import type { ThreadState } from '../src/fold/state.ts'

/** Events with the places a new log gives them. */
export function stampAll(events: readonly RunEvent[]): StampedEvent[] {
  return events.map((event, i) => ({ ...event, seq: i + 1 }))
}

/** Events as a reader at `cursor` gets them: each says what it follows when that is not the `seq` before its own. */
export function followOn(events: readonly RivuletEvent[], cursor: number): RivuletEvent[] {
  let before = cursor
  return events.map((event) => {
    const prev = before
    before = event.seq
    return prev === event.seq - 1 ? event : { ...event, prev }
  })
}

/** All that a state says, in a form that compares by content. */
export function stateOf(state: ThreadState): object {
  return { log: state.log, cursor: state.cursor, gap: state.gap, ...serializeState(state) }
}
