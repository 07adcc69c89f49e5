import {
  currentRun,
  interruptsOf,
  parseCursor,
  RivuletError,
  ROOT,
  taskSegment,
  toRivuletError,
  valuesOf,
  type EventLog,
  type TaskRun,
  type ThreadState,
} from '@rivulet/protocol'
import { writeMessages } from '@rivulet/protocol/wires/langgraph'
import type { Deps } from '../app/deps.ts'
import { graphOf, stateOf } from '../app/thread-routes.ts'
import {
  asFields,
  type Fields,
  invalid,
  optionalChoice,
  optionalFields,
  optionalText,
  optionalTexts,
  text,
} from '../http/fields.ts'
import { publicError } from '../http/public-error.ts'
import type { RunRequest } from '../runs/run-request.ts'
import type { Thread } from '../threads/store.ts'
import { type AgentFailure, failureOf } from './agent-failure.ts'
import { frameSeq } from './agent-teller.ts'
import { countIn, graphOfAssistant, threadFor } from './request.ts'
import { checkOneWay, gotoOf, requestOf, updateOf } from './read-run.ts'

/** A command that was carried out. */
export interface AgentSuccess {
  readonly type: 'success'
  readonly id: number
  readonly result: object
  readonly meta: { readonly thread_id: string; readonly applied_through_seq: number }
}

/** What a command answers. */
export type AgentAnswer = AgentSuccess | AgentFailure

/** A command as a client sends it. */
export interface AgentCommand {
  readonly id: number
  readonly method: string
  readonly params: Fields
}

/** For whom a command is carried out, and on which thread. */
export interface AgentPlace {
  readonly tenant: string
  readonly thread: string
}

const STRATEGIES = ['reject', 'enqueue', 'interrupt', 'rollback'] as const
/** Of runs whose readers come with any wish. */
const RECORDED = ['updates', 'tasks', 'checkpoints'] as const
const MAX_PAGE = 100

/** Reads a command. Throws `INVALID_INPUT`. */
export function readCommand(json: unknown): AgentCommand {
  const { id, ...fields } = asFields(json, 'a command')
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw invalid('a command has a whole number as its id')
  return { id, method: text(fields, 'method'), params: optionalFields(fields, 'params') ?? {} }
}

/** Carries a command out. Never rejects: what fails is an answer too. */
export async function carryOut(deps: Deps, place: AgentPlace, command: AgentCommand): Promise<AgentAnswer> {
  const { id, method } = command
  try {
    const work = COMMANDS.get(method)
    if (work === undefined) {
      return { type: 'error', id, error: 'unknown_command', message: `there is no command ${JSON.stringify(method)}` }
    }
    const { result, appliedThrough } = await work(deps, place, command.params)
    const meta = { thread_id: place.thread, applied_through_seq: appliedThrough }
    return { type: 'success', id, result, meta }
  } catch (error) {
    return failed(deps, id, error)
  }
}

/** What a command that threw answers. */
export function failed(deps: Deps, id: number | null, error: unknown): AgentFailure {
  const told = publicError(error)
  if (told.code === 'INTERNAL') deps.onError(error)
  return failureOf(id, toRivuletError(told).toJSON())
}

/** What came of a command, and `seq` of the last frame that it took account of. */
interface Done {
  readonly result: object
  readonly appliedThrough: number
}

type Work = (deps: Deps, place: AgentPlace, params: Fields) => Promise<Done>

const COMMANDS: ReadonlyMap<string, Work> = new Map<string, Work>([
  ['run.start', startRun],
  ['input.respond', respond],
  ['state.get', getState],
  ['state.listCheckpoints', listCheckpoints],
  ['state.fork', forkState],
  ['agent.getTree', getTree],
])

async function startRun(deps: Deps, place: AgentPlace, params: Fields): Promise<Done> {
  const graph = text(params, 'assistant_id')
  graphOfAssistant(deps, graph)
  const thread = await threadFor(deps, place.tenant, place.thread, graph)
  const named = { strategy: params['multitaskStrategy'] ?? params['multitask_strategy'] }
  const multitask = optionalChoice(named, 'strategy', STRATEGIES) ?? 'enqueue'
  return begin(deps, place, thread, { ...requestOf(graph, params), multitask })
}

async function begin(deps: Deps, { tenant }: AgentPlace, thread: Thread, request: RunRequest): Promise<Done> {
  const { metadata } = request
  const adapter = { multitask: request.multitask, subgraphs: true, ...(metadata && { metadata }) }
  const { run } = await deps.runs.start(tenant, thread, { ...request, modes: RECORDED, adapter })
  // What comes from here on is of this run: a question among it is a new one.
  const before = parseCursor(run.after)?.seq ?? 0
  return { result: { run_id: run.id, thread_id: thread.id }, appliedThrough: frameSeq(before, Infinity) }
}

async function respond(deps: Deps, place: AgentPlace, params: Fields): Promise<Done> {
  const thread = await threadIn(deps, place)
  const log = await deps.store.openLog(place.tenant, thread.id)
  const waiting = interruptsOf(await log.snapshot()).map(({ id }) => id)
  const answers = answersIn(params)
  const unknown = Object.keys(answers).find((id) => !waiting.includes(id))
  if (unknown !== undefined) throw new RivuletError('NOT_FOUND', `nothing asks under ${JSON.stringify(unknown)}`)
  const update = params['update'] ?? undefined
  checkOneWay(answers, gotoOf(params['goto']))
  return begin(deps, place, thread, {
    ...requestOf(thread.graph ?? '', { config: params['config'], metadata: params['metadata'] }),
    input: update === undefined ? null : updateOf(update),
    resume: answers,
    // The run that asked may still be on its way out.
    multitask: 'enqueue',
  })
}

