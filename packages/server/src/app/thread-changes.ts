import {
  randomId,
  RivuletError,
  ROOT,
  type GraphState,
  type RunEvent,
  type StateOptions,
  type StreamableGraph,
} from '@rivulet/protocol'
import { checkId, type Fields, optionalFields, optionalText, optionalTexts } from '../http/fields.ts'
import { splitState } from '../runs/taken-back.ts'
import type { Thread } from '../threads/store.ts'
import type { Deps } from './deps.ts'
import { newThread } from './run-routes.ts'

/** A graph whose threads can be read and changed. */
type Changeable = StreamableGraph & Required<Pick<StreamableGraph, 'getState' | 'updateState'>>

/**
 * Updates a thread's state as a node would, and shows readers what it is then. Answers the checkpoint it wrote. Throws
 * `RUN_CONFLICT` while a run is under way, and what the graph throws for an update it cannot take.
 */
export async function updateState(deps: Deps, tenant: string, thread: Thread, body: Fields): Promise<string> {
  const graph = changeable(deps, thread)
  const asNode = optionalText(body, 'asNode')
  const checkpointId = optionalText(body, 'checkpointId')
  const ns = optionalTexts(body, 'ns') ?? ROOT
  return deps.runs.whileIdle(tenant, thread, async () => {
    if (checkpointId !== undefined) await stateAt(graph, thread, { checkpointId, ns })
    const options = {
      ...(asNode !== undefined && { asNode }),
      ...(checkpointId !== undefined && { checkpointId }),
      ...(ns.length > 0 && { ns }),
    }
    const made = await graph.updateState(thread.memory, body['update'] ?? {}, options)
    // A page shows the root, whose newest checkpoint stays the one it is when a graph below changes.
    const state = await stateAt(graph, thread, ns.length > 0 ? {} : { checkpointId: made })
    const log = await deps.store.openLog(tenant, thread.id)
    const { spaces } = await log.snapshot()
    await log.append(shownState(state.checkpointId ?? made, state, Object.keys(spaces.get('')?.lists ?? {})))
    const status = (state.interrupts ?? []).length > 0 ? 'interrupted' : 'idle'
    await deps.store.changeThread(tenant, thread.id, { status, updatedAt: deps.now() })
    return made
  })
}

/**
 * Makes a thread that begins with the state of another, at a checkpoint or the last. Throws `NOT_FOUND` without such a
 * state, `RUN_CONFLICT` when the new id is taken.
 */
export async function forkThread(deps: Deps, tenant: string, from: Thread, body: Fields): Promise<Thread> {
  const graph = changeable(deps, from)
  const given = optionalText(body, 'id')
  const id = given === undefined ? randomId() : checkId(given, 'id')
  const checkpointId = optionalText(body, 'checkpointId')
  const state = await stateAt(graph, from, checkpointId === undefined ? {} : { checkpointId })
  const fork = { ...newThread(deps, id, optionalFields(body, 'metadata') ?? {}), graph: from.graph }
  const { created } = await deps.store.createThread(tenant, fork)
  if (!created) throw new RivuletError('RUN_CONFLICT', `there is a thread ${id} already`)
  const made = await graph.updateState(fork.memory, state.values)
  const { spaces } = await (await deps.store.openLog(tenant, from.id)).snapshot()
  const log = await deps.store.openLog(tenant, id)
  // As it is there: nothing waits on a new thread, whatever was asked on the one it came from.
  const begun = await stateAt(graph, fork, { checkpointId: made })
  await log.append(shownState(made, begun, Object.keys(spaces.get('')?.lists ?? {})))
  return fork
}

function changeable({ graphs }: Deps, { graph: name }: Thread): Changeable {
  const graph = name === undefined ? undefined : graphs.get(name)
  if (graph?.getState !== undefined && graph.updateState !== undefined) return graph as Changeable
  throw new RivuletError('UNSUPPORTED', 'the graph of this thread keeps no checkpoints')
}

async function stateAt(graph: Changeable, { id, memory }: Thread, at: StateOptions): Promise<GraphState> {
  const state = await graph.getState(memory, at)
  if (state !== undefined) return state
  throw new RivuletError('NOT_FOUND', `there is no such state on thread ${id}`)
}

/** Tells readers of a state that no run made. */
function shownState(to: string, state: GraphState, lists: readonly string[]): RunEvent[] {
  // Nothing else has this id: it is no run's.
  const run = randomId()
  return [
    { type: 'rewind', run, to, reason: 'fork', state: splitState(state.values, lists) },
    ...(state.interrupts ?? []).map(({ id, value }): RunEvent => ({ type: 'interrupt', run, id, value })),
  ]
}
