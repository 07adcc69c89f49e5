import type { RewindTask, RewindTo } from '../events/event.ts'
import type { Message } from '../messages/message.ts'
import { isWithin, ROOT, sameNamespace, taskSegment, type Namespace } from '../namespace.ts'
import { isUncommitted, originOf, putVersion, resolveId, sameContent, standing, versionOf } from './entries.ts'
import { dropSpaces, forget } from './forget.ts'
import { withName } from './messages.ts'
import { idsOf, isListed, spaceKey, without, writableSpace } from './spaces.ts'
import type { Entry, Origin, Space, Version } from './state.ts'
import { dropWhere, replaceMap, writable, type Work } from './work.ts'

/** Withdraws all that one attempt of a task emitted: in its own namespace by attempt, in those below altogether. */
export function applyRewindTask(work: Work, event: RewindTask): undefined {
  const { ns } = originOf(event)
  const below = [...ns, taskSegment(event.node, event.task)]
  const isBelow = (origin: Origin) => isWithin(origin.ns, below)
  const isOwn = (origin: Origin) =>
    origin.task === event.task && origin.attempt === event.attempt && sameNamespace(origin.ns, ns)
  const emitted = ({ origin }: { origin: Origin }) => isBelow(origin) || isOwn(origin)
  const inner = [...work.state.spaces.values()].filter((space) => isWithin(space.ns, below))
  const outer = [...ns, ''].flatMap((_, depth) => work.state.spaces.get(spaceKey(ns.slice(0, depth))) ?? [])
  const changed = new Set([...outer.flatMap(({ touched }) => touched), ...inner.flatMap(idsOf)])
  const left = withdrawVersions(work, changed, ns, ({ origin }, committed) => {
    return isBelow(origin) || (isOwn(origin) && !committed)
  })
  dropSpaces(work, (space) => isWithin(space.ns, below))
  for (const space of outer) tidy(work, space, sameNamespace(space.ns, ns) ? left : [])
  dropWhere(work, 'tools', emitted)
  dropWhere(work, 'interrupts', emitted)
  dropWhere(work, 'custom', emitted)
  dropWhere(work, 'tasks', ({ origin }) => isBelow(origin))
  const { recent } = work.state
  if (recent.some(emitted)) work.state.recent = recent.filter((entry) => !emitted(entry))
}

type IsWithdrawn = (version: Version, committed: boolean) => boolean

/**
 * Takes the withdrawn versions out of these messages: what stood below stands again, or the message is gone. Answers the
 * ids that leave the page of `ns`, because what brought them there is withdrawn.
 */
function withdrawVersions(work: Work, ids: Iterable<string>, ns: Namespace, isWithdrawn: IsWithdrawn): string[] {
  const gone = new Set<string>()
  const leaving: string[] = []
  for (const id of ids) {
    const top = versionOf(work.state, id)
    const taken: Version[] = []
    const left = standing(top, isWithdrawn, taken)
    if (taken.length === 0) continue
    for (const name of taken.flatMap(({ names }) => names)) writable(work, 'aliases').delete(name)
    const isHere = (version: Version) => sameNamespace(version.origin.ns, ns)
    const brought = taken.some((version) => version.arrived && isHere(version))
    if (left === undefined) gone.add(id)
    else if (brought && isHere(left)) putVersion(work, id, { ...left, arrived: true })
    else putVersion(work, id, left)
    if (brought && (left === undefined || !isHere(left))) leaving.push(id)
  }
  forget(work, gone)
  return leaving
}

/** Leaves in `pending` what is still here, and in `touched` what is still to be committed. */
function tidy(work: Work, { ns }: Space, leaving: readonly string[]): void {
  const space = writableSpace(work, ns)
  const isHere = (id: string) => versionOf(work.state, id) !== undefined
  const gone = space.touched.filter((id) => !isHere(id) && isListed(space, id))
  space.awaited = [...space.awaited, ...gone]
  space.pending = without(space.pending.filter(isHere), leaving)
  space.touched = without(space.touched, leaving).filter((id) => isUncommitted(versionOf(work.state, id), ns))
}

/** Root state and its message lists become what the event says; a message that did not change keeps its identity. */
export function applyRewindTo(work: Work, event: RewindTo): undefined {
  const { values, lists, messages } = event.state
  const before = work.state.settled
  const ours = (id: string) => resolveId(work.state, id)
  const kept = messages.map((message) =>
    entryAt(event, before.get(ours(message.id)), { ...message, id: ours(message.id) }),
  )
  const shown = Object.entries(lists).map(([key, ids]) => [key, ids.map(ours)] as const)
  const settled = new Map(kept.map((entry) => [entry.message.id, entry]))
  const answered = new Set(messages.map(({ toolCallId }) => toolCallId))
  replaceMap(work, 'spaces', new Map())
  replaceMap(work, 'live', new Map())
  replaceMap(work, 'settled', settled)
  replaceMap(work, 'tasks', new Map())
  replaceMap(work, 'interrupts', new Map())
  dropWhere(work, 'aliases', (id) => !settled.has(id))
  // What comes back after it was removed is found by its provider's id again.
  for (const { message } of kept) withName(work, message.id, [], message.meta?.providerId)
  dropWhere(work, 'tools', ({ id }) => !answered.has(id))
  dropWhere(work, 'custom', ({ toolCallId }) => toolCallId === undefined || !answered.has(toolCallId))
  const space = writableSpace(work, ROOT)
  space.values = { ...values }
  space.lists = Object.fromEntries(shown)
  space.awaited = [...new Set(shown.flatMap(([, ids]) => ids))].filter((id) => !settled.has(id))
}

/** A message as the state that is gone back to has it. */
function entryAt(event: RewindTo, known: Entry | undefined, message: Message): Entry {
  const same = known !== undefined && sameContent(known.message, message)
  return {
    message: same ? known.message : { ...message, status: message.status === 'cut' ? 'cut' : 'done' },
    origin: { ...originOf(event), ns: ROOT },
    step: event.step,
    committed: true,
    aside: [],
    arrived: false,
    names: [],
    base: undefined,
  }
}
