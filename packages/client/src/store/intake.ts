import { foldNews, type RivuletEvent, type Run, type RunStatus, type ThreadState } from '@rivulet/protocol'
import type { ThreadFacts } from './facts.ts'
import { settleOutbox } from './outbox.ts'

/** A run that is over. */
export type EndedRun = Run & { status: RunStatus }

/** What came of a group of events. */
export interface Intake {
  facts: ThreadFacts
  /** The events that were applied: what was seen before or must wait for a missing one is not among them. */
  applied: readonly RivuletEvent[]
  /** Runs that began in them. */
  begun: readonly Run[]
  /** Runs that ended in them, however that was learned. */
  ended: readonly EndedRun[]
  /** Whether they went beyond what was there, other than by a snapshot. */
  advanced: boolean
}

/** Folds a group of events into the facts. Pure; the same facts come back when nothing changed. */
export function takeIn(facts: ThreadFacts, events: readonly RivuletEvent[]): Intake {
  const before = facts.state
  const { state, applied } = foldNews(before, events)
  if (state === before) return { facts, applied: [], begun: [], ended: [], advanced: false }
  return {
    facts: { ...facts, state, outbox: settleOutbox(facts.outbox, state) },
    applied,
    begun: applied.flatMap((event) => (event.type === 'run.start' ? (state.runs.get(event.run) ?? []) : [])),
    ended: endedRuns(facts, state, applied),
    advanced: applied.some((event) => event.type !== 'sync'),
  }
}

/**
 * Runs that are over now: those whose end is among the events, and those a snapshot shows to have ended meanwhile, also
 * when it is the first that is heard of a run that was being started: the answer to its start may have been lost.
 */
function endedRuns(
  { state: before, starts }: ThreadFacts,
  after: ThreadState,
  applied: readonly RivuletEvent[],
): readonly EndedRun[] {
  if (before.runs === after.runs) return []
  const told = new Set(applied.flatMap((event) => (event.type === 'run.end' ? [event.run] : [])))
  const isNews = ({ id }: Run) =>
    told.has(id) || before.runs.get(id)?.status === 'running' || starts.some(({ run }) => run === id)
  return [...after.runs.values()].filter((run): run is EndedRun => run.status !== 'running' && isNews(run))
}

/**
 * The facts once a run was stopped that nobody but this side can stop: its end is assumed. The log is forgotten, as it
 * does not hold that end: the next read begins with a snapshot.
 */
export function assumeEnd(facts: ThreadFacts, run: string): Intake {
  const seq = facts.state.cursor + 1
  const intake = takeIn(facts, [{ type: 'run.end', run, status: 'cancelled', assumed: true, seq }])
  return { ...intake, facts: { ...intake.facts, state: { ...intake.facts.state, log: '' } } }
}
