import { sinceOf } from './since.ts'
import { emptyState, type OpenPart, type Space, type TaskRun, type ThreadState, type Told } from './state.ts'
import { beginWork, writable, type Work } from './work.ts'

/** Whether what a task makes is not decided: it runs, or waits for a person. */
export function isOpen(task: TaskRun | undefined): boolean {
  return task?.status === 'running' || task?.status === 'interrupted'
}

/** The state becomes the base, when all that was told is decided: by tasks that have ended, up to this step. */
export function moveBase({ state, fresh }: Work, step: number = Infinity): void {
  const isUndecided = (task: TaskRun) => isOpen(task) || (task.origin.ns.length === 0 && (task.step ?? 0) > step)
  if (state.live.size > 0 || [...state.tasks.values()].some(isUndecided)) return
  state.since = undefined
  state.base = { ...state, base: undefined }
  // What the base holds is not to be written to any more.
  fresh.clear()
}

/** What is not told again, as there is but one of it: texts of streaming messages and the values of namespaces. */
export interface Lasting {
  readonly live: ReadonlyMap<string, { readonly parts: readonly OpenPart[] }>
  readonly spaces: ReadonlyMap<string, { readonly values: Space['values'] }>
  readonly settled?: ThreadState['settled']
}

/** Tells an event of the past once more. */
export type Tell = (work: Work, told: Told) => void

/** The fold of what was told on its base, with what lasts. A message that comes out the same stays the same object. */
export function refold(
  base: ThreadState | undefined,
  told: readonly Told[],
  lasting: Lasting,
  tell: Tell,
): ThreadState {
  const work = beginWork(base ?? emptyState())
  for (const one of told) tell(work, one)
  const { live, spaces, settled } = work.state
  for (const [id, open] of live) writable(work, 'live').set(id, { ...open, parts: lasting.live.get(id)?.parts ?? [] })
  for (const [key, space] of spaces) {
    const { values = {} } = lasting.spaces.get(key) ?? {}
    if (values !== space.values) writable(work, 'spaces').set(key, { ...space, values })
  }
  for (const [id, entry] of settled) {
    const known = lasting.settled?.get(id)
    if (known && known !== entry && JSON.stringify(known) === JSON.stringify(entry)) {
      writable(work, 'settled').set(id, known)
    }
  }
  // The base stays where it is, whatever is left of what was told.
  return { ...work.state, base, since: sinceOf(told) }
}
