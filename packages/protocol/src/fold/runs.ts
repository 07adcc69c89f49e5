import { ROOT } from '../namespace.ts'
import type { RunEnd, RunStart } from '../events/event.ts'
import { forget } from './messages.ts'
import { messageOfOpen, putSettled, settle } from './entries.ts'
import { idsOf, writableSpace } from './spaces.ts'
import { KEPT_RUNS, type ThreadState } from './state.ts'
import { capOldest, replaceMap, writable, type Work } from './work.ts'

/** A run begins. One that answers nothing starts afresh; one that resumes goes on in the namespaces it left. */
export function applyRunStart(work: Work, event: RunStart): undefined {
  const runs = writable(work, 'runs')
  runs.delete(event.run)
  runs.set(event.run, {
    id: event.run,
    graph: event.graph,
    attempt: event.attempt ?? 1,
    status: 'running',
    error: undefined,
    checkpoint: undefined,
    assumed: false,
  })
  capOldest(runs, KEPT_RUNS)
  work.state.current = event.run
  replaceMap(work, 'tasks', new Map())
  if (event.attempt !== undefined && event.attempt > 1) return
  if (event.resume !== undefined) {
    const interrupts = writable(work, 'interrupts')
    for (const id of event.resume) interrupts.delete(id)
    return
  }
  clearLastRun(work)
}

/** Drops what lives only until the next run: namespaces below the root, transient messages, what nodes wrote. */
function clearLastRun(work: Work): void {
  if (work.state.interrupts.size > 0) replaceMap(work, 'interrupts', new Map())
  if (work.state.custom.size > 0) {
    replaceMap(work, 'custom', new Map([...work.state.custom].filter(([, entry]) => entry.toolCallId !== undefined)))
  }
  dropSpacesBelow(work, (key) => key !== '')
  const root = work.state.spaces.get('')
  const aside = root?.pending.filter((id) => work.state.settled.get(id)?.transient) ?? []
  if (aside.length === 0) return
  for (const id of aside) forget(work, id)
  const gone = new Set(aside)
  const space = writableSpace(work, ROOT)
  space.pending = space.pending.filter((id) => !gone.has(id))
}

/** Drops the spaces whose key `drop` takes, and the messages that no other space names. Returns the ids they named. */
export function dropSpacesBelow(work: Work, drop: (key: string) => boolean): ReadonlySet<string> {
  const dropped = [...work.state.spaces].filter(([key]) => drop(key))
  if (dropped.length === 0) return new Set()
  const spaces = writable(work, 'spaces')
  for (const [key] of dropped) spaces.delete(key)
  const kept = new Set([...spaces.values()].flatMap(idsOf))
  const named = new Set(dropped.flatMap(([, space]) => [...idsOf(space), ...space.touched]))
  for (const id of named) if (!kept.has(id)) forget(work, id)
  return named
}

/** A run is over: what it left open is cut. Open messages of other runs stay open. */
export function applyRunEnd(work: Work, event: RunEnd): undefined {
  const known = work.state.runs.get(event.run)
  writable(work, 'runs').set(event.run, {
    id: event.run,
    graph: known?.graph,
    attempt: known?.attempt ?? 1,
    status: event.status,
    error: event.error,
    checkpoint: event.checkpoint ?? known?.checkpoint,
    assumed: event.assumed ?? false,
  })
  for (const [id, open] of work.state.live) {
    if (open.origin.run === event.run) putSettled(work, id, settle(open, messageOfOpen(open, 'cut')))
  }
  for (const [id, tool] of work.state.tools) {
    if (tool.status === 'running' && tool.origin.run === event.run)
      writable(work, 'tools').set(id, { ...tool, status: 'cut' })
  }
  for (const [id, task] of work.state.tasks) {
    if (task.status === 'running' && task.origin.run === event.run) {
      writable(work, 'tasks').set(id, { ...task, status: 'aborted' })
    }
  }
}

/** Whether this run has ended, so that whatever else comes of it is late. */
export function hasEnded(state: ThreadState, run: string): boolean {
  const known = state.runs.get(run)
  return known !== undefined && known.status !== 'running'
}
