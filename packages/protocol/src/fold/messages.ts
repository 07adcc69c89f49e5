import type { MessageDelta, MessageEnd, MessagePut, MessageRemove, MessageStart } from '../events/event.ts'
import type { Message, MessageMeta } from '../messages/message.ts'
import { isWithin, ROOT, type Namespace } from '../namespace.ts'
import { stated } from '../stated.ts'
import { messageOfOpen, metaOf, originOf, resolveId, sameContent, sameOrigin } from './entries.ts'
import { dropUnnamed, idsOf, spaceKey, unname, without, writableSpace } from './spaces.ts'
import type { ClosedMessage, Held, OpenEntry, OpenPart, Space } from './state.ts'
import { keep, made, withLast, writable, type Work } from './work.ts'

/** What a handler answers: nothing when it applied, else why something must be missing. */
export type Missing = string | undefined

export function applyMessageStart(work: Work, event: MessageStart): Missing {
  const id = resolveId(work.state, event.id)
  const origin = originOf(event)
  const known = work.state.live.get(id)
  if (known && sameOrigin(known.origin, origin)) return undefined
  const held = arrive(work, event, id)
  const { role, name, toolCallId, step } = event
  const meta: MessageMeta = { ...event.meta, ...metaOf(event) }
  noteName(work, id, meta)
  if (work.state.settled.has(id)) writable(work, 'settled').delete(id)
  writable(work, 'live').set(id, { id, role, name, toolCallId, meta, parts: [], origin, step, held })
  return undefined
}

export function applyMessageDelta(work: Work, event: MessageDelta): Missing {
  const { id, part: index, at, text, kind = 'text', callId, name } = event
  const known = work.state.live.get(resolveId(work.state, id))
  if (known === undefined) return notStreaming(id)
  const part = known.parts[index]
  const length = part?.text.length ?? 0
  const more = at === length ? text : beyond(part?.text ?? '', at, text)
  if (more === undefined || (part === undefined && index !== known.parts.length)) {
    return `delta of message ${id} at ${at} does not fit`
  }
  if (more === '' && part) return undefined
  const open = growing(work, known)
  const own = open.parts[index]
  if (own && work.fresh.has(own)) own.text += more
  else {
    const before = part ?? { kind, text: '', callId, name }
    // Named for the same reason as in `beginWork`.
    open.parts[index] = made(work, {
      kind: before.kind,
      text: before.text + more,
      callId: before.callId,
      name: before.name,
    })
  }
  return undefined
}

