import type { WireError } from '../errors.ts'
import type { Message, ToolCall } from '../messages/message.ts'
import { ROOT, type Namespace } from '../namespace.ts'
import { messageOfOpen, resolveId } from './entries.ts'
import { spaceKey } from './spaces.ts'
import type { CustomEntry, OpenEntry, PendingInterrupt, Run, Space, TaskRun, ThreadState, ToolRun } from './state.ts'

/** Which messages to read. Without `node` and `tag`: one list of one namespace, as the page shows it. */
export interface MessageFilter {
  /** State key of the message list. Default `messages`. */
  key?: string | undefined
  /** Namespace whose list it is; default the root. With `node` or `tag` and no `ns`: every namespace. */
  ns?: Namespace | undefined
  /** Only messages of this node, in or out of the list, transient ones too. */
  node?: string | undefined
  /** Only messages with this tag, in or out of the list, transient ones too. */
  tag?: string | undefined
}

const NO_IDS: readonly string[] = []
const openMessages = new WeakMap<OpenEntry, Message>()
const listedIds = new WeakMap<readonly string[], { pending: readonly string[]; ids: readonly string[] }>()
const builtLists = new WeakMap<readonly string[], readonly Message[]>()
const builtValues = new WeakMap<Space, Readonly<Record<string, unknown>>>()

/** The message with this id (or the provider's id), streaming or not; `undefined` when there is none. */
export function messageOf(state: ThreadState, id: string): Message | undefined {
  const known = resolveId(state, id)
  const open = state.live.get(known)
  if (open === undefined) return state.settled.get(known)?.message
  let message = openMessages.get(open)
  if (message === undefined) openMessages.set(open, (message = messageOfOpen(open, 'streaming')))
  return message
}

/**
 * Ids of the messages on the page, in order: the state's list, then those still streaming or cut. The same array comes
 * back while it is the same list. With `node` or `tag`: ids of all messages of that origin, a new array each time.
 */
export function messageIdsOf(state: ThreadState, filter: MessageFilter = {}): readonly string[] {
  if (filter.node !== undefined || filter.tag !== undefined) return idsByOrigin(state, filter)
  const space = state.spaces.get(spaceKey(filter.ns))
  if (space === undefined) return NO_IDS
  const list = space.lists[filter.key ?? 'messages'] ?? NO_IDS
  if (space.pending.length === 0) return list
  const known = listedIds.get(list)
  if (known?.pending === space.pending) return known.ids
  const shown = space.pending.filter((id) => state.live.has(id) || state.settled.get(id)?.transient === false)
  const ids = shown.length === 0 ? list : [...list, ...shown]
  listedIds.set(list, { pending: space.pending, ids })
  return ids
}

function idsByOrigin(state: ThreadState, { ns, node, tag }: MessageFilter): readonly string[] {
  const spaces = ns === undefined ? [...state.spaces.values()] : [state.spaces.get(spaceKey(ns))]
  const ids = new Set(
    spaces.flatMap((space) => (space ? [...Object.values(space.lists).flat(), ...space.pending] : [])),
  )
  return [...ids].filter((id) => {
    const meta = state.live.get(id)?.meta ?? state.settled.get(id)?.message.meta
    return (
      meta !== undefined &&
      (node === undefined || meta.node === node) &&
      (tag === undefined || meta.tags?.includes(tag))
    )
  })
}

/** The messages of {@link messageIdsOf}; the same array while neither the list nor a member changed. */
export function messagesOf(state: ThreadState, filter: MessageFilter = {}): readonly Message[] {
  return messagesByIds(state, messageIdsOf(state, filter))
}

function messagesByIds(state: ThreadState, ids: readonly string[]): readonly Message[] {
  const messages = ids.flatMap((id) => messageOf(state, id) ?? [])
  const known = builtLists.get(ids)
  if (known !== undefined && known.length === messages.length && known.every((message, i) => message === messages[i])) {
    return known
  }
  builtLists.set(ids, messages)
  return messages
}

