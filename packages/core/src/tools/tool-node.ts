import type { Message, MessageInput } from '@rivulet/protocol'
import type { NodeContext } from '../graph/node-context.ts'
import { runCall, type CallRequest, type CallResult, type Tool } from './tool.ts'

/** How a tool node runs its calls. */
export interface ToolNodeOptions {
  /** Calls at once. Default: all. */
  maxConcurrency?: number
  /**
   * What becomes of an error. `result` (default): the model reads it as the call's answer and may try again. `throw`: the
   * node fails with what the tool threw.
   */
  onError?: 'result' | 'throw'
}

/** State that a tool node reads. */
export interface ToolNodeState {
  readonly messages: readonly Message[]
}

/** A node that runs the calls of the last assistant message side by side and returns one answer each, in their order. */
export function toolNode(
  tools: readonly Tool[],
  { maxConcurrency = Infinity, onError = 'result' }: ToolNodeOptions = {},
): (state: ToolNodeState, ctx: NodeContext) => Promise<{ messages: MessageInput[] }> {
  const byName = new Map(tools.map((one) => [one.name, one]))
  return async ({ messages }, ctx) => {
    const calls = openCalls(messages)
    const results = await inParallel(calls, maxConcurrency, (call) => runCall(byName, call, ctx))
    for (const result of results) if (onError === 'throw' && 'thrown' in result) throw result.thrown
    return { messages: calls.map((call, i) => answerTo(call, results[i]!)) }
  }
}

/** Calls of the last assistant message that no message after it answers. */
function openCalls(messages: readonly Message[]): readonly CallRequest[] {
  const last = messages.findLastIndex(({ role, toolCalls }) => role === 'assistant' && (toolCalls?.length ?? 0) > 0)
  if (last === -1) return []
  const answered = new Set(messages.slice(last + 1).map(({ toolCallId }) => toolCallId))
  return messages[last]!.toolCalls!.filter(({ id }) => !answered.has(id))
}

function answerTo({ id, name }: CallRequest, result: CallResult): MessageInput {
  const content = 'error' in result ? `Error: ${result.error.message}` : textOf(result.output)
  return { role: 'tool', content, toolCallId: id, name }
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output)
}

/** Runs all of them, whatever becomes of the others; then throws what the first threw, if any. */
async function inParallel<T, R>(items: readonly T[], limit: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const thrown: unknown[] = []
  const entries = items.entries()
  const worker = async (): Promise<void> => {
    for (const [i, item] of entries) {
      try {
        results[i] = await run(item)
      } catch (error) {
        thrown.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (thrown.length > 0) throw thrown[0]
  return results
}
