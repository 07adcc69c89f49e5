import type { RunEvent } from '../events/event.ts'
import type { Message, MessageMeta, MessageStatus, Part, ToolCall } from '../messages/message.ts'
import { isWithin, ROOT, sameNamespace, type Namespace } from '../namespace.ts'
import { isListed, spaceKey, without, writableSpace } from './spaces.ts'
import {
  KEPT_BASES,
  type Entry,
  type OpenEntry,
  type Origin,
  type Space,
  type ThreadState,
  type Version,
} from './state.ts'
import { withLast, writable, type Work } from './work.ts'

/** Who emitted this event. */
export function originOf(event: RunEvent): Origin {
  return { run: event.run, ns: event.ns ?? ROOT, task: event.task, attempt: event.attempt ?? 1 }
}

/** What an event's envelope says of the message it carries. */
export function metaOf(event: RunEvent): MessageMeta {
  return {
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
  const spoken: Part[] = []
  const calls: ToolCall[] = []
  for (const { kind, text, callId = '', name = '' } of open.parts) {
    if (kind === 'tool') calls.push({ id: callId, name, args: text })
    else spoken.push({ kind, text })
    if (kind === 'text') content = content === '' ? text : content + text
  }
  const plain = extra.length === 0 && spoken.every(({ kind }) => kind === 'text')
  return {
    id: open.id,
    role: open.role,
    content,
    ...(!plain && { parts: [...spoken, ...extra] }),
    ...(calls.length > 0 && { toolCalls: calls }),
    ...(open.toolCallId !== undefined && { toolCallId: open.toolCallId }),
    ...(open.name !== undefined && { name: open.name }),
    status,
    meta: open.meta,
  }
}

/** A streaming entry as one that has ended. */
export function settle({ origin, step, aside, arrived, base }: OpenEntry, message: Message): Entry {
  return { message, origin, step, committed: false, aside, arrived, base }
}

/** Puts an entry among the settled ones, wherever its id was before. */
export function putSettled(work: Work, id: string, entry: Entry): void {
  if (work.state.live.has(id)) writable(work, 'live').delete(id)
  writable(work, 'settled').set(id, entry)
}

/** Puts a version of a message where it belongs: among the streaming ones, or among the settled. */
export function putVersion(work: Work, id: string, version: Version): void {
  if ('message' in version) putSettled(work, id, version)
  else writable(work, 'live').set(id, version)
}

/** The newest version of a message, streaming or not. */
export function versionOf(state: ThreadState, id: string): Version | undefined {
  return state.live.get(id) ?? state.settled.get(id)
}

/** What stands under this id now, as an entry that can be a base. */
export function currentEntry(state: ThreadState, id: string): Entry | undefined {
  const open = state.live.get(id)
  return open === undefined ? state.settled.get(id) : settle(open, messageOfOpen(open, 'cut'))
}

/**
 * What a new version by `origin` is laid on: the message as it is `now`. Versions of one attempt are withdrawn together,
 * so a newer one takes the place of the older.
 */
export function layOn(now: Entry | undefined, origin: Origin): Pick<Entry, 'aside' | 'arrived' | 'base'> {
  if (now === undefined) return { aside: [], arrived: false, base: undefined }
  const aside = now.aside.filter((key) => key !== spaceKey(origin.ns))
  if (!now.committed && sameOrigin(now.origin, origin)) return { aside, arrived: now.arrived, base: now.base }
  let bottom = now
  let depth = 0
  for (; bottom.base !== undefined; depth++) bottom = bottom.base
  return { aside, arrived: false, base: depth < KEPT_BASES ? now : { ...now, base: bottom } }
}

/** Whether two things came from the same attempt. */
export function sameOrigin(a: Origin, b: Origin): boolean {
  return a.run === b.run && a.task === b.task && a.attempt === b.attempt && sameNamespace(a.ns, b.ns)
}

/** Whether two messages say the same, whatever their status and meta. */
export function sameContent(a: Message, b: Message): boolean {
  const said = ({ role, content, parts, toolCalls, toolCallId, name }: Message) =>
    JSON.stringify([role, content, parts, toolCalls, toolCallId, name])
  return a === b || (a.content === b.content && said(a) === said(b))
}

/** Whether this namespace has committed the entry, or one above has. */
export function isFinal({ committed, origin }: Entry, ns: Namespace): boolean {
  return committed && isWithin(ns, origin.ns)
}

/**
 * Notes in its namespace that a message came or changed, so that the next `values` can commit it. Answers whether it is
 * new to the namespace.
 */
export function noteChange(work: Work, ns: Namespace, id: string, now: Entry | undefined, after?: string): boolean {
  const space = writableSpace(work, ns)
  const isNew = now === undefined
  // An id that nobody knew is in no list, unless a list came before it.
  const isAwaited = isNew && space.awaited.includes(id)
  const named = isAwaited || (!isNew && (space.pending.includes(id) || isListed(space, id)))
  if (isAwaited) space.awaited = without(space.awaited, [id])
  if (!named) space.pending = placed(work, space, id, after)
  // What is committed is not touched: only what is neither need be looked for.
  if (isNew || isFinal(now, ns) || !space.touched.includes(id)) space.touched = withLast(work, space.touched, id)
  if (!isNew && ns.length > 0) touchAbove(work, ns, id)
  return !named
}

/** `pending` with the id behind `after`; as its first when a list holds `after`, as its last when nothing does. */
function placed(work: Work, space: Space, id: string, after: string | undefined): readonly string[] {
  if (after === undefined) return withLast(work, space.pending, id)
  const place = space.pending.indexOf(after)
  if (place === -1 && !isListed(space, after)) return withLast(work, space.pending, id)
  return space.pending.toSpliced(place + 1, 0, id)
}

/** A subgraph changed a message that graphs above it show: theirs to commit as well. */
function touchAbove(work: Work, ns: Namespace, id: string): void {
  for (let depth = 0; depth < ns.length; depth++) {
    const above = ns.slice(0, depth)
    const known = work.state.spaces.get(spaceKey(above))
    if (known === undefined || known.touched.includes(id)) continue
    if (!known.pending.includes(id) && !isListed(known, id)) continue
    const space = writableSpace(work, above)
    space.touched = withLast(work, space.touched, id)
  }
}
