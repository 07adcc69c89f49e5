import { ROOT } from '../namespace.ts'
import type { RunEnd, RunStart } from '../events/event.ts'
import { messageOfOpen, putSettled, settle, versionOf } from './entries.ts'
import { dropSpaces, forget } from './forget.ts'
import { without, writableSpace } from './spaces.ts'
import { KEPT_RUNS, type Run, type ThreadState, type ToolRun } from './state.ts'
import { capOldest, dropWhere, replaceMap, writable, type Work } from './work.ts'

/** A run begins. One that answers nothing starts afresh; one that resumes goes on in the namespaces it left. */
export function applyRunStart(work: Work, event: RunStart): undefined {
  const { run: id, graph, attempt = 1, resume } = event
  const runs = writable(work, 'runs')
  runs.delete(id)
  runs.set(id, { id, graph, attempt, status: 'running', error: undefined, checkpoint: undefined, assumed: false })
  capOldest(runs, KEPT_RUNS)
  work.state.current = id
  const isElsewhere = (other: string) => other !== id && runs.get(other)?.status === 'running'
  // What ended or asked before a run goes on tells what the next `values` may commit.
  const goesOn = resume !== undefined || attempt > 1
  dropWhere(work, 'tasks', ({ status, origin }) => !isElsewhere(origin.run) && (status === 'running' || !goesOn))
  if (resume !== undefined) dropWhere(work, 'interrupts', (interrupt) => resume.includes(interrupt.id))
  else if (!goesOn && ![...runs.keys()].some(isElsewhere)) clearLastRun(work)
  // Nobody will answer what they wait for any more.
  if (!goesOn) cutTools(work, ({ origin }) => origin.run !== id && !isElsewhere(origin.run))
}

function cutTools(work: Work, isCut: (tool: ToolRun) => boolean): void {
  for (const [call, tool] of work.state.tools) {
    if (tool.status === 'running' && isCut(tool)) writable(work, 'tools').set(call, { ...tool, status: 'cut' })
  }
}

/** Drops what lives only until the next run: namespaces below the root, messages set aside, what nodes wrote. */
function clearLastRun(work: Work): void {
  replaceMap(work, 'interrupts', new Map())
  dropWhere(work, 'custom', ({ toolCallId }) => toolCallId === undefined)
  dropSpaces(work, ({ ns }) => ns.length > 0)
  const pending = work.state.spaces.get('')?.pending ?? []
  const aside = new Set(pending.filter((id) => versionOf(work.state, id)?.aside.includes('')))
  if (aside.size === 0) return
  const space = writableSpace(work, ROOT)
  space.pending = without(space.pending, [...aside])
  space.touched = without(space.touched, [...aside])
  forget(work, aside)
}

/** A run is over: what it left open is cut, but for calls whose task waits for a person. Open messages of other runs stay. */
export function applyRunEnd(work: Work, event: RunEnd): undefined {
  const { run: id, status, error, assumed = false } = event
  const known: Partial<Run> = work.state.runs.get(id) ?? {}
  const { graph, attempt = 1, checkpoint } = known
  const runs = writable(work, 'runs')
  runs.set(id, { id, graph, attempt, status, error, checkpoint: event.checkpoint ?? checkpoint, assumed })
  capOldest(runs, KEPT_RUNS)
  for (const [message, open] of work.state.live) {
    if (open.origin.run === id) putSettled(work, message, settle(open, messageOfOpen(open, 'cut')))
  }
  // What the graphs above took of it is in their own lists by now.
  if (status !== 'interrupted')
    for (const { ns, showing } of work.state.spaces.values()) if (showing) writableSpace(work, ns).showing = []
  const waits = (task: string | undefined) =>
    status === 'interrupted' && task !== undefined && work.state.tasks.get(task)?.status === 'interrupted'
  cutTools(work, ({ origin }) => origin.run === id && !waits(origin.task))
  for (const [key, task] of work.state.tasks) {
    if (task.status === 'running' && task.origin.run === id)
      writable(work, 'tasks').set(key, { ...task, status: 'aborted' })
  }
}

/** Whether this run has ended, so that whatever else comes of it is late. */
export function hasEnded(state: ThreadState, run: string): boolean {
  const known = state.runs.get(run)
  return known !== undefined && known.status !== 'running'
}
