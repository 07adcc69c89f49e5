import type { MessageDelta, MessageEnd, MessagePut, MessageRemove, MessageStart } from '../events/event.ts'
import { currentEntry, messageOfOpen, metaOf, noteChange, originOf, putSettled, resolveId, settle } from './entries.ts'
import { isListed, writableSpace } from './spaces.ts'
import type { OpenEntry, OpenPart } from './state.ts'
import { made, writable, type Work } from './work.ts'

type MutableOpen = { -readonly [K in keyof OpenEntry]: OpenEntry[K] }
type MutablePart = { -readonly [K in keyof OpenPart]: OpenPart[K] }

/** What a handler answers: nothing when it applied, else why something must be missing. */
export type Missing = string | undefined

export function applyMessageStart(work: Work, event: MessageStart): Missing {
  const id = resolveId(work.state, event.id)
  const origin = originOf(event)
  const open = work.state.live.get(id)
  if (open && open.origin.run === origin.run && open.origin.task === origin.task) {
    if (open.origin.attempt === origin.attempt) return undefined
  }
  const base = currentEntry(work.state, id)
  const listed = base?.listed ?? false
  const entry: OpenEntry = {
    id,
    role: event.role,
    name: event.name,
    toolCallId: event.toolCallId,
    meta: metaOf(event, event.meta),
    parts: [],
    origin,
    step: event.step,
    listed,
    base,
  }
  if (work.state.settled.has(id)) writable(work, 'settled').delete(id)
  writable(work, 'live').set(id, made(work, entry))
  noteChange(work, origin, id, listed)
  return undefined
}

export function applyMessageDelta(work: Work, event: MessageDelta): Missing {
  const id = resolveId(work.state, event.id)
  const known = work.state.live.get(id)
  if (known === undefined) return `delta of message ${event.id}, which is not streaming`
  const part = known.parts[event.part]
  if (part === undefined) {
    if (event.part !== known.parts.length || event.at !== 0)
      return `delta of message ${event.id} skips to part ${event.part}`
  } else if (event.at > part.text.length) {
    return `delta of message ${event.id} begins at ${event.at}, its part ends at ${part.text.length}`
  }
  const text = part === undefined ? event.text : beyond(part.text, event.at, event.text)
  if (text === undefined) return `delta of message ${event.id} at ${event.at} repeats other text than is there`
  const open = writableOpen(work, known)
  if (part === undefined) {
    const first: OpenPart = { kind: event.kind ?? 'text', text, callId: event.callId, name: event.name }
    open.parts = [...open.parts, made(work, first)]
  } else if (text !== '') {
    writablePart(work, open, event.part).text += text
  }
  return undefined
}

/** What of `text`, put at `at`, lies beyond the end of `known`; `undefined` when the overlap differs. */
function beyond(known: string, at: number, text: string): string | undefined {
  if (at === known.length) return text
  const overlap = known.slice(at, at + text.length)
  return text.startsWith(overlap) ? text.slice(overlap.length) : undefined
}

function writableOpen(work: Work, known: OpenEntry): MutableOpen {
  if (work.fresh.has(known)) return known
  const open = made(work, { ...known })
  writable(work, 'live').set(known.id, open)
  return open
}

function writablePart(work: Work, open: MutableOpen, index: number): MutablePart {
  const known = open.parts[index]!
  if (work.fresh.has(known)) return known
  const part = made(work, { ...known })
  open.parts = open.parts.with(index, part)
  return part
}

export function applyMessageEnd(work: Work, event: MessageEnd): Missing {
  const id = resolveId(work.state, event.id)
  const open = work.state.live.get(id)
  if (open === undefined) return `end of message ${event.id}, which is not streaming`
  const whole =
    event.lengths.length === open.parts.length && open.parts.every((part, i) => part.text.length === event.lengths[i])
  if (!whole) return `message ${event.id} ended with other lengths than arrived`
  const message = messageOfOpen(open, 'done', event.parts)
  message.meta = {
    ...open.meta,
    ...(event.usage && { usage: event.usage }),
    ...(event.finishReason !== undefined && { finishReason: event.finishReason }),
    ...(event.providerId !== undefined && { providerId: event.providerId }),
  }
  putSettled(work, id, settle(open, message))
  if (event.providerId !== undefined && event.providerId !== id) writable(work, 'aliases').set(event.providerId, id)
  return undefined
}

export function applyMessagePut(work: Work, event: MessagePut): Missing {
  const id = resolveId(work.state, event.message.id)
  const origin = originOf(event)
  const base = currentEntry(work.state, id)
  const listed = base?.listed ?? false
  const message = {
    ...event.message,
    id,
    status: event.message.status ?? 'done',
    meta: metaOf(event, event.message.meta),
  } as const
  putSettled(work, id, { message, origin, step: event.step, listed, committed: false, transient: false, base })
  noteChange(work, origin, id, listed, event.after)
  return undefined
}

export function applyMessageRemove(work: Work, event: MessageRemove): Missing {
  const id = resolveId(work.state, event.id)
  const space = writableSpace(work, originOf(event).ns)
  const without = (ids: readonly string[]) => (ids.includes(id) ? ids.filter((other) => other !== id) : ids)
  space.lists = Object.fromEntries(Object.entries(space.lists).map(([key, ids]) => [key, without(ids)]))
  space.pending = without(space.pending)
  space.touched = without(space.touched)
  const elsewhere = [...work.state.spaces.values()].some((other) => isListed(other, id) || other.pending.includes(id))
  if (!elsewhere) forget(work, id)
  return undefined
}

/** Drops a message that no space names any more. */
export function forget(work: Work, id: string): void {
  if (work.state.live.has(id)) writable(work, 'live').delete(id)
  if (work.state.settled.has(id)) writable(work, 'settled').delete(id)
}
