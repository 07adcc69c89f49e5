import type { TaskRecord } from '../checkpoint/checkpointer.ts'
import type { Writes } from '../state/schema.ts'
import type { Task, TaskResult } from './host.ts'

/** A task with how it ended. */
export interface Ran {
  readonly task: Task
  readonly result: TaskResult
}

/** Whether a task's result stands, whatever becomes of its step. */
export function hasEnded({ result }: Ran): boolean {
  return result.outcome === 'ok' || result.outcome === 'cached'
}

/** In the order their writes apply, whoever was faster: nodes that edges reached, then sends. */
export function inApplyOrder(ran: readonly Ran[]): readonly Ran[] {
  return [...ran.filter(({ task }) => !task.sent), ...ran.filter(({ task }) => task.sent)]
}

/** What a task wrote, with its name. */
export function writesOf({ task, result }: Ran): Writes {
  return { writer: `node "${task.spec.name}"`, updates: result.updates }
}

/** Index of the first of `writes` up to which they cannot be applied. */
export function firstFailing(writes: readonly Writes[], apply: (some: readonly Writes[]) => unknown): number {
  return writes.findIndex((_, i) => {
    try {
      apply(writes.slice(0, i + 1))
      return false
    } catch {
      return true
    }
  })
}

/** What a step that stops half way keeps of a task; nothing when it runs again from its start. */
export function recordOf({ task, result }: Ran): TaskRecord[] {
  const base = { task: task.id, node: task.spec.name }
  const { outcome, updates, targets, asked, attempt = 1 } = result
  if (outcome === 'ok') return [{ ...base, updates, targets }]
  if (outcome === 'cached') return [{ ...base, updates, targets, shown: true }]
  return asked.length > 0 ? [{ ...base, interrupts: asked, attempt }] : []
}

/** How a task ended that was kept so. */
export function restored({ updates = [], targets = [] }: TaskRecord): TaskResult {
  return { outcome: 'cached', updates, targets, asked: [] }
}
