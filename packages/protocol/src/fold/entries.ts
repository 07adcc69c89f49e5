import type { RunEvent } from '../events/event.ts'
import type { Message, MessageMeta, MessageStatus, Part, ToolCall } from '../messages/message.ts'
import { ROOT } from '../namespace.ts'
import { spaceKey, writableSpace } from './spaces.ts'
import type { Entry, OpenEntry, Origin, ThreadState } from './state.ts'
import { writable, type Work } from './work.ts'

/** Who emitted this event. */
export function originOf(event: RunEvent): Origin {
  return { run: event.run, ns: event.ns ?? ROOT, task: event.task, attempt: event.attempt ?? 1 }
}

/** A message's meta with what its event's envelope says. */
export function metaOf(event: RunEvent, meta: MessageMeta | undefined): MessageMeta {
  return {
    ...meta,
    run: event.run,
    ...(event.node !== undefined && { node: event.node }),
    ...(event.step !== undefined && { step: event.step }),
    ...(event.ns !== undefined && event.ns.length > 0 && { namespace: event.ns }),
    ...(event.task !== undefined && { task: event.task }),
    ...(event.attempt !== undefined && event.attempt > 1 && { attempt: event.attempt }),
  }
}

/** The id we keep a message under: itself, or ours when it is a provider's. */
export function resolveId(state: ThreadState, id: string): string {
  return state.live.has(id) || state.settled.has(id) ? id : (state.aliases.get(id) ?? id)
}

/** The message a streaming entry amounts to so far. */
export function messageOfOpen(open: OpenEntry, status: MessageStatus, extra: readonly Part[] = []): Message {
  let content = ''
  let plain = true
  const calls: ToolCall[] = []
  for (const part of open.parts) {
    if (part.kind === 'text') content = content === '' ? part.text : content + part.text
    else if (part.kind === 'tool') calls.push({ id: part.callId ?? '', name: part.name ?? '', args: part.text })
    else plain = false
  }
  const parts = plain && extra.length === 0 ? undefined : [...spokenParts(open), ...extra]
  return {
    id: open.id,
    role: open.role,
    content,
    ...(parts && { parts }),
    ...(calls.length > 0 && { toolCalls: calls }),
    ...(open.toolCallId !== undefined && { toolCallId: open.toolCallId }),
    ...(open.name !== undefined && { name: open.name }),
    status,
    meta: open.meta,
  }
}

function spokenParts(open: OpenEntry): Part[] {
  return open.parts.flatMap((part) => (part.kind === 'tool' ? [] : [{ kind: part.kind, text: part.text }]))
}

/** A streaming entry as one that has ended. */
export function settle(open: OpenEntry, message: Message): Entry {
  const { origin, step, listed, base } = open
  return { message, origin, step, listed, committed: false, transient: false, base }
}

/** Puts an entry among the settled ones, wherever its id was before. */
export function putSettled(work: Work, id: string, entry: Entry): void {
  if (work.state.live.has(id)) writable(work, 'live').delete(id)
  writable(work, 'settled').set(id, entry)
}

/** What stands under this id now, as an entry that can be a base. */
export function currentEntry(state: ThreadState, id: string): Entry | undefined {
  const open = state.live.get(id)
  return open === undefined ? state.settled.get(id) : settle(open, messageOfOpen(open, 'cut'))
}

/** Notes in its namespace that a message came or changed, so that the next `values` can commit it. */
export function noteChange(work: Work, origin: Origin, id: string, listed: boolean, after?: string): void {
  const known = work.state.spaces.get(spaceKey(origin.ns))
  const field = listed ? 'touched' : 'pending'
  if (known?.[field].includes(id)) return
  const space = writableSpace(work, origin.ns)
  const place = after === undefined ? -1 : space[field].indexOf(after)
  space[field] = place === -1 ? [...space[field], id] : space[field].toSpliced(place + 1, 0, id)
}
