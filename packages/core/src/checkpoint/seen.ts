import { applyWrites, type StateSchema, type Values } from '../state/schema.ts'
import type { SavedCheckpoint, TaskRecord } from './checkpointer.ts'

type Standing = Pick<SavedCheckpoint, 'values' | 'tasks'>

/** State as readers saw it last: with what had ended of a step that waits for an answer, or did. It never goes backwards. */
export function seenValues(schema: StateSchema, { values, tasks }: Standing): Values {
  const waits = tasks.some((task) => task.interrupts !== undefined)
  return withUpdates(schema, values, waits ? tasks : tasks.filter((task) => task.shown))
}

/** State with what had ended of a step that stopped half way, whatever stopped it: it does not run again. */
export function withEnded(schema: StateSchema, { values, tasks }: Standing): Values {
  return withUpdates(schema, values, tasks)
}

function withUpdates(schema: StateSchema, values: Values, tasks: readonly TaskRecord[]): Values {
  const writes = tasks.map(({ node, updates = [] }) => ({ writer: `node "${node}"`, updates }))
  return applyWrites(schema, values, writes)
}
