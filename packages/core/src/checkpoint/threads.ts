import {
  formatNamespace,
  RivuletError,
  ROOT,
  type GraphState,
  type Namespace,
  type StateOptions,
  type TaskState,
} from '@rivulet/protocol/model'
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
import { askInstead, nothingWaits, questionsOf, waitingAbove } from './asked.ts'
import type { Checkpoint, SavedCheckpoint, TaskRecord } from './checkpointer.ts'
import { belowTask, pathTo, savedAt, type Place } from './place.ts'
import { revive } from './revive.ts'
import { assertSavable } from './savable.ts'
import { seenValues, withEnded } from './seen.ts'

/** A thread's state as its graph, or one below, shows it; `undefined` when the thread, the graph or the checkpoint is not there. */
export async function stateOf(
  root: Place,
  { checkpointId, ns = ROOT, subgraphs = false }: StateOptions,
): Promise<GraphState | undefined> {
  const place = (await pathTo(root, ns))?.at(-1)
  const saved = place && (await savedAt(place, checkpointId))
  return saved && stateAt(place, saved, subgraphs)
}

/** A thread's states, or those of a graph below, newest first. */
export async function* historyOf(
  root: Place,
  { ns = ROOT, ...options }: { limit?: number; before?: string; ns?: Namespace },
): AsyncGenerator<GraphState, void, undefined> {
  const place = (await pathTo(root, ns))?.at(-1)
  if (place === undefined) return
  const { checkpointer, threadId } = place
  for await (const saved of checkpointer.list(threadId, formatNamespace(ns), options))
    yield graphState(place, revive(saved))
}

async function stateAt(place: Place, saved: SavedCheckpoint, subgraphs: boolean): Promise<GraphState> {
  const state = graphState(place, saved)
  return subgraphs ? { ...state, tasks: await tasksOf(place, saved) } : state
}

function graphState({ plan, ns }: Place, saved: SavedCheckpoint): GraphState {
  const { nodes, sends } = leftOf(saved, ns)
  return {
    values: visible(plan.schema, withEnded(plan.schema, saved)),
    next: [...sends.map(({ node }) => node), ...asAdded(plan, nodes)],
    checkpointId: saved.id,
    ...(saved.parent !== undefined && { parentCheckpointId: saved.parent }),
    createdAt: saved.createdAt,
    step: saved.step,
    source: saved.source,
    interrupts: questionsOf(saved).map(({ id, value }) => ({ id, value })),
    metadata: saved.metadata,
  }
}

/** Names of these nodes, in the order in which they were added to the graph. */
function asAdded(plan: Plan, nodes: NextStep['nodes']): readonly string[] {
  const names = new Set(nodes.map(({ name }) => name))
  return [...plan.nodes.keys(), START].filter((name) => names.has(name))
}

/** The tasks of the next step that have not ended, in the order of `next`, each with the state below it. */
async function tasksOf(place: Place, saved: SavedCheckpoint): Promise<readonly TaskState[]> {
  const { next, tasks } = saved
  const base = baseOf(saved, place.ns)
  const planned = [
    ...next.sends.map(({ node }, i) => ({ id: sendTaskId(base, i, node), node })),
    ...asAdded(place.plan, next.nodes).map((node) => ({ id: nodeTaskId(base, node), node })),
  ]
  const ended = endedOf(tasks)
  const left = planned.filter(({ id, node }) => !ended.has(id) && node !== START)
  return Promise.all(left.map((task) => taskState(place, task, tasks)))
}

async function taskState(
  place: Place,
  task: { readonly id: string; readonly node: string },
  records: readonly TaskRecord[],
): Promise<TaskState> {
  const asked = records.find((record) => record.task === task.id)?.interrupts ?? []
  const below = await belowTask(place, task, asked)
  return {
    id: task.id,
    name: task.node,
    interrupts: asked.map(({ id, value, ns }) => ({ id, value, ...(ns !== undefined && { ns }) })),
    ...(below && { ns: below.ns }),
    ...(below?.plan && { state: await stateAt({ ...place, plan: below.plan, ns: below.ns }, below.saved, true) }),
  }
}

/** What of the next step has not ended yet. */
function leftOf(saved: SavedCheckpoint, ns: Namespace): Pick<NextStep, 'nodes' | 'sends'> {
  const { next, tasks } = saved
  const ended = endedOf(tasks)
  if (ended.size === 0) return next
  const base = baseOf(saved, ns)
  return {
    nodes: next.nodes.filter(({ name }) => !ended.has(nodeTaskId(base, name))),
    sends: next.sends.filter(({ node }, i) => !ended.has(sendTaskId(base, i, node))),
  }
}

function endedOf(tasks: readonly TaskRecord[]): ReadonlySet<string> {
  return new Set(tasks.filter(({ updates }) => updates !== undefined).map(({ task }) => task))
}

/** What the ids of the tasks of a checkpoint's next step are made from. */
function baseOf({ id, step, tasksFrom }: SavedCheckpoint, ns: Namespace): string {
  return tasksFrom ?? taskBase(id, ns, step + 1)
}

/** How a thread is changed from outside. */
export interface ThreadChange {
  readonly update: unknown
  readonly asNode: string | undefined
  /** Checkpoint to start from; the newest when left out. */
  readonly from: string | undefined
  /** A graph below the root that waits for an answer. */
  readonly ns: Namespace | undefined
}

/** Writes a checkpoint whose state is the thread's after a change, of its graph or of one below. Answers its id. */
export async function updateThread(
  root: Place,
  runOf: (place: Place) => GraphRun,
  given: ThreadChange,
): Promise<string> {
  // Before anything is waited for: what the caller does to it later is not part of it.
  const change = { ...given, update: takeInput(given.update) }
  const { ns = ROOT } = change
  const path = await pathTo(root, ns)
  const place = path?.at(-1)
  if (path === undefined || place === undefined) throw nothingWaits(ns)
  const waiting = await waitingAbove(path)
  const asked = waiting.length > 0 ? questionsOf(await savedAt(place)) : []
  const made = await updateGraph(runOf(place), change)
  if (waiting.length > 0) await askInstead(waiting, asked, questionsOf(await savedAt(place)))
  return made
}

/** Writes a checkpoint whose state is the graph's after `update`. Answers its id. `graph` runs nothing but routers. */
async function updateGraph(graph: GraphRun, change: ThreadChange): Promise<string> {
  const { plan } = graph
  const { asNode, from, update } = change
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
    asNode === undefined ? besideTheStep(graph, saved, before, made) : await asTheNode(graph, saved, made, asNode)
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
function besideTheStep(
  { plan, ns }: GraphRun,
  saved: SavedCheckpoint | undefined,
  before: Values,
  made: Update,
): Changed {
  const values = applyWrites(plan.schema, before, [{ writer: 'the update', updates: [made] }])
  if (saved === undefined) return { values, next: NOTHING }
  return { values, next: saved.next, tasksFrom: baseOf(saved, ns) }
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
  const left = saved === undefined ? NOTHING : leftOf(saved, graph.ns)
  const others = { nodes: left.nodes.filter(({ name }) => name !== node), sends: left.sends }
  return { values, next: planNext(plan, [...(ended ?? []), { node, targets }], saved?.next ?? NOTHING, others) }
}
