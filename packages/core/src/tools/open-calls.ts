import type { Message, MessageInput, ToolCall } from '@rivulet/protocol'

/** What the model reads in place of an answer that never came. */
const NEVER_ANSWERED = 'Error: this call was cut off before it had an answer.'

/** An assistant message that asks for tools, and what of it is open. */
export interface OpenTurn {
  readonly message: Message
  /** Its calls that no message after it answers. */
  readonly calls: readonly ToolCall[]
}

/** The last assistant message with its open calls; `undefined` when it asks for no tools, or there is none. */
export function openTurn(messages: readonly Message[]): OpenTurn | undefined {
  const at = messages.findLastIndex(({ role }) => role === 'assistant')
  const message = messages[at]
  if (message === undefined || !asksForTools(message)) return undefined
  const answered = answeredIn(messages.slice(at + 1))
  return { message, calls: message.toolCalls!.filter(({ id }) => !answered.has(id)) }
}

/** Whether a message asks for tools. */
export function asksForTools({ role, toolCalls = [] }: Message): boolean {
  return role === 'assistant' && toolCalls.length > 0
}

/**
 * A conversation in which every call has its answer right behind the message that asks for it: providers refuse any other.
 * A call that was cut off (its run was stopped, failed or crashed) is answered by saying so, an answer that comes later
 * moves up to its call. The same list when there is nothing to do. Pure; `messages` is not changed.
 */
export function withAnsweredCalls(messages: readonly Message[]): readonly Message[] {
  if (isWhole(messages)) return messages
  const whole: Message[] = []
  const moved = new Set<Message>()
  for (const [i, message] of messages.entries()) {
    if (moved.has(message)) continue
    whole.push(message)
    if (!asksForTools(message)) continue
    const until = messages.findIndex((later, at) => at > i && asksForTools(later))
    const rest = messages.slice(i + 1, until === -1 ? undefined : until)
    for (const call of message.toolCalls!) {
      const answers = rest.filter(({ toolCallId }) => toolCallId === call.id)
      for (const answer of answers) if (!moved.has(answer)) whole.push(answer)
      for (const answer of answers) moved.add(answer)
      if (answers.length === 0) whole.push(cutAnswer(message, call))
    }
  }
  return whole
}

function cutAnswer({ id }: Message, call: ToolCall): Message {
  return { id: `${id}/${call.id}`, role: 'tool', content: NEVER_ANSWERED, toolCallId: call.id, name: call.name }
}

/** Whether every call is answered by the messages right behind it. */
function isWhole(messages: readonly Message[]): boolean {
  let open: Set<string> | undefined
  for (const message of messages) {
    if (message.toolCallId !== undefined) open?.delete(message.toolCallId)
    else if (open !== undefined && open.size > 0) return false
    if (asksForTools(message)) open = new Set(message.toolCalls!.map(({ id }) => id))
  }
  return open === undefined || open.size === 0
}

/**
 * The turn with ids that name each open call alone in the conversation: some models give several calls one id, give none,
 * or begin anew in each turn. `renamed` says whether anything had to change.
 */
export function withOwnIds(messages: readonly Message[], turn: OpenTurn): { turn: OpenTurn; renamed: boolean } {
  const open = new Set(turn.calls)
  const all = turn.message.toolCalls!
  const earlier = messages.slice(0, messages.indexOf(turn.message)).flatMap(({ toolCalls = [] }) => toolCalls)
  const taken = new Set([...earlier, ...all.filter((call) => !open.has(call))].map(({ id }) => id))
  const own = new Map<ToolCall, ToolCall>()
  for (const [i, call] of all.entries()) {
    if (!open.has(call)) continue
    const id = call.id === '' || taken.has(call.id) ? `${turn.message.id}.${i}` : call.id
    taken.add(id)
    if (id !== call.id) own.set(call, { ...call, id })
  }
  if (own.size === 0) return { turn, renamed: false }
  const rename = (call: ToolCall) => own.get(call) ?? call
  return {
    turn: { message: { ...turn.message, toolCalls: all.map(rename) }, calls: turn.calls.map(rename) },
    renamed: true,
  }
}

/** Ids of the calls that these messages answer. */
export function answeredIn(messages: readonly MessageInput[]): ReadonlySet<string> {
  return new Set(messages.flatMap(({ toolCallId }) => (toolCallId === undefined ? [] : [toolCallId])))
}
