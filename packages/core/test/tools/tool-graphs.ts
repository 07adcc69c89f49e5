import type { Message } from '@rivulet/protocol'

/** A call as a test writes it. */
export interface Call {
  id: string
  name: string
  args?: unknown
}

/** An assistant message that asks for these calls. */
export function asking(calls: readonly Call[], id = 'ask'): Message {
  const toolCalls = calls.map(({ id, name, args = {} }) => ({
    id,
    name,
    args: typeof args === 'string' ? args : JSON.stringify(args),
  }))
  return { id, role: 'assistant', content: '', toolCalls }
}
