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
export function settle({ origin, step, aside, arrived, names, base }: OpenEntry, message: Message): Entry {
  return { message, origin, step, committed: false, aside, arrived, names, base }
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
 * so the newest takes the place of the others.
 */
export function layOn(now: Entry | undefined, origin: Origin): Pick<Entry, 'aside' | 'arrived' | 'names' | 'base'> {
  const taken: Version[] = []
  const base = standing(now, (version, committed) => !committed && sameOrigin(version.origin, origin), taken)
  let bottom = base
  let depth = 0
  for (; bottom?.base !== undefined; depth++) bottom = bottom.base
  return {
    aside: without(now?.aside ?? [], [spaceKey(origin.ns)]),
    arrived: taken.some(({ arrived }) => arrived),
    names: taken.flatMap(({ names }) => names),
    base: base && depth >= KEPT_BASES ? { ...base, base: bottom } : base,
  }
}

/** The newest version that is not to go, without those below it that are; `taken` gets what is taken out. */
export function standing<T extends Version>(
  version: T | undefined,
  isToGo: (version: Version, committed: boolean) => boolean,
  taken: Version[],
): T | Entry | undefined {
  if (version === undefined) return undefined
  const base = standing(version.base, isToGo, taken)
  if (!isToGo(version, 'committed' in version && version.committed)) {
    return base === version.base ? version : { ...version, base }
  }
  taken.push(version)
  return base
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

/** Whether this namespace, or one below, made something of the message that it has not committed. */
export function isUncommitted(newest: Version | undefined, ns: Namespace): boolean {
  for (let version = newest; version !== undefined; version = version.base) {
    if (isWithin(version.origin.ns, ns) && !('message' in version && isFinal(version, ns))) return true
  }
  return false
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
  if (isNew || !space.touched.includes(id)) space.touched = withLast(work, space.touched, id)
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
