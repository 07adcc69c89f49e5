import { Send } from '../graph/command.ts'
import type { Target } from '../graph/plan.ts'
import { own } from '../state/own.ts'
import type { SavedCheckpoint, TaskRecord } from './checkpointer.ts'

/** A checkpoint as a run can use it, whatever its store made of it: sends are sends again, and state is frozen. */
export function revive(saved: SavedCheckpoint): SavedCheckpoint {
  const { values, tasks } = saved
  return {
    ...saved,
    // What a store in memory gives back is frozen already, with lists that know what they grew from.
    values: Object.isFrozen(values) ? values : Object.freeze(own(values)),
    tasks: tasks.map(reviveTask),
  }
}

function reviveTask(task: TaskRecord): TaskRecord {
  const { updates, targets, returned } = task
  return {
    ...task,
    ...(updates && { updates: updates.map(own) }),
    ...(targets && { targets: targets.map(reviveTarget) }),
    ...(returned && { returned: own(returned) }),
  }
}

/** A target as a run can use it: as text a send keeps its fields and loses its class. */
export function reviveTarget(target: Target): Target {
  if (typeof target === 'string' || target instanceof Send) return target
  const { node, input } = target as { node: string; input: unknown }
  return new Send(node, own(input))
}
