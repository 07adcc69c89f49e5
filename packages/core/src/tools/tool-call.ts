import {
  messageOfThrown,
  RivuletError,
  toJson,
  toRivuletError,
  type ToolCall,
  type WireError,
} from '@rivulet/protocol/model'
import { reviveTarget } from '../checkpoint/revive.ts'
import { timeLimit } from '../models/time-limit.ts'
import { InterruptSignal, type Attempt } from '../runtime/attempt.ts'
import { eitherSignal } from '../runtime/either-signal.ts'
import { stableId } from '../runtime/ids.ts'
import { TaskContext, type ToolCallScope } from '../runtime/task-context.ts'
import { own } from '../state/own.ts'
import { decide, policyFor, rejection, type InterruptOn } from './approval.ts'
import { answerWith, readAnswer } from './tool-answer.ts'
import type { CallEffect } from './tool-updates.ts'
import type { Tool } from './tool.ts'

/** How a node makes its calls. */
export interface CallSettings {
  readonly tools: ReadonlyMap<string, Tool>
  readonly messagesKey: string
  /** For tools that have no time of their own, in ms. */
  readonly timeoutMs: number | undefined
  readonly interruptOn: InterruptOn | undefined
  /** What the model reads of an error; throws what is to fail the node. */
  readonly readError: (thrown: unknown, call: ToolCall) => string
}

/** How a call ended. Plain data, apart from what its command holds: it is kept while a person is asked about others. */
export interface CallOutcome extends CallEffect {
  /** The call as it was made: a person may have edited its arguments. */
  readonly call: ToolCall
  readonly told: Told
}

type Told = { readonly output: unknown } | { readonly error: WireError }

/**
 * Makes one call inside a node: exactly one `tool.start` and one `tool.end`, whatever happens, and nothing told after
 * them. A call that ended before its node stopped to ask a person is not made again: it is told again, with what came of
 * it. Rejects to ask a person, when the node is over, and with what `readError` throws.
 */
export async function makeCall(node: TaskContext, call: ToolCall, settings: CallSettings): Promise<CallOutcome> {
  const attempt = TaskContext.attemptOf(node)
  const { returned } = attempt.graph
  const key = stableId(`${node.task}/tool/${call.id}`)
  // Only this function keeps anything under such a key.
  const before = returned.get(key)?.value as CallOutcome | undefined
  if (before !== undefined) return tellAgain(attempt, before)
  const deadline = new AbortController()
  const scope = { callId: call.id, signal: eitherSignal(attempt, attempt.signal, deadline.signal), ended: false }
  const ready = await prepare(call, new TaskContext(attempt, scope), settings)
  const outcome = await perform(attempt, ready, scope, deadline, settings)
  // What was cut off has not been done: a run that goes on from here makes it again.
  if (attempt.closed === undefined) returned.set(key, { node: node.node, value: own(outcome) })
  return outcome
}

function tellAgain(attempt: Attempt, before: CallOutcome): CallOutcome {
  const { call, told, command } = before
  const input = parse(call.args)
  tellStart(attempt, call, 'thrown' in input ? call.args : input.value)
  tellEnd(attempt, call, told)
  return command === undefined ? before : { ...before, command: { ...command, goto: command.goto.map(reviveTarget) } }
}

/** A call that may be made, or why not. */
interface Ready {
  readonly call: ToolCall
  readonly args: unknown
  readonly plan: { readonly tool: Tool } | { readonly thrown: unknown }
}

/** Reads the arguments, finds the tool, and asks a person where that is wanted. Rejects to ask. */
async function prepare(call: ToolCall, ctx: TaskContext, { tools, interruptOn }: CallSettings): Promise<Ready> {
  const input = parse(call.args)
  if ('thrown' in input) return { call, args: call.args, plan: input }
  const { value: args } = input
  const tool = tools.get(call.name)
  if (tool === undefined) return { call, args, plan: { thrown: unknownTool(call.name, tools) } }
  const policy = policyFor(interruptOn, call.name)
  if (policy === undefined) return { call, args, plan: { tool } }
  const unfit = await tool.check(args).then(
    () => undefined,
    (thrown: unknown) => ({ thrown }),
  )
  // Nobody is asked about what could not run.
  if (unfit !== undefined) return { call, args, plan: unfit }
  const decided = await decide(call, args, policy, ctx)
  if (decided.type === 'reject') return { call, args, plan: { thrown: rejection(call, decided.reason) } }
  if (decided.type === 'approve') return { call, args, plan: { tool } }
  return { call: { ...call, args: JSON.stringify(decided.args) }, args: decided.args, plan: { tool } }
}

