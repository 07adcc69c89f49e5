import type { MessageDelta, MessageEnd, MessagePut, MessageRemove, MessageStart } from '../events/event.ts'
import type { Message, MessageMeta } from '../messages/message.ts'
import { ROOT } from '../namespace.ts'
import {
  currentEntry,
  isFinal,
  layOn,
  messageOfOpen,
  metaOf,
  noteChange,
  originOf,
  putSettled,
  resolveId,
  sameContent,
  sameOrigin,
  settle,
} from './entries.ts'
import { forget } from './forget.ts'
import { idsOf, spaceKey, without, writableSpace } from './spaces.ts'
import type { Entry, OpenEntry, OpenPart } from './state.ts'
import { made, writable, type Work } from './work.ts'

type MutableOpen = { -readonly [K in keyof OpenEntry]: OpenEntry[K] }
type MutablePart = { -readonly [K in keyof OpenPart]: OpenPart[K] }

/** What a handler answers: nothing when it applied, else why something must be missing. */
export type Missing = string | undefined

export function applyMessageStart(work: Work, event: MessageStart): Missing {
  const id = resolveId(work.state, event.id)
  const origin = originOf(event)
  const known = work.state.live.get(id)
  if (known && sameOrigin(known.origin, origin)) return undefined
  const now = currentEntry(work.state, id)
  const { role, name, toolCallId, step } = event
  const meta: MessageMeta = { ...event.meta, ...metaOf(event) }
  const { aside, base, ...marks } = layOn(now, origin)
  const arrived = noteChange(work, origin.ns, id, now) || marks.arrived
  const names = withName(work, id, marks.names, meta.providerId)
  const open = { id, role, name, toolCallId, meta, parts: [], origin, step, aside, arrived, names, base }
  if (work.state.settled.has(id)) writable(work, 'settled').delete(id)
  writable(work, 'live').set(id, made(work, open))
  return undefined
}

export function applyMessageDelta(work: Work, event: MessageDelta): Missing {
  const id = resolveId(work.state, event.id)
  const known = work.state.live.get(id)
  if (known === undefined) return `delta of message ${event.id}, which is not streaming`
  const part = known.parts[event.part]
  if (part === undefined) return applyFirstDelta(work, known, event)
  const text = beyond(part.text, event.at, event.text)
  if (text === undefined) return `delta of message ${event.id} at ${event.at} does not fit on ${part.text.length}`
  if (text !== '') writablePart(work, writableOpen(work, known), event.part).text += text
  return undefined
}

function applyFirstDelta(work: Work, known: OpenEntry, event: MessageDelta): Missing {
  const { part, at, text, kind = 'text', callId, name } = event
  if (part !== known.parts.length || at !== 0) return `delta of message ${event.id} skips to part ${part}`
  const open = writableOpen(work, known)
  open.parts = [...open.parts, made(work, { kind, text, callId, name })]
  return undefined
}

/** What of `text`, put at `at`, lies beyond the end of `known`; `undefined` when it leaves a hole or says otherwise. */
function beyond(known: string, at: number, text: string): string | undefined {
  if (at === known.length) return text
  if (at > known.length) return undefined
  const overlap = known.slice(at, at + text.length)
  return text.startsWith(overlap) ? text.slice(overlap.length) : undefined
}

function writableOpen(work: Work, known: OpenEntry): MutableOpen {
  if (work.fresh.has(known)) return known
  const { id, role, name, toolCallId, meta, parts, origin, step, aside, arrived, names, base } = known
  // Named for the same reason as in `beginWork`.
  const open = made(work, { id, role, name, toolCallId, meta, parts, origin, step, aside, arrived, names, base })
  writable(work, 'live').set(id, open)
  return open
}

function writablePart(work: Work, open: MutableOpen, index: number): MutablePart {
  const known = open.parts[index]!
  if (work.fresh.has(known)) return known
  const { kind, text, callId, name } = known
  const part = made(work, { kind, text, callId, name })
  open.parts = open.parts.with(index, part)
  return part
}

export function applyMessageEnd(work: Work, event: MessageEnd): Missing {
  const id = resolveId(work.state, event.id)
  const open = work.state.live.get(id)
  if (open === undefined) return `end of message ${event.id}, which is not streaming`
  const { lengths, usage, finishReason, providerId, metadata } = event
  const whole = lengths.length === open.parts.length && open.parts.every((part, i) => part.text.length === lengths[i])
  if (!whole) return `message ${event.id} ended with other lengths than arrived`
  const meta = {
    ...open.meta,
    ...(usage && { usage }),
    ...(finishReason !== undefined && { finishReason }),
    ...(providerId !== undefined && { providerId }),
    ...(metadata && { metadata: { ...open.meta.metadata, ...metadata } }),
  }
  const names = withName(work, id, open.names, providerId)
  putSettled(work, id, settle({ ...open, names }, messageOfOpen({ ...open, meta }, 'done', event.parts)))
  return undefined
}

export function applyMessagePut(work: Work, event: MessagePut): Missing {
  const id = resolveId(work.state, event.message.id)
  const origin = originOf(event)
  const now = currentEntry(work.state, id)
  const message = messagePut(event, id, now)
  const { aside, base, ...marks } = layOn(now, origin)
  const arrived = noteChange(work, origin.ns, id, now, event.after) || marks.arrived
  const names = withName(work, id, marks.names, message.meta?.providerId)
  putSettled(work, id, { message, origin, step: event.step, committed: false, aside, arrived, names, base })
  return undefined
}

/** The committed message itself when this one adds nothing to it: a run may repeat what the thread holds. */
function messagePut(event: MessagePut, id: string, now: Entry | undefined): Message {
  let known = now
  while (known !== undefined && !isFinal(known, event.ns ?? ROOT)) known = known.base
  if (known !== undefined && !addsTo(known.message, event.message)) return known.message
  const { status, meta } = event.message
  return { ...event.message, id, status: status === 'cut' ? 'cut' : 'done', meta: { ...metaOf(event), ...meta } }
}

/** Whether `next` says something that `known` does not. Status and meta that it leaves out stay as they are. */
function addsTo(known: Message, next: Message): boolean {
  const { status = known.status, meta = {} } = next
  if (status !== known.status || !sameContent(known, next)) return true
  const said: Readonly<Record<string, unknown>> = { ...known.meta }
  return Object.entries(meta).some(([key, value]) => JSON.stringify(value) !== JSON.stringify(said[key]))
}

export function applyMessageRemove(work: Work, event: MessageRemove): Missing {
  const id = resolveId(work.state, event.id)
  const { ns } = originOf(event)
  if (!work.state.spaces.has(spaceKey(ns))) return undefined
  const space = writableSpace(work, ns)
  const others = (ids: readonly string[]) => (ids.includes(id) ? without(ids, [id]) : ids)
  space.lists = Object.fromEntries(Object.entries(space.lists).map(([key, ids]) => [key, others(ids)]))
  space.pending = others(space.pending)
  space.touched = others(space.touched)
  space.awaited = others(space.awaited)
  if (![...work.state.spaces.values()].some((other) => idsOf(other).includes(id))) forget(work, new Set([id]))
  return undefined
}

/** Notes a provider's id of a message. Answers `names` with it, when it is new. */
export function withName(
  work: Work,
  id: string,
  names: readonly string[],
  name: string | undefined,
): readonly string[] {
  if (name === undefined || name === id || work.state.aliases.get(name) === id) return names
  writable(work, 'aliases').set(name, id)
  return [...names, name]
}
