import { applyWrites, type StateSchema, type Values } from '../state/schema.ts'
import type { SavedCheckpoint } from './checkpointer.ts'

/** State as readers saw it last: with what had ended of a step that waits for an answer, or did. It never goes backwards. */
export function seenValues(schema: StateSchema, { values, tasks }: Pick<SavedCheckpoint, 'values' | 'tasks'>): Values {
  const waits = tasks.some((task) => task.interrupts !== undefined)
  const shown = tasks.filter((task) => waits || task.shown)
  const writes = shown.map(({ node, updates = [] }) => ({ writer: `node "${node}"`, updates }))
  return applyWrites(schema, values, writes)
}