function parse(args: string): { value: unknown } | { thrown: RivuletError } {
  if (args.trim() === '') return { value: {} }
  try {
    return { value: JSON.parse(args) as unknown }
  } catch (cause) {
    const how = `the arguments are no JSON: ${messageOfThrown(cause)}`
    return { thrown: new RivuletError('INVALID_INPUT', how, { cause }) }
  }
}

function unknownTool(name: string, tools: ReadonlyMap<string, Tool>): RivuletError {
  const known = tools.size === 0 ? 'there are none' : `there are: ${[...tools.keys()].join(', ')}`
  return new RivuletError('NOT_FOUND', `there is no tool "${name}"; ${known}`)
}

async function perform(
  attempt: Attempt,
  { call, args, plan }: Ready,
  scope: ToolCallScope,
  deadline: AbortController,
  settings: CallSettings,
): Promise<CallOutcome> {
  if (attempt.closed !== undefined) throw attempt.closed
  tellStart(attempt, call, args)
  const end = (told: Told): void => {
    if (!scope.ended) tellEnd(attempt, call, told)
    scope.ended = true
  }
  const off = attempt.onClose((reason) => end({ error: wireOf(reason) }))
  try {
    if ('thrown' in plan) throw plan.thrown
    const running = plan.tool.invoke(args, new TaskContext(attempt, scope))
    const returned = await inTime(running, plan.tool, settings.timeoutMs, deadline, attempt)
    const { output, ...effect } = readAnswer(call, returned, settings.messagesKey)
    end({ output })
    return { call, told: { output }, ...effect }
  } catch (thrown) {
    if (thrown instanceof InterruptSignal) throw thrown
    const error = wireOf(thrown)
    end({ error })
    return { call, told: { error }, answer: answerWith(call, settings.readError(thrown, call)) }
  } finally {
    scope.ended = true
    off()
  }
}

/** What a tool answers, or the reason of its deadline: a tool that ignores its signal holds up nobody. */
function inTime(
  running: Promise<unknown>,
  { name, timeoutMs: own }: Tool,
  general: number | undefined,
  deadline: AbortController,
  attempt: Attempt,
): Promise<unknown> {
  const timeoutMs = timeLimit(own ?? general, `the timeout of tool "${name}"`)
  if (timeoutMs === undefined) return running
  return new Promise((resolve, reject) => {
    const expire = (): void => {
      const late = new RivuletError('NODE_TIMEOUT', `tool "${name}" ran longer than ${timeoutMs} ms`)
      deadline.abort(late)
      reject(late)
    }
    const timer = setTimeout(expire, timeoutMs)
    const off = attempt.onClose(() => clearTimeout(timer))
    const settle = (): void => {
      clearTimeout(timer)
      off()
    }
    void running.then(resolve, reject).finally(settle)
  })
}

function tellStart(attempt: Attempt, { id, name }: ToolCall, input: unknown): void {
  if (!attempt.wants.tools) return
  // A copy: the tool may change what it is given.
  attempt.graph.scope.sink.emit({ type: 'tool.start', ...attempt.envelope(), id, name, input: toJson(input) })
}

function tellEnd(attempt: Attempt, { id, name }: ToolCall, told: Told): void {
  if (attempt.wants.tools) attempt.graph.scope.sink.emit({ type: 'tool.end', ...attempt.envelope(), id, name, ...told })
}

function wireOf(thrown: unknown): WireError {
  const aborted = thrown instanceof Error && thrown.name === 'AbortError'
  return toRivuletError(thrown, aborted ? 'CANCELLED' : 'NODE_FAILED').toJSON()
}