/** A streaming message that this fold may write to. Its parts are another list in each state in which they grew. */
function growing(work: Work, known: OpenEntry): Omit<OpenEntry, 'parts'> & { parts: Mutable<OpenPart>[] } {
  // Only what this fold made is in `fresh`, and of streaming messages only what was made below.
  if (work.fresh.has(known)) return known as ReturnType<typeof growing>
  const { id, role, name, toolCallId, meta, parts, origin, step, held } = known
  // Named for the same reason as in `beginWork`.
  const open = made(work, { id, role, name, toolCallId, meta, parts: parts.slice(), origin, step, held })
  writable(work, 'live').set(id, open)
  return open
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function notStreaming(id: string): string {
  return `message ${id} is not streaming`
}

/** What of `text`, put at `at`, lies beyond the end of `known`; `undefined` when it leaves a hole or says otherwise. */
function beyond(known: string, at: number, text: string): string | undefined {
  const overlap = known.slice(at, at + text.length)
  return at < known.length && text.startsWith(overlap) ? text.slice(overlap.length) : undefined
}

export function applyMessageEnd(work: Work, event: MessageEnd): Missing {
  const { id, lengths, usage, finishReason, providerId, metadata, parts } = event
  const open = work.state.live.get(resolveId(work.state, id))
  if (open === undefined) return notStreaming(id)
  if (lengths.join() !== open.parts.map(({ text }) => text.length).join()) {
    return `end of message ${id} does not fit`
  }
  const said = { usage, finishReason, providerId, metadata: metadata && { ...open.meta.metadata, ...metadata } }
  close(work, open, messageOfOpen({ ...open, meta: { ...open.meta, ...stated(said) } }, 'done', parts))
  return undefined
}

/** A message streams no more: as it ended, or else cut off. */
export function close(work: Work, open: OpenEntry, message: Message = messageOfOpen(open, 'cut')): void {
  applyClosed(work, { type: 'closed', message })
}

export function applyClosed(work: Work, closed: ClosedMessage): undefined {
  const { message } = closed
  const open = work.state.live.get(message.id)
  if (open === undefined) return
  const { id, origin, step, held } = open
  keep(work, closed)
  noteName(work, id, message.meta)
  writable(work, 'live').delete(id)
  writable(work, 'settled').set(id, { message, origin, step, held })
}

export function applyMessagePut(work: Work, event: MessagePut): Missing {
  const id = resolveId(work.state, event.message.id)
  const held = arrive(work, event, id)
  const known = held.findLast(({ ns }) => isWithin(event.ns ?? ROOT, ns))?.message
  const { status, meta } = event.message
  // The committed message itself when this one adds nothing to it: a run may repeat what the thread holds.
  const message: Message =
    known && !addsTo(known, event.message)
      ? known
      : { ...event.message, id, status: status === 'cut' ? status : 'done', meta: { ...metaOf(event), ...meta } }
  noteName(work, id, meta)
  writable(work, 'settled').set(id, { message, origin: originOf(event), step: event.step, held })
  return undefined
}

/** Whether `next` says something that `known` does not. Status and meta that it leaves out stay as they are. */
function addsTo(known: Message, next: Message): boolean {
  const { status = known.status, meta = {} } = next
  if (status !== known.status || !sameContent(known, next)) return true
  return JSON.stringify({ ...known.meta, ...meta }) !== JSON.stringify({ ...known.meta })
}

export function applyMessageRemove(work: Work, event: MessageRemove): Missing {
  const id = resolveId(work.state, event.id)
  const { ns } = originOf(event)
  if (!work.state.spaces.has(spaceKey(ns))) return undefined
  keep(work, event)
  const space = writableSpace(work, ns)
  space.lists = Object.fromEntries(Object.entries(space.lists).map(([key, ids]) => [key, without(ids, [id])]))
  unname(work, space, [id])
  dropUnnamed(work, [id])
  return undefined
}

/** Notes a provider's id of a message. */
export function noteName(work: Work, id: string, meta: MessageMeta | undefined): void {
  const name = meta?.providerId
  if (name !== undefined && name !== id) writable(work, 'aliases').set(name, id)
}

/** A message comes to its namespace, or changes there. Answers where it was committed as what it was before. */
function arrive(work: Work, event: MessageStart | MessagePut, id: string): readonly Held[] {
  const open = work.state.live.get(id)
  if (open !== undefined) close(work, open)
  keep(work, event)
  const now = work.state.settled.get(id)
  noteChange(work, event.ns ?? ROOT, id, now === undefined, 'after' in event ? event.after : undefined)
  return now?.held.map(({ ns, message = now.message }) => ({ ns, message })) ?? []
}

/** Notes in its namespace that a message came or changed, so that the next `values` can commit it. */
function noteChange(work: Work, ns: Namespace, id: string, isNew: boolean, after: string | undefined): void {
  const space = writableSpace(work, ns)
  // An id that nobody knew is in no list, unless a list came before it.
  const isAwaited = isNew && space.awaited.includes(id)
  if (isAwaited) space.awaited = without(space.awaited, [id])
  else if (isNew || !idsOf(space).includes(id)) space.pending = placed(work, space, id, after)
  space.aside = without(space.aside, [id])
  // Graphs above that show it have to commit it as well.
  for (let depth = isNew ? ns.length : 0; depth <= ns.length; depth++) {
    const known = work.state.spaces.get(spaceKey(ns.slice(0, depth)))
    if (known === undefined || (!isNew && (known.touched.includes(id) || !idsOf(known).includes(id)))) continue
    const showing = writableSpace(work, known.ns)
    showing.touched = withLast(work, showing.touched, id)
  }
}

/** `pending` with the id behind `after`; as its first when a list holds `after`, as its last when nothing does. */
function placed(work: Work, space: Space, id: string, after: string | undefined): readonly string[] {
  if (after === undefined || !idsOf(space).includes(after)) return withLast(work, space.pending, id)
  return space.pending.toSpliced(space.pending.indexOf(after) + 1, 0, id)
}
