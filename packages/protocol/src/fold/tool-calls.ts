import type { WireError } from '../errors.ts'
import type { Message, ToolCall } from '../messages/message.ts'
import { messageOf, messagesOf, nameOf, type MessageFilter } from './read.ts'
import { remembered, sameItems } from './remember.ts'
import type { ThreadState, ToolRun } from './state.ts'

/** A tool call with all that is known of it: what the model asked, what ran, what came back. */
export interface ToolCallState extends ToolCall {
  /** `pending`: asked for and not started. */
  status: 'pending' | ToolRun['status']
  /** Input as the tool received it; the model's text is in `args`. */
  input: unknown
  /** What the tool returned, or the text of its answer when only that is known. */
  output: unknown
  error: WireError | undefined
  /** Message that asks for it; `undefined` when it ran without one, and then `args` is empty. */
  messageId: string | undefined
}

/** Tool calls of the page's messages in their order; the same array while none of them changed. */
export function toolCallsOf(state: ThreadState, filter: MessageFilter = {}): readonly ToolCallState[] {
  const messages = messagesOf(state, filter)
  const calls = callsOf(state)
  return remembered<readonly ToolCallState[]>(state, nameOf('calls', filter), [messages, calls], (before) =>
    sameItems(
      before?.answer,
      messages.flatMap(({ toolCalls = [] }) => toolCalls.flatMap(({ id }) => calls.get(id) ?? [])),
    ),
  )
}

/**
 * The state of one tool call, wherever its message stands; the same object while nothing of it changed. `undefined` when
 * neither a message nor a tool event names it.
 */
export function toolCallOf(state: ThreadState, id: string): ToolCallState | undefined {
  return callsOf(state).get(id)
}

/** All calls by id: as the page's messages say them, else as others do, else as they ran. */
function callsOf(state: ThreadState): ReadonlyMap<string, ToolCallState> {
  const { settled, live, tools } = state
  const page = messagesOf(state)
  return remembered<ReadonlyMap<string, ToolCallState>>(state, 'calls', [page, settled, live, tools], (before) => {
    const all = [...settled.keys(), ...live.keys()].flatMap((id) => messageOf(state, id) ?? [])
    const messages = [...all, ...page]
    const answers = new Map(messages.map((message) => [message.toolCallId, message]))
    const calls = new Map<string, ToolCallState>()
    const add = (call: ToolCall, message?: Message) => {
      const run = tools.get(call.id)
      const answer = answers.get(call.id)
      const unanswered = message?.status === 'cut' ? 'cut' : 'pending'
      const next: ToolCallState = {
        ...call,
        status: run?.status ?? (answer ? 'done' : unanswered),
        input: run?.input,
        output: run?.output ?? answer?.content,
        error: run?.error,
        messageId: message?.id,
      }
      calls.set(call.id, sameCall(before?.answer.get(call.id), next))
    }
    for (const { id, name } of tools.values()) add({ id, name, args: '' })
    for (const message of messages) for (const call of message.toolCalls ?? []) add(call, message)
    return calls
  })
}

/** `before` when it says the same, else `next`. */
function sameCall(before: ToolCallState | undefined, next: ToolCallState): ToolCallState {
  const said: Readonly<Record<string, unknown>> = { ...before }
  return before && Object.entries(next).every(([field, value]) => said[field] === value) ? before : next
}
