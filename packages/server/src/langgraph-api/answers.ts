import {
  formatNamespace,
  ROOT,
  type GraphState,
  type Namespace,
  type TaskState,
  type WireError,
} from '@rivulet/protocol'
import { writeMessages } from '@rivulet/protocol/wires/langgraph'
import type { Run, Thread } from '../threads/store.ts'

/** A question that waits at a checkpoint, and who asks it where that is known. */
export interface Waiting {
  readonly id: string
  readonly value: unknown
  readonly node?: string | undefined
}

/** What is known of a thread's newest step beyond what its checkpoint says. */
export interface Newest {
  readonly waiting: readonly Waiting[]
  /** Why its last run ended before its time. */
  readonly error?: Pick<WireError, 'code' | 'message' | 'node'> | undefined
}

const RUN_STATUS = {
  queued: 'pending',
  running: 'running',
  done: 'success',
  interrupted: 'interrupted',
  cancelled: 'interrupted',
  error: 'error',
} as const

/** A run's status in LangGraph's words. */
export type RunStatusName = (typeof RUN_STATUS)[Run['status']]

/** A run's status in LangGraph's words. */
export function statusOfRun({ status }: Pick<Run, 'status'>): RunStatusName {
  return RUN_STATUS[status]
}

/** A thread as LangGraph's clients see it; `state` adds what it holds. */
export function answerThread(thread: Thread, state?: GraphState): object {
  const { id, createdAt, updatedAt, status } = thread
  return {
    thread_id: id,
    created_at: timeOf(createdAt),
    updated_at: timeOf(updatedAt),
    state_updated_at: timeOf(updatedAt),
    metadata: metadataOf(thread),
    status,
    config: {},
    ...(state !== undefined && {
      values: writeMessages(state.values),
      interrupts: Object.fromEntries(
        tasksOf(state, undefined).flatMap(({ id, interrupts }) => (interrupts.length > 0 ? [[id, interrupts]] : [])),
      ),
    }),
  }
}

/** A thread's metadata, which name its graph as LangGraph's do. */
export function metadataOf({ graph, metadata }: Pick<Thread, 'graph' | 'metadata'>): Readonly<Record<string, unknown>> {
  return graph === undefined ? metadata : { ...metadata, graph_id: graph, assistant_id: graph }
}

/** A run as LangGraph's clients see it. */
export function answerRun(thread: string, run: Run): object {
  const { id, graph, createdAt, adapter = {} } = run
  const { metadata = {}, multitask = 'reject', ...asked } = adapter
  const at = timeOf(createdAt)
  return {
    run_id: id,
    thread_id: thread,
    assistant_id: graph,
    created_at: at,
    updated_at: at,
    status: statusOfRun(run),
    metadata,
    multitask_strategy: multitask,
    kwargs: asked,
  }
}

/** The state of a thread that has none yet. */
export const EMPTY_STATE = {
  values: {},
  next: [],
  tasks: [],
  metadata: {},
  created_at: null,
  checkpoint: null,
  parent_checkpoint: null,
} as const

/** A state as LangGraph's clients see it. `newest`: it is the thread's last. `ns`: it is of a graph below. */
export function answerState(
  thread: Thread,
  state: GraphState,
  { newest, ns = ROOT }: { newest?: Newest | undefined; ns?: Namespace } = {},
): object {
  const { values, metadata = {}, createdAt, checkpointId, parentCheckpointId, source, step } = state
  const checkpoint = (id: string | undefined): object | null =>
    id === undefined ? null : { ...placeOf(thread, ns), checkpoint_id: id, checkpoint_map: null }
  return {
    values: writeMessages(values),
    next: state.next,
    tasks: tasksOf(state, newest).map((task, i) => withBelow(thread, task, state.tasks?.[i])),
    metadata: {
      ...metadata,
      ...metadataOf({ graph: thread.graph, metadata: {} }),
      thread_id: thread.id,
      ...(source !== undefined && { source }),
      ...(step !== undefined && { step }),
      parents: {},
    },
    created_at: createdAt === undefined ? null : timeOf(createdAt),
    checkpoint: checkpoint(checkpointId),
    parent_checkpoint: checkpoint(parentCheckpointId),
  }
}

function placeOf({ id }: Thread, ns: Namespace): { thread_id: string; checkpoint_ns: string } {
  return { thread_id: id, checkpoint_ns: formatNamespace(ns) }
}

/** A task with the state below it, where that was asked for. */
function withBelow(thread: Thread, task: NextTask, { ns, state }: Partial<TaskState> = {}): object {
  if (ns === undefined) return task
  return {
    ...task,
    checkpoint: placeOf(thread, ns),
    state: state === undefined ? null : answerState(thread, state, { ns }),
  }
}

/** A task that would run next. */
interface NextTask {
  readonly id: string
  readonly name: string
  readonly error: string | null
  readonly interrupts: readonly { id: string; value: unknown }[]
  readonly path: readonly string[]
  readonly checkpoint: null
  readonly state: null
  readonly result: null
}

/** The tasks that would run next, each with what it asks; what nobody is known to ask is the first one's. */
function tasksOf(state: GraphState, newest: Newest | undefined): NextTask[] {
  const waiting: readonly Waiting[] = newest?.waiting ?? state.interrupts ?? []
  const error = newest?.error
  const askers = waiting.map(({ node }) => (node !== undefined && state.next.includes(node) ? node : state.next[0]))
  return state.next.map((name, i) => {
    const isFirst = state.next.indexOf(name) === i
    const failed = isFirst && error !== undefined && (error.node === undefined ? i === 0 : error.node === name)
    return {
      id: taskId(state, name, i),
      name,
      error: failed ? `${error.code}: ${error.message}` : null,
      interrupts: isFirst
        ? waiting.filter((_one, j) => askers[j] === name).map(({ id, value }) => ({ id, value }))
        : [],
      path: ['__pregel_pull', name],
      checkpoint: null,
      state: null,
      result: null,
    }
  })
}

function taskId({ checkpointId = '' }: GraphState, name: string, place = 0): string {
  return `${checkpointId}:${name}${place === 0 ? '' : `:${place}`}`
}

/** A graph as an assistant: there is one of each, under the graph's name. */
export function answerAssistant(name: string): object {
  return {
    assistant_id: name,
    graph_id: name,
    name,
    description: null,
    version: 1,
    config: {},
    context: {},
    metadata: { created_by: 'system' },
    created_at: EPOCH,
    updated_at: EPOCH,
  }
}

const EPOCH = timeOf(0)

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** What a run that was waited for came to. */
export function answerResult(
  values: Readonly<Record<string, unknown>>,
  interrupts: readonly { id: string; value: unknown }[],
  error: WireError | undefined,
): object {
  if (error !== undefined) return { __error__: { error: error.code, message: error.message } }
  // What a page shows under this key is a question, whatever the state holds.
  const asked = interrupts.length === 0 ? {} : { __interrupt__: interrupts.map(({ id, value }) => ({ id, value })) }
  return { ...(writeMessages(values) as object), ...asked }
}
