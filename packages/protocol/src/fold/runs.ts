import { ROOT } from '../namespace.ts'
import type { CheckpointEvent, RunEnd, RunStart } from '../events/event.ts'
import { close } from './messages.ts'
import { moveBase } from './past.ts'
import { toldSince } from './since.ts'
import { dropSpaces, dropUnnamed, unname, writableSpace } from './spaces.ts'
import { KEPT_RUNS, type Run, type ThreadState, type ToolRun } from './state.ts'
import { capOldest, dropWhere, keep, replaceMap, writable, type Work } from './work.ts'

/** A run begins. One that answers nothing starts afresh; one that resumes goes on in the namespaces it left. */
export function applyRunStart(work: Work, event: RunStart): undefined {
  const { run: id, graph, attempt = 1, resume } = event
  keep(work, event)
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
  if (goesOn) return
  if (![...runs.keys()].some(isElsewhere)) clearLastRun(work)
  // Nobody will answer what they wait for any more.
  cutTools(work, ({ origin }) => origin.run !== id && !isElsewhere(origin.run))
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
  const root = work.state.spaces.get('')
  const gone = root?.aside ?? []
  if (root === undefined || gone.length === 0) return
  unname(work, root, gone)
  dropUnnamed(work, gone)
}

/** A run is over: what it left open is cut, but for calls whose task waits for a person. Open messages of other runs stay. */
export function applyRunEnd(work: Work, event: RunEnd): undefined {
  const { run: id, status, error, assumed = false } = event
  const { state } = work
  const isOurs = ({ origin }: { origin: { run: string } }) => origin.run === id
  const { graph, attempt = 1, checkpoint }: Partial<Run> = state.runs.get(id) ?? {}
  for (const open of state.live.values()) if (isOurs(open)) close(work, open)
  keep(work, event)
  const runs = writable(work, 'runs')
  runs.set(id, { id, graph, attempt, status, error, checkpoint: event.checkpoint ?? checkpoint, assumed })
  capOldest(runs, KEPT_RUNS)
  // What the graphs above took of it is in their own lists by now.
  if (status !== 'interrupted')
    for (const { ns, showing } of state.spaces.values()) if (showing) writableSpace(work, ns).showing = []
  const waits = (task = '') => status === 'interrupted' && state.tasks.get(task)?.status === 'interrupted'
  cutTools(work, (tool) => isOurs(tool) && !waits(tool.origin.task))
  for (const [key, task] of state.tasks) {
    if (task.status === 'running' && isOurs(task)) writable(work, 'tasks').set(key, { ...task, status: 'aborted' })
  }
  // Where no task was told, none can be withdrawn; but what an interrupted run made may be, when it goes on.
  if (status !== 'interrupted' && !toldSince(state).some((told) => 'task' in told)) moveBase(work)
}

export function applyCheckpoint(work: Work, { run: id, ns = ROOT, id: checkpoint }: CheckpointEvent): undefined {
  const run = work.state.runs.get(id)
  if (run !== undefined && ns.length === 0) writable(work, 'runs').set(id, { ...run, checkpoint })
}

/** Whether this run has ended, so that whatever else comes of it is late. */
export function hasEnded(state: ThreadState, run: string): boolean {
  return (state.runs.get(run)?.status ?? 'running') !== 'running'
}