function answersIn(params: Fields): Fields {
  const { responses } = params
  const given = Array.isArray(responses) ? responses.map((one: unknown) => asFields(one, 'a response')) : [params]
  if (given.length === 0) throw invalid('responses must hold at least one response')
  return Object.fromEntries(given.map((one) => [text(one, 'interrupt_id'), one['response'] ?? null]))
}

async function getState(deps: Deps, place: AgentPlace, params: Fields): Promise<Done> {
  const thread = await threadIn(deps, place)
  const log = await deps.store.openLog(place.tenant, thread.id)
  const appliedThrough = frameSeq(log.head())
  const namespace = optionalTexts(params, 'namespace') ?? ROOT
  const keys = optionalTexts(params, 'keys')
  const state = namespace.length > 0 ? undefined : await stateOf(deps, place.tenant, thread, undefined)
  const values = state?.values ?? valuesOf(await log.snapshot(), namespace)
  const wanted = Object.entries(values).filter(([key]) => keys === undefined || keys.includes(key))
  return {
    result: {
      values: writeMessages(Object.fromEntries(wanted)),
      ...(state?.checkpointId !== undefined && { checkpoint: { id: state.checkpointId, ns: '' } }),
    },
    appliedThrough,
  }
}

async function listCheckpoints(deps: Deps, place: AgentPlace, params: Fields): Promise<Done> {
  const thread = await threadIn(deps, place)
  const log = await deps.store.openLog(place.tenant, thread.id)
  const before = optionalText(params, 'before')
  const limit = countIn(params, 'limit', MAX_PAGE) ?? MAX_PAGE
  const isRoot = (optionalTexts(params, 'namespace') ?? ROOT).length === 0
  if (before !== undefined) await stateOf(deps, place.tenant, thread, before)
  const options = { limit, ...(before !== undefined && { before }) }
  const history = isRoot ? graphOf(deps, thread)?.getStateHistory?.(thread.memory, options) : undefined
  const checkpoints: object[] = []
  for await (const { checkpointId: id, parentCheckpointId: parent, createdAt = 0, step, source, next } of history ??
    []) {
    checkpoints.push({
      id,
      ...(parent !== undefined && { parent_id: parent }),
      timestamp: new Date(createdAt).toISOString(),
      step,
      metadata: { source, next },
    })
  }
  return { result: { checkpoints }, appliedThrough: frameSeq(log.head()) }
}

async function forkState(deps: Deps, place: AgentPlace, params: Fields): Promise<Done> {
  const thread = await threadIn(deps, place)
  const checkpointId = text(params, 'checkpoint_id')
  await stateOf(deps, place.tenant, thread, checkpointId)
  const request = requestOf(thread.graph ?? '', { input: params['input'], config: params['config'] })
  return begin(deps, place, thread, { ...request, checkpointId, multitask: 'enqueue' })
}

async function getTree(deps: Deps, place: AgentPlace): Promise<Done> {
  const thread = await threadIn(deps, place)
  const state = await (await deps.store.openLog(place.tenant, thread.id)).snapshot()
  return { result: { tree: treeOf(state, thread.graph ?? '') }, appliedThrough: frameSeq(state.cursor) }
}

const STATUS = {
  running: 'running',
  ok: 'completed',
  done: 'completed',
  cached: 'completed',
  interrupted: 'interrupted',
  cancelled: 'interrupted',
  error: 'failed',
  aborted: 'failed',
} as const

interface TreeNode {
  readonly namespace: readonly string[]
  readonly status: (typeof STATUS)[keyof typeof STATUS]
  readonly graph_name: string
  readonly children?: readonly TreeNode[]
}

/** What runs in a thread, and below what. */
function treeOf(state: ThreadState, graph: string): TreeNode {
  const placed = [...state.tasks.values()].map((task) => ({ task, at: placeOf(task) }))
  const below = (namespace: readonly string[]): TreeNode[] =>
    placed
      .filter(({ at }) => at.length === namespace.length + 1 && namespace.every((segment, i) => at[i] === segment))
      .map(({ task, at }) =>
        withChildren({ namespace: at, status: STATUS[task.status], graph_name: task.node }, below(at)),
      )
  const { status = 'done' } = currentRun(state) ?? {}
  return withChildren({ namespace: [], status: STATUS[status], graph_name: graph }, below([]))
}

function withChildren(node: TreeNode, children: readonly TreeNode[]): TreeNode {
  return children.length === 0 ? node : { ...node, children }
}

function placeOf({ id, node, origin }: TaskRun): readonly string[] {
  return [...origin.ns, taskSegment(node, id)]
}

/** Where all that runs stands, without what is below what. */
export function statusEntries(state: ThreadState): object[] {
  const { status = 'done' } = currentRun(state) ?? {}
  return [
    { namespace: [], status: STATUS[status] },
    ...[...state.tasks.values()].map((task) => ({ namespace: placeOf(task), status: STATUS[task.status] })),
  ]
}

/** The thread. Throws `NOT_FOUND`. */
export async function threadIn({ store }: Deps, { tenant, thread: id }: AgentPlace): Promise<Thread> {
  const thread = await store.getThread(tenant, id)
  if (thread !== undefined) return thread
  throw new RivuletError('NOT_FOUND', `there is no thread ${id}`)
}

/** How many events the thread has that come after a frame of this id; all of them for what is none. */
export function eventsAfter(log: EventLog, frameId: string | undefined): number {
  const cursor = frameId === undefined ? undefined : parseCursor(frameId.replace(/\.\d{1,9}(?:s|@\d{1,15})?$/, ''))
  return log.head() - (cursor?.log === log.id ? Math.min(cursor.seq, log.head()) : 0)
}
