import {
  callSegment,
  formatNamespace,
  PROTOCOL_VERSION,
  RivuletError,
  taskSegment,
  type Namespace,
  type RunEnd,
  type RunStatus,
  type StreamMode,
} from '@rivulet/protocol/model'
import type { SavedCheckpoint } from '../checkpoint/checkpointer.ts'
import type { NodeContext } from '../graph/node-context.ts'
import type { Plan } from '../graph/plan.ts'
import { own } from '../state/own.ts'
import { pick } from '../state/pick.ts'
import { visible, type Values } from '../state/schema.ts'
import { wireErrorOf } from './announcer.ts'
import { Attempt } from './attempt.ts'
import type { Asked } from './host.ts'
import { GraphRun, type Outcome } from './graph-run.ts'
import { onAbort } from './on-abort.ts'
import { CommandFromBelow, ParentCommand } from './parent-command.ts'
import type { RunScope } from './run-scope.ts'
import { cancelled, checkSettings, savedOf, type RunSettings } from './run-scope.ts'
import { begin, beginBelow, beginningOf, takeInput } from './start.ts'
import { TaskContext } from './task-context.ts'

/** How a run ended. */
export interface RunResult {
  readonly status: RunStatus
  readonly values: Values
  readonly asked: readonly Asked[]
  /** What was thrown, untouched; on `error` and `cancelled`. */
  readonly error?: { readonly thrown: unknown }
}

/** What a run is asked to do beside its settings. */
export interface RunRequest {
  readonly plan: Plan
  readonly input: unknown
  readonly settings: RunSettings
  readonly checkpointId: string | undefined
  /** Name for `run.start`. */
  readonly graph: string
  readonly historyInLog: boolean
  readonly modes: readonly StreamMode[] | undefined
  readonly signal: AbortSignal | undefined
  /** Above 1 when the process that ran it stopped. */
  readonly attempt: number
}

/** Runs a graph once, from `run.start` to `run.end`. Never rejects: failing is a result. */
export async function drive(request: RunRequest, scope: RunScope): Promise<RunResult> {
  const { signal } = request
  const off = onAbort(signal, () => scope.stop(cancelled(scope.run, signal?.reason)))
  const graph = new GraphRun(scope, request.plan, [])
  try {
    return end(graph, await start(graph, request))
  } catch (thrown) {
    return fail(graph, thrown)
  } finally {
    off()
    scope.close()
  }
}

async function start(graph: GraphRun, request: RunRequest): Promise<Outcome> {
  const { scope } = graph
  const input = takeInput(request.input)
  let saved: SavedCheckpoint | undefined
  try {
    if (scope.stopped !== undefined) throw scope.stopped
    checkSettings(scope.settings, request.plan)
    scope.checkSavable({ metadata: own(scope.settings.metadata) }, { who: 'the caller', what: 'its metadata' })
    saved = await load(graph, request)
    const beginning = beginningOf(input, saved)
    announceStart(graph, request, beginning.kind === 'answer' ? [...beginning.answers.keys()] : undefined)
    if (saved !== undefined && !request.historyInLog) graph.announcer.history(saved.values)
    const isBranch = await branches(graph, request, saved)
    if (request.attempt > 1) graph.announcer.takeBack('recovery', saved)
    else if (isBranch && request.historyInLog) graph.announcer.takeBack('fork', saved)
    await begin(graph, beginning, saved, isBranch)
  } catch (error) {
    if (!scope.announced) announceStart(graph, request, undefined)
    throw error
  }
  return graph.run()
}

async function load(graph: GraphRun, { checkpointId }: RunRequest): Promise<SavedCheckpoint | undefined> {
  const saved = await savedOf(graph, checkpointId)
  const { thread } = graph.scope
  if (saved === undefined && checkpointId !== undefined && thread !== undefined) {
    throw new RivuletError('NOT_FOUND', `thread "${thread.id}" has no checkpoint "${checkpointId}"`)
  }
  return saved
}

function announceStart(
  graph: GraphRun,
  { graph: name, modes, attempt }: RunRequest,
  resume: readonly string[] | undefined,
): void {
  graph.scope.announced = true
  graph.scope.sink.emit({
    type: 'run.start',
    run: graph.scope.run,
    graph: name,
    protocol: PROTOCOL_VERSION,
    ...(attempt > 1 && { attempt }),
    ...(modes !== undefined && modes.length > 0 && { modes }),
    ...(resume !== undefined && { resume }),
  })
}

/** Whether the run does not go on from the newest checkpoint of its thread. */
async function branches(
  graph: GraphRun,
  { checkpointId }: RunRequest,
  saved: SavedCheckpoint | undefined,
): Promise<boolean> {
  if (saved === undefined || checkpointId === undefined) return false
  const newest = await savedOf(graph)
  return newest?.id !== saved.id
}

