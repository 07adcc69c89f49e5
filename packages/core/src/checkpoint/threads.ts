import { RivuletError, ROOT, type GraphState } from '@rivulet/protocol/model'
import { START } from '../graph/command.ts'
import type { Plan } from '../graph/plan.ts'
import type { GraphRun } from '../runtime/graph-run.ts'
import { nodeTaskId, randomId, sendTaskId, taskBase } from '../runtime/ids.ts'
import { savedOf } from '../runtime/run-scope.ts'
import { freshStanding } from '../runtime/standing.ts'
import { takeInput, taskAs } from '../runtime/start.ts'
import { NOTHING, planNext, type NextStep } from '../runtime/step.ts'
import { routesFrom } from '../runtime/task.ts'
import { applyWrites, initialValues, ownUpdate, visible, type Update, type Values } from '../state/schema.ts'
import type { Checkpoint, Checkpointer, SavedCheckpoint } from './checkpointer.ts'
import { revive } from './revive.ts'
import { assertSavable } from './savable.ts'
import { seenValues, withEnded } from './seen.ts'

/** A thread's state as its graph shows it; `undefined` when the thread or checkpoint is not there. */
export async function stateOf(
  checkpointer: Checkpointer,
  plan: Plan,
  threadId: string,
  id: string | undefined,
): Promise<GraphState | undefined> {
  const saved = await checkpointer.get(threadId, '', id)
  return saved && graphState(plan, revive(saved))
}

/** A thread's states, newest first. */
export async function* historyOf(
  checkpointer: Checkpointer,
  plan: Plan,
  threadId: string,
  options: { limit?: number; before?: string },
): AsyncGenerator<GraphState, void, undefined> {
  for await (const saved of checkpointer.list(threadId, '', options)) yield graphState(plan, revive(saved))
}

function graphState(plan: Plan, saved: SavedCheckpoint): GraphState {
  const { nodes, sends } = leftOf(saved)
  const names = new Set(nodes.map(({ name }) => name))
  return {
    values: visible(plan.schema, withEnded(plan.schema, saved)),
    next: [...sends.map(({ node }) => node), ...[...plan.nodes.keys(), START].filter((name) => names.has(name))],
    checkpointId: saved.id,
    ...(saved.parent !== undefined && { parentCheckpointId: saved.parent }),
    createdAt: saved.createdAt,
    step: saved.step,
    source: saved.source,
    interrupts: saved.tasks.flatMap((task) => (task.interrupts ?? []).map(({ id, value }) => ({ id, value }))),
    metadata: saved.metadata,
  }
}

/** What of the next step has not ended yet. */
function leftOf({ id, step, next, tasks, tasksFrom }: SavedCheckpoint): Pick<NextStep, 'nodes' | 'sends'> {
  const ended = new Set(tasks.filter(({ updates }) => updates !== undefined).map(({ task }) => task))
  if (ended.size === 0) return next
  const base = tasksFrom ?? taskBase(id, ROOT, step + 1)
  return {
    nodes: next.nodes.filter(({ name }) => !ended.has(nodeTaskId(base, name))),
    sends: next.sends.filter(({ node }, i) => !ended.has(sendTaskId(base, i, node))),
  }
}

/** How a thread is changed from outside. */
export interface ThreadChange {
  readonly update: unknown
  readonly asNode: string | undefined
  /** Checkpoint to start from; the newest when left out. */
  readonly from: string | undefined
}

/** Writes a checkpoint whose state is the thread's after `update`. Answers its id. `graph` runs nothing but routers. */
export async function updateThread(graph: GraphRun, change: ThreadChange): Promise<string> {
  const { plan } = graph
  const { asNode, from } = change
  const update = takeInput(change.update)
  if (typeof update !== 'object' || update === null)
    throw new RivuletError('INVALID_INPUT', 'an update is an object with state keys')
  if (asNode !== undefined && asNode !== START && !plan.nodes.has(asNode)) {
    const names = [...plan.nodes.keys()].join(', ')
    throw new RivuletError('INVALID_INPUT', `asNode "${asNode}" is no node; there are: ${names}`)
  }
  const saved = await savedOf(graph, from)
  if (saved === undefined && from !== undefined) throw new RivuletError('NOT_FOUND', `there is no checkpoint "${from}"`)
  const writer = asNode === undefined ? 'the update' : `node "${asNode}"`
  const made = ownUpdate(plan.schema, update, writer, randomId)
  assertSavable(made, { who: writer, node: asNode })
  const before = saved?.values ?? initialValues(plan.schema)
  const facts =
    asNode === undefined ? besideTheStep(plan, saved, before, made) : await asTheNode(graph, saved, made, asNode)
  const { values, ...rest } = facts
  graph.standAt({ ...freshStanding(values), step: (saved?.step ?? -1) + 1, checkpoint: saved?.id })
  graph.save('update', saved && before, { metadata: saved?.metadata ?? {}, ...rest })
  const checkpoint = graph.checkpoint!
  if (rest.tasksFrom !== undefined && saved !== undefined && saved.tasks.length > 0) graph.keepPending(saved)
  await graph.flush()
  return checkpoint
}

type Changed = Pick<Checkpoint, 'values' | 'next' | 'tasksFrom'>

/** What was to run still is, as the same tasks: what had ended of them counts, and what asks can be answered. */
function besideTheStep(plan: Plan, saved: SavedCheckpoint | undefined, before: Values, made: Update): Changed {
  const values = applyWrites(plan.schema, before, [{ writer: 'the update', updates: [made] }])
  if (saved === undefined) return { values, next: NOTHING }
  return { values, next: saved.next, tasksFrom: saved.tasksFrom ?? taskBase(saved.id, ROOT, saved.step + 1) }
}

/** The node counts as having run, beside what had ended; what else was to run still is. */
async function asTheNode(
  graph: GraphRun,
  saved: SavedCheckpoint | undefined,
  made: Update,
  node: string,
): Promise<Changed> {
  const { plan } = graph
  const before = saved === undefined ? initialValues(plan.schema) : seenValues(plan.schema, saved)
  graph.standAt(freshStanding(before))
  const targets = await routesFrom(graph, taskAs(graph, node), [made])
  const values = applyWrites(plan.schema, before, [{ writer: `node "${node}"`, updates: [made] }])
  const ended = saved?.tasks.flatMap(({ node: name, updates, targets: to = [] }) =>
    updates === undefined ? [] : [{ node: name, targets: to }],
  )
  const left = saved === undefined ? NOTHING : leftOf(saved)
  const others = { nodes: left.nodes.filter(({ name }) => name !== node), sends: left.sends }
  return { values, next: planNext(plan, [...(ended ?? []), { node, targets }], saved?.next ?? NOTHING, others) }
}
