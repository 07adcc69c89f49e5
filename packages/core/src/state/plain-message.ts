import { RivuletError, type Message } from '@rivulet/protocol/model'

/** A message that is text (a user's) or has our shape already. Throws `INVALID_INPUT` for anything else. */
export function plainMessage(input: unknown, makeId: () => string): Message {
  if (typeof input === 'string') return { id: makeId(), role: 'user', content: input }
  const { role, content, id = makeId() } = (input ?? {}) as Partial<Message>
  if (typeof role === 'string' && typeof content === 'string') return { ...(input as Message), id }
  throw new RivuletError(
    'INVALID_INPUT',
    'a graph without messages() in its state shows only text and messages with a role and a content that is text',
  )
}
