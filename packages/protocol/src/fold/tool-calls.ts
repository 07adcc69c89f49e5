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
  return remembered<readonly ToolCallState[]>(state, nameOf('calls', filter), (before = []) =>
    sameItems(
      before,
      callsIn(state, messagesOf(state, filter)).map((call, i) => sameCall(before[i], call)),
    ),
  )
}

/**
 * The state of one tool call, wherever its message stands; the same object while nothing of it changed. `undefined` when
 * neither a message nor a tool event names it.
 */
export function toolCallOf(state: ThreadState, id: string): ToolCallState | undefined {
  return remembered<ToolCallState | undefined>(state, JSON.stringify(['call', id]), (before) => {
    const run = state.tools.get(id)
    const call = allCalls(state).get(id) ?? (run && callState({ id, name: run.name, args: '' }, run))
    return call && sameCall(before, call)
  })
}

/** Calls of all messages by id; those on the page win over copies elsewhere. */
function allCalls(state: ThreadState): ReadonlyMap<string, ToolCallState> {
  return remembered<ReadonlyMap<string, ToolCallState>>(state, 'all calls', () => {
    const ids = [...state.settled.keys(), ...state.live.keys()]
    const elsewhere = callsIn(
      state,
      ids.flatMap((id) => messageOf(state, id) ?? []),
    )
    return new Map([...elsewhere, ...toolCallsOf(state)].map((call) => [call.id, call]))
  })
}

function callsIn({ tools }: ThreadState, messages: readonly Message[]): ToolCallState[] {
  const answers = new Map<string, Message>()
  for (const message of messages) if (message.toolCallId !== undefined) answers.set(message.toolCallId, message)
  return messages.flatMap((message) =>
    (message.toolCalls ?? []).map((call) => callState(call, tools.get(call.id), message, answers.get(call.id))),
  )
}

function callState(call: ToolCall, run: ToolRun | undefined, message?: Message, answer?: Message): ToolCallState {
  const unanswered = message?.status === 'cut' ? 'cut' : 'pending'
  return {
    ...call,
    status: run?.status ?? (answer ? 'done' : unanswered),
    input: run?.input,
    output: run?.output ?? answer?.content,
    error: run?.error,
    messageId: message?.id,
  }
}

/** `before` when it says the same, else `next`. */
function sameCall(before: ToolCallState | undefined, next: ToolCallState): ToolCallState {
  const said: Readonly<Record<string, unknown>> = { ...before }
  return before !== undefined && Object.entries(next).every(([field, value]) => said[field] === value) ? before : next
}
