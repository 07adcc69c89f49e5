import type { RivuletEvent, StampedEvent, Sync, Stamp } from '../events/event.ts'
import { handlerOf } from './kinds.ts'
import { hasEnded } from './runs.ts'
import { isPlaced } from './shapes.ts'
import { deserializeState, isSerialized } from './snapshot.ts'
import type { ThreadState } from './state.ts'
import { beginWork, type Work } from './work.ts'

/**
 * The state after one event. Pure: `state` stays as it is, unchanged parts keep their identity, and the same state comes
 * back when the event changes nothing. Never throws on what arrives: an event already seen is dropped, an unknown or
 * malformed one is counted in `ignored`, one that something must be missing before sets `gap`.
 */
export function fold(state: ThreadState, event: RivuletEvent): ThreadState {
  return foldAll(state, [event])
}

/** The state after all events: equal to folding one by one, several times cheaper. The unit of atomicity for a batch. */
export function foldAll(state: ThreadState, events: readonly RivuletEvent[]): ThreadState {
  return foldNews(state, events).state
}

/** What events came to. */
export interface News {
  /** The state after them. */
  readonly state: ThreadState
  /** Those that were taken in, and each snapshot that took the place of events; not what was seen before or waits. */
  readonly applied: readonly RivuletEvent[]
}

/** As {@link foldAll}, with what of the events was new. */
export function foldNews(state: ThreadState, events: readonly RivuletEvent[]): News {
  const applied: RivuletEvent[] = []
  let work: Work | undefined
  for (const event of events) {
    const now = work?.state ?? state
    if (!isPlaced(event)) work = beginWork({ ...now, ignored: now.ignored + 1 })
    else if (event.type === 'sync') {
      const next = afterSync(now, event)
      if (next === now) continue
      work = beginWork(next)
      if (event.phase === 'snapshot' && !next.gap) applied.push(event)
    } else if (!now.gap && event.seq > now.cursor) {
      work ??= beginWork(state)
      step(work, event)
      if (!work.state.gap) applied.push(event)
    }
  }
  return { state: work?.state ?? state, applied }
}

function step(work: Work, event: StampedEvent): void {
  const { state } = work
  const { seq, prev = seq - 1 } = event
  if (prev > state.cursor && prev < seq) {
    state.gap = { reason: `events ${state.cursor + 1} to ${prev} did not arrive`, seq }
    return
  }
  const apply = prev < seq ? handlerOf(event) : undefined
  if (apply === undefined || (hasEnded(state, event.run) && !restarts(state, event))) {
    state.ignored++
    state.cursor = seq
    return
  }
  const missing = apply(work, event)
  if (missing === undefined) state.cursor = seq
  else state.gap = { reason: missing, seq }
}

/** A run that had ended may begin again only with a higher attempt, after a crash. */
function restarts(state: ThreadState, event: StampedEvent): boolean {
  return event.type === 'run.start' && (event.attempt ?? 1) > (state.runs.get(event.run)?.attempt ?? 1)
}

/**
 * A snapshot replaces the state when it is of another log, is not older than what we have, or we are in a gap. A replay
 * ends a gap when it begins at or before our cursor.
 */
function afterSync(state: ThreadState, event: Sync & Stamp): ThreadState {
  const { log, seq } = event
  const inGap = (reason: string): ThreadState => ({ ...state, gap: { reason, seq } })
  if (event.phase === 'snapshot') {
    if (log === state.log && seq < state.cursor && state.gap === undefined) return state
    // Another program's snapshot may have any shape; it is no reason to lose what is on screen.
    if (!isSerialized(event.state)) return inGap('the snapshot cannot be read')
    return { ...deserializeState(event.state), log, cursor: seq, lineage: state.lineage }
  }
  if (event.phase !== 'replay') return state
  if (state.log !== '' && state.log !== log) return inGap(`the log is ${log}, ours was ${state.log}`)
  if (seq > state.cursor) return inGap(`the replay begins behind ${seq}, we have ${state.cursor}`)
  return state.gap === undefined && state.log === log ? state : { ...state, log, gap: undefined }
}

/**
 * The state with its gap stepped over: the event that could not be applied is counted as ignored. For whoever holds all
 * there is, such as a log: nothing is missing there, so the event itself was wrong.
 */
export function skipGap(state: ThreadState): ThreadState {
  if (state.gap === undefined) return state
  return { ...state, gap: undefined, cursor: state.gap.seq, ignored: state.ignored + 1 }
}
