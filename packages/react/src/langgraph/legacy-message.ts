import type { ShownMessage } from '@rivulet/client'
import type { Role } from '@rivulet/protocol'

/** LangChain's names for who speaks. */
const TYPE_OF = { user: 'human', assistant: 'ai', system: 'system', tool: 'tool' } as const satisfies Record<
  Role,
  string
>
const ROLE_OF: Readonly<Record<string, Role>> = { human: 'user', ai: 'assistant', system: 'system' }

/** A tool call with its arguments parsed; `{}` while they are not whole. */
export interface LegacyToolCall {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

/** A message under both names of its fields: ours, and those of LangChain's message dicts. */
export type LegacyMessage = ShownMessage & {
  readonly type: 'human' | 'ai' | 'system' | 'tool'
  readonly tool_calls?: readonly LegacyToolCall[]
  readonly tool_call_id?: string
}

const legacy = new WeakMap<ShownMessage, LegacyMessage>()

/** The message with LangChain's names beside ours; the same object for the same message. */
export function toLegacyMessage(message: ShownMessage): LegacyMessage {
  let known = legacy.get(message)
  if (known === undefined) {
    const { role, toolCalls, toolCallId } = message
    const calls = toolCalls?.map(({ id, name, args }) => ({ id, name, args: parsed(args) }))
    known = {
      ...message,
      type: TYPE_OF[role],
      ...(calls && { tool_calls: calls }),
      ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
    }
    legacy.set(message, known)
  }
  return known
}

function parsed(args: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(args)
    // Checked to be an object; models write nothing else.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** An input message of LangChain's form in ours, so that it is shown at once; anything else as it is. */
export function fromLegacyMessage(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('type' in message) || !('content' in message)) return message
  const role = typeof message.type === 'string' ? ROLE_OF[message.type] : undefined
  // What has more than text, or is an instance of a class, is normalised where it is taken in.
  if (role === undefined || typeof message.content !== 'string') return message
  if (Object.getPrototypeOf(message) !== Object.prototype) return message
  const { type: _type, ...rest } = message
  return { ...rest, role }
}