/** A namespace's state, message lists included; the same object while nothing in it changed. `{}` before there is any. */
export function valuesOf(state: ThreadState, ns: Namespace = ROOT): Readonly<Record<string, unknown>> {
  const space = state.spaces.get(spaceKey(ns))
  if (space === undefined) return NO_VALUES
  const lists = Object.entries(space.lists).map(([key, ids]) => [key, messagesByIds(state, ids)] as const)
  if (lists.length === 0) return space.values
  const known = builtValues.get(space)
  if (known !== undefined && lists.every(([key, messages]) => known[key] === messages)) return known
  const values = { ...space.values, ...Object.fromEntries(lists) }
  builtValues.set(space, values)
  return values
}

const NO_VALUES: Readonly<Record<string, unknown>> = Object.freeze({})

/** The run that started last; `undefined` before the first. */
export function currentRun(state: ThreadState): Run | undefined {
  return state.current === undefined ? undefined : state.runs.get(state.current)
}

/** Tasks that run now, in order of their start. */
export function activeTasks(state: ThreadState): readonly TaskRun[] {
  return [...state.tasks.values()].filter((task) => task.status === 'running')
}

/** Interrupts nobody has answered yet, in order of arrival. */
export function interruptsOf(state: ThreadState): readonly PendingInterrupt[] {
  return [...state.interrupts.values()]
}

/** The last thing written under this name, or in this tool call by `ctx.progress`; `undefined` when there is none. */
export function progressOf(state: ThreadState, nameOrToolCallId: string): CustomEntry | undefined {
  let last: CustomEntry | undefined
  for (const entry of state.custom.values()) {
    const match =
      entry.name === nameOrToolCallId || (entry.toolCallId === nameOrToolCallId && entry.name === 'progress')
    if (match && (last === undefined || entry.seq > last.seq)) last = entry
  }
  return last
}

/** A tool call with all that is known of it: what the model asked, what ran, what came back. */
export interface ToolCallState extends ToolCall {
  /** `pending`: asked for and not started. */
  status: 'pending' | ToolRun['status']
  /** Input as the tool received it; the model's text is in `args`. */
  input: unknown
  /** What the tool returned, or the text of its answer when only that is known. */
  output: unknown
  error: WireError | undefined
  /** Message that asks for it; `undefined` when it ran without one. */
  messageId: string | undefined
}

/** The state of one tool call; `undefined` when neither a message nor a tool event names it. */
export function toolCallOf(state: ThreadState, id: string): ToolCallState | undefined {
  return toolCallsOf(state).find((call) => call.id === id)
}

const builtCalls = new WeakMap<readonly Message[], { tools: ThreadState['tools']; calls: readonly ToolCallState[] }>()

/** Tool calls of the page's messages in their order; the same array while none of them changed. */
export function toolCallsOf(state: ThreadState, filter: MessageFilter = {}): readonly ToolCallState[] {
  const messages = messagesOf(state, filter)
  const known = builtCalls.get(messages)
  if (known?.tools === state.tools) return known.calls
  const answers = new Map(messages.flatMap((message) => (message.toolCallId ? [[message.toolCallId, message]] : [])))
  const calls = messages.flatMap((message) =>
    (message.toolCalls ?? []).map((call) =>
      toolCallState(call, message, state.tools.get(call.id), answers.get(call.id)),
    ),
  )
  builtCalls.set(messages, { tools: state.tools, calls })
  return calls
}

function toolCallState(
  call: ToolCall,
  message: Message,
  run: ToolRun | undefined,
  answer: Message | undefined,
): ToolCallState {
  const unanswered = message.status === 'cut' ? 'cut' : 'pending'
  return {
    ...call,
    status: run?.status ?? (answer ? 'done' : unanswered),
    input: run?.input,
    output: run?.output ?? answer?.content,
    error: run?.error,
    messageId: message.id,
  }
}
