import { messageOfThrown, RivuletError, type Message, type MessageInput, type ToolCall } from '@rivulet/protocol/model'
import type { NodeContext } from '../graph/node-context.ts'
import { timeLimit } from '../models/time-limit.ts'
import { InterruptSignal } from '../runtime/attempt.ts'
import { TaskContext } from '../runtime/task-context.ts'
import { namedBy, type InterruptOn } from './approval.ts'
import { openTurn, withOwnIds } from './open-calls.ts'
import { makeCall, type CallSettings } from './tool-call.ts'
import { handoffOf, updatesOf } from './tool-updates.ts'
import type { Tool } from './tool.ts'

/** How a tool node runs its calls. */
export interface ToolNodeOptions {
  /** Calls at once. Default: all. */
  maxConcurrency?: number
  /**
   * What becomes of an error. `result` (default): the model reads it as the call's answer and may try again. `throw`: the
   * node fails with what the tool threw. A function says what the model reads, and throws what is to fail the node.
   */
  onError?: 'result' | 'throw' | ((thrown: unknown, call: ToolCall) => string)
  /** Longest time of a call in ms, for tools that have none of their own. Default: none. */
  timeoutMs?: number
  /** Tools whose calls wait for a person. Needs a checkpointer. Default: none. */
  interruptOn?: InterruptOn
  /** State key of the conversation. Default `"messages"`. */
  messagesKey?: string
}

/** State that a tool node reads. */
export interface ToolNodeState {
  readonly messages: readonly Message[]
}

/**
 * A node that runs the open calls of the last assistant message side by side and answers each, in their order; also a
 * call of an unknown tool, or with arguments that are no JSON or do not fit. Tools that return a `Command` update the
 * state and send the run on together.
 *
 * Throws `INVALID_GRAPH` when two tools share a name, when `interruptOn` names none of them, and for limits that no call
 * could keep.
 *
 * Calls that have ended do not run again when the node stops to ask a person and goes on. Ids that do not name one call of
 * the conversation alone, and arguments that a person edited, are put right in the message that asks.
 */
export function toolNode(
  tools: readonly Tool[],
  options: ToolNodeOptions = {},
): (state: ToolNodeState, ctx: NodeContext) => Promise<{ messages: MessageInput[] }> {
  const { maxConcurrency = Infinity, messagesKey = 'messages', timeoutMs, interruptOn } = options
  const readError = errorReader(options.onError ?? 'result')
  const byName = toolsByName(tools)
  for (const name of namedBy(interruptOn)) {
    // A slip in a name must not let a call pass that somebody meant to be asked about.
    if (!byName.has(name))
      fail(`interruptOn names "${name}", which is no tool; there are: ${[...byName.keys()].join(', ')}`)
  }
  if (!(maxConcurrency >= 1)) fail(`maxConcurrency of tools must be a number from 1, not ${maxConcurrency}`)
  timeLimit(timeoutMs, 'timeoutMs of tools')
  const settings: CallSettings = { tools: byName, messagesKey, timeoutMs, interruptOn, readError }
  return async (state, ctx) => {
    if (!(ctx instanceof TaskContext))
      throw new RivuletError('NO_CONTEXT', 'tools run with the ctx that their node was given')
    const messages = conversationIn(state, messagesKey, ctx)
    const open = openTurn(messages)
    if (open === undefined || open.calls.length === 0) return { messages: [] }
    const { turn, renamed } = withOwnIds(messages, open)
    const outcomes = await inParallel(turn.calls, maxConcurrency, ctx, (call) => makeCall(ctx, call, settings))
    const asking = asMade(
      turn.message,
      outcomes.map(({ call }) => call),
    )
    const rewritten = renamed || asking !== turn.message ? asking : undefined
    const returned = handoffOf(outcomes, messagesKey, asking) ?? updatesOf(outcomes, messagesKey, rewritten)
    // With commands it is a list or a command, which the runtime reads; what it updates beside messages has no type here.
    return returned as { messages: MessageInput[] }
  }
}

function toolsByName(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  for (const [i, one] of tools.entries()) {
    // Callers without types may give anything, a bare function above all.
    const { invoke, check } = Object(one) as Partial<Tool>
    if (typeof invoke !== 'function' || typeof check !== 'function')
      fail(`tools[${i}] is no tool: make it one with tool()`)
  }
  const byName = new Map(tools.map((one) => [one.name, one]))
  const twin = tools.find((one) => byName.get(one.name) !== one)
  return twin === undefined ? byName : fail(`two tools are called "${twin.name}"`)
}

function fail(how: string): never {
  throw new RivuletError('INVALID_GRAPH', how)
}

function errorReader(onError: NonNullable<ToolNodeOptions['onError']>): CallSettings['readError'] {
  if (typeof onError === 'function') return onError
  return (thrown) => {
    if (onError === 'result') return `Error: ${messageOfThrown(thrown)}`
    // oxlint-disable-next-line only-throw-error -- what the tool threw is passed on untouched, whatever it is
    throw thrown
  }
}

function conversationIn(state: ToolNodeState, key: string, { node }: NodeContext): readonly Message[] {
  const messages = (state as unknown as Readonly<Record<string, unknown>>)[key]
  // A field of another kind would hold what nobody has made messages of.
  if (Array.isArray(messages)) return messages as readonly Message[]
  throw new RivuletError('INVALID_GRAPH', `node "${node}" runs tools: its state needs ${key}: messages()`)
}

/** The message that asks, with its calls as they were made. */
function asMade(message: Message, made: readonly ToolCall[]): Message {
  const byId = new Map(made.map((call) => [call.id, call]))
  const calls = message.toolCalls!.map((call) => byId.get(call.id) ?? call)
  return calls.every((call, i) => call.args === message.toolCalls![i]!.args)
    ? message
    : { ...message, toolCalls: calls }
}

/** Runs all of them, whatever becomes of the others; then throws what the first threw, or asks what they ask. */
async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  ctx: TaskContext,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const thrown: Thrown[] = []
  const entries = items.entries()
  const worker = async (): Promise<void> => {
    for (const [place, item] of entries) {
      try {
        results[place] = await run(item)
      } catch (error) {
        thrown.push({ place, error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (thrown.length > 0) throw asQuestions(thrown, ctx) ?? thrown[0]!.error
  return results
}

interface Thrown {
  readonly place: number
  readonly error: unknown
}

/** The questions among what was thrown, in the order of the calls, whoever was the first to ask; noted on the attempt. */
function asQuestions(thrown: readonly Thrown[], ctx: TaskContext): InterruptSignal | undefined {
  const attempt = TaskContext.attemptOf(ctx)
  const asking: { place: number; asked: InterruptSignal['asked'] }[] = []
  let known = 0
  for (const { place, error } of thrown) {
    if (!(error instanceof InterruptSignal)) continue
    // A signal carries what was asked before it too.
    asking.push({ place, asked: error.asked.slice(known) })
    known = error.asked.length
  }
  if (asking.length === 0) return undefined
  const ordered = asking.sort((a, b) => a.place - b.place).flatMap(({ asked }) => asked)
  // A tool may have swallowed its own.
  return (attempt.asked = new InterruptSignal([...ordered, ...(attempt.asked?.asked.slice(known) ?? [])]))
}
