import { formatNamespace, parseSegment, RivuletError, type Namespace } from '@rivulet/protocol/model'
import type { InterruptRecord, SavedCheckpoint, TaskRecord } from './checkpointer.ts'
import { savedAt, type Place } from './place.ts'

/** A task that waits for the graph below it, where that is kept. */
interface Waiting {
  readonly place: Place
  readonly saved: SavedCheckpoint
  readonly record: TaskRecord
}

/** The tasks above the last of these places. Throws `INVALID_INPUT` unless all wait: otherwise it would begin anew. */
export async function waitingAbove(path: readonly Place[]): Promise<readonly Waiting[]> {
  const waiting: Waiting[] = []
  for (const [i, below] of path.slice(1).entries()) {
    const place = path[i]!
    const { task } = parseSegment(below.ns[place.ns.length]!)
    const saved = await savedAt(place)
    const record = saved?.tasks.find((one) => one.task === task && one.interrupts !== undefined)
    if (saved === undefined || record === undefined) throw nothingWaits(below.ns)
    waiting.push({ place, saved, record })
  }
  return waiting
}

/** What nothing can be changed below. */
export function nothingWaits(ns: Namespace): RivuletError {
  return new RivuletError(
    'INVALID_INPUT',
    `nothing waits for an answer in "${formatNamespace(ns)}": a graph below can be changed while it does`,
  )
}

/** Questions of a checkpoint's next step. */
export function questionsOf(saved: SavedCheckpoint | undefined): readonly InterruptRecord[] {
  return saved?.tasks.flatMap(({ interrupts = [] }) => interrupts) ?? []
}

/** Tells the tasks above that the graph below them asks `now` instead of what it had asked. */
export async function askInstead(
  waiting: readonly Waiting[],
  before: readonly InterruptRecord[],
  now: readonly InterruptRecord[],
): Promise<void> {
  const gone = new Set(before.map(({ id }) => id))
  for (const { place, saved, record } of waiting) {
    const interrupts = [...(record.interrupts ?? []).filter(({ id }) => !gone.has(id)), ...now]
    const tasks = saved.tasks.map((task) => (task === record ? { ...task, interrupts } : task))
    const { answers } = saved
    await place.checkpointer.putPending(place.threadId, formatNamespace(place.ns), saved.id, { tasks, answers })
  }
}
