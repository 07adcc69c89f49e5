import { RivuletError, type GraphState } from '@rivulet/protocol'
import { START } from '../graph/command.ts'
import type { Plan } from '../graph/plan.ts'
import { checkpointId, randomId } from '../runtime/ids.ts'
import { NOTHING, planNext } from '../runtime/step.ts'
import { applyWrites, initialValues, ownUpdate, visible, type Values } from '../state/schema.ts'
import { diffOf } from './change.ts'
import type { Checkpoint, Checkpointer, SavedCheckpoint } from './checkpointer.ts'

/** A thread's state as its graph shows it; `undefined` when the thread or checkpoint is not there. */
export async function stateOf(
  checkpointer: Checkpointer,
  plan: Plan,
  threadId: string,
  id: string | undefined,
): Promise<GraphState | undefined> {
  const saved = await checkpointer.get(threadId, '', id)
  return saved && graphState(plan, saved)
}

/** A thread's states, newest first. */
export async function* historyOf(
  checkpointer: Checkpointer,
  plan: Plan,
  threadId: string,
  options: { limit?: number; before?: string },
): AsyncGenerator<GraphState, void, undefined> {
  for await (const saved of checkpointer.list(threadId, '', options)) yield graphState(plan, saved)
}

function graphState(plan: Plan, saved: SavedCheckpoint): GraphState {
  const ended = saved.tasks.filter((task) => task.updates !== undefined)
  const names = [...saved.next.sends.map(({ node }) => node), ...saved.next.nodes.map(({ name }) => name)]
  const values = withEnded(plan, saved)
  return {
    values: visible(plan.schema, values),
    next: names.filter((name) => !ended.some(({ node }) => node === name)),
    checkpointId: saved.id,
    ...(saved.parent !== undefined && { parentCheckpointId: saved.parent }),
    createdAt: saved.createdAt,
    step: saved.step,
    source: saved.source,
    interrupts: saved.tasks.flatMap((task) => (task.interrupts ?? []).map(({ id, value }) => ({ id, value }))),
    metadata: saved.metadata,
  }
}

/** State with what had ended of a step that stopped half way. */
function withEnded(plan: Plan, { values, tasks }: SavedCheckpoint): Values {
  const waits = tasks.some((task) => task.interrupts !== undefined)
  if (!waits) return values
  const writes = tasks.map(({ node, updates = [] }) => ({ writer: `node "${node}"`, updates }))
  return applyWrites(plan.schema, values, writes)
}

/** Writes a checkpoint whose state is the thread's after `update`. Answers its id. */
export async function updateThread(
  checkpointer: Checkpointer,
  plan: Plan,
  threadId: string,
  update: unknown,
  { asNode, checkpointId: from }: { asNode?: string; checkpointId?: string },
): Promise<string> {
  if (typeof update !== 'object' || update === null)
    throw new RivuletError('INVALID_INPUT', 'an update is an object with state keys')
  if (asNode !== undefined && asNode !== START && !plan.nodes.has(asNode)) {
    throw new RivuletError(
      'INVALID_INPUT',
      `asNode "${asNode}" is no node; there are: ${[...plan.nodes.keys()].join(', ')}`,
    )
  }
  const saved = await checkpointer.get(threadId, '', from)
  if (saved === undefined && from !== undefined) throw new RivuletError('NOT_FOUND', `there is no checkpoint "${from}"`)
  const before = saved?.values ?? initialValues(plan.schema)
  const writer = asNode === undefined ? 'the update' : `node "${asNode}"`
  const values = applyWrites(plan.schema, before, [
    { writer, updates: [ownUpdate(plan.schema, update, writer, randomId)] },
  ])
  const now = Date.now()
  const checkpoint: Checkpoint = {
    id: checkpointId(now),
    parent: saved?.id,
    step: (saved?.step ?? -2) + 1,
    source: from === undefined ? 'update' : 'fork',
    createdAt: now,
    values,
    next:
      asNode === undefined
        ? (saved?.next ?? NOTHING)
        : planNext(plan, [{ node: asNode, targets: [] }], saved?.next ?? NOTHING),
    metadata: saved?.metadata ?? {},
  }
  await checkpointer.put(threadId, '', checkpoint, saved && diffOf(before, values))
  return checkpoint.id
}