function end(graph: GraphRun, { status, values, asked }: Outcome): RunResult {
  announceEnd(graph, status)
  return { status, values: output(graph.plan, values), asked }
}

function fail(graph: GraphRun, given: unknown): RunResult {
  const thrown = given instanceof ParentCommand ? outsideOfParent(given) : given
  const { stopped } = graph.scope
  // Nodes may throw anything, `undefined` too.
  const status = stopped !== undefined && thrown === stopped ? 'cancelled' : 'error'
  announceEnd(graph, status, status === 'error' ? thrown : undefined)
  return { status, values: output(graph.plan, graph.values), asked: [], error: { thrown } }
}

function outsideOfParent(cause: ParentCommand): RivuletError {
  return new RivuletError(
    'INVALID_UPDATE',
    'a node of the root graph returned a command for its parent, and there is none',
    { cause },
  )
}

function announceEnd(graph: GraphRun, status: RunStatus, thrown?: unknown): void {
  const { scope, checkpoint, failedNode } = graph
  const event: RunEnd = {
    type: 'run.end',
    run: scope.run,
    status,
    ...(checkpoint !== undefined && { checkpoint }),
    ...(status === 'error' && { error: { ...wireErrorOf(thrown, failedNode), run: scope.run } }),
  }
  scope.sink.emit(event)
}

/** The state as `invoke` returns it: without private keys, and only the output's keys where the graph names some. */
export function output(plan: Plan, values: Values): Values {
  const shown = visible(plan.schema, values)
  const { outputKeys } = plan
  if (outputKeys === undefined) return shown
  return pick(shown, (key) => outputKeys.includes(key))
}

/** How a graph is run below a task. */
export interface BelowOptions {
  /** The input is part of what the task itself read. */
  readonly shared?: boolean
  /** Stops this graph, besides what stops its task. */
  readonly signal?: AbortSignal | undefined
}

/** Runs a graph below a task: in its namespace, with its signal, to the same readers. */
export async function driveBelow(
  plan: Plan,
  ctx: NodeContext,
  input: unknown,
  { shared = false, signal }: BelowOptions = {},
): Promise<Values> {
  if (!(ctx instanceof TaskContext)) {
    throw new RivuletError('NO_CONTEXT', 'a graph runs below the ctx that a node was given, and this is another object')
  }
  const attempt = TaskContext.openAttemptOf(ctx, 'a graph call was')
  const { graph: above, task } = attempt
  const ns = namespaceBelow(attempt, ctx.toolCallId)
  const taken = takeInput(input)
  const { caller, off } = stoppedBy(attempt, ctx.toolCallId === undefined ? undefined : ctx.signal, signal)
  const graph = new GraphRun(above.scope, plan, ns, caller, shared)
  try {
    await beginBelow(graph, taken, above.resuming.has(task.id), shared && !task.sent ? above.plan.schema : undefined)
    const outcome = await graph.run()
    if (outcome.status === 'interrupted') throw attempt.ask(outcome.asked)
    return output(plan, outcome.values)
  } catch (thrown) {
    throw thrown instanceof ParentCommand ? new CommandFromBelow(thrown) : thrown
  } finally {
    off()
  }
}

/**
 * Where a graph that this attempt calls now streams: below its task, and below the tool call that calls it. Tools run side
 * by side and in any order, so calls of graphs are counted for each of them.
 */
function namespaceBelow(attempt: Attempt, toolCallId: string | undefined): Namespace {
  const { graph: above, task } = attempt
  const call = attempt.nextCall(toolCallId)
  const ns = [
    ...above.ns,
    taskSegment(task.spec.name, task.id),
    ...(toolCallId === undefined ? [] : [callSegment(toolCallId)]),
    ...(call > 0 ? [String(call)] : []),
  ]
  formatNamespace(ns)
  return ns
}

/** Who calls a graph: the attempt, or one in its place that these signals close too. */
function stoppedBy(attempt: Attempt, ...signals: (AbortSignal | undefined)[]): { caller: Attempt; off: () => void } {
  if (signals.every((signal) => signal === undefined)) return { caller: attempt, off: () => {} }
  const caller = new Attempt(attempt.graph, attempt.task, attempt.number)
  caller.onLife = () => attempt.alive()
  caller.standsFor = attempt
  const close = (reason: RivuletError): void => caller.close(reason, true)
  const offs = signals.map((signal) => onAbort(signal, () => close(cancelled(attempt.graph.scope.run, signal?.reason))))
  offs.push(attempt.onClose(close))
  return {
    caller,
    off: () => {
      for (const off of offs) off()
    },
  }
}
