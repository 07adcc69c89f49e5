import type { StampedEvent } from '../events/event.ts'
import { foldAll, skipGap } from '../fold/fold.ts'
import type { ThreadState } from '../fold/state.ts'

/** Folds what a log holds. Nothing is missing in a log: an event that does not fit is wrong itself and is skipped. */
export function foldHeld(state: ThreadState, events: readonly StampedEvent[]): ThreadState {
  let next = foldAll(state, events)
  while (next.gap !== undefined) next = foldAll(skipGap(next), events)
  return next
}
