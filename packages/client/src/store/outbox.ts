import type { Message, ThreadState } from '@rivulet/protocol'
import { memo } from './memo.ts'

/** A message as it is shown: `delivery` says where one of ours is on its way; it is left out once the thread has it. */
export type ShownMessage = Message & { readonly delivery?: 'sending' | 'failed' }

/** Where a message was written: below the one with this id, `null` at the start of an empty list, else at its end. */
export type Place = string | null | undefined

/** A message on its way to the thread. */
export interface Outgoing {
  /** Run it was sent with. */
  readonly run: string
  readonly message: ShownMessage
  readonly below: Place
}

/**
 * The outbox with the messages of a new run, one below the other; one sent again keeps the place of its failed self.
 */
export function send(
  outbox: readonly Outgoing[],
  run: string,
  messages: readonly Message[],
  below: Place,
): readonly Outgoing[] {
  if (messages.length === 0) return outbox
  const before = new Map(outbox.map((item) => [item.message.id, item]))
  const sent = messages.map((message, i): Outgoing => {
    const known = before.get(message.id)
    const place = known ? known.below : (messages[i - 1]?.id ?? below)
    return { run, message: { ...message, delivery: 'sending' }, below: place }
  })
  const ids = new Set(messages.map(({ id }) => id))
  return [...outbox.filter(({ message }) => !ids.has(message.id)), ...sent]
}

/** The outbox with the messages of a run marked as failed. */
export function markFailed(outbox: readonly Outgoing[], run: string): readonly Outgoing[] {
  const isSending = (item: Outgoing) => item.run === run && item.message.delivery === 'sending'
  if (!outbox.some(isSending)) return outbox
  return outbox.map((item) => (isSending(item) ? { ...item, message: { ...item.message, delivery: 'failed' } } : item))
}

/** The outbox without the messages of a run. */
export function withdraw(outbox: readonly Outgoing[], run: string): readonly Outgoing[] {
  return outbox.some((item) => item.run === run) ? outbox.filter((item) => item.run !== run) : outbox
}

/**
 * What is still on its way: a message goes when the thread has it, and when its run ended without taking it; it is
 * marked failed when that run failed.
 */
export function settleOutbox(outbox: readonly Outgoing[], state: ThreadState): readonly Outgoing[] {
  const hasArrived = ({ message: { id } }: Outgoing) => state.settled.has(id) || state.live.has(id)
  let left = outbox.some(hasArrived) ? outbox.filter((item) => !hasArrived(item)) : outbox
  for (const run of new Set(left.map((item) => item.run))) {
    const status = state.runs.get(run)?.status ?? 'running'
    if (status === 'error') left = markFailed(left, run)
    else if (status !== 'running') left = withdraw(left, run)
  }
  return left
}

/** Messages with what is on its way laid over them, each in its place. The same array comes back for the same two. */
export const layOver: (list: readonly Message[], outbox: readonly Outgoing[]) => readonly ShownMessage[] = memo(
  (list, outbox) => laid(list, outbox, (message) => message),
)

/** The same for ids. */
export const layIdsOver: (list: readonly string[], outbox: readonly Outgoing[]) => readonly string[] = memo(
  (list, outbox) => laid(list, outbox, ({ id }) => id),
)

function laid<T extends string | Message>(
  list: readonly T[],
  outbox: readonly Outgoing[],
  show: (message: ShownMessage) => T,
): readonly T[] {
  if (outbox.length === 0) return list
  const result = [...list]
  for (const { message, below } of outbox) {
    const above = result.findLastIndex((item) => (typeof item === 'string' ? item : item.id) === below)
    result.splice(above === -1 && below !== null ? result.length : above + 1, 0, show(message))
  }
  return result
}
