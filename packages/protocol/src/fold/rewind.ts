import type { RewindTask, RewindTo } from '../events/event.ts'
import type { Message } from '../messages/message.ts'
import { isWithin, ROOT, sameNamespace, taskSegment, type Namespace } from '../namespace.ts'
import { isFinal, originInMeta, originOf, resolveId, sameContent } from './entries.ts'
import { noteName } from './messages.ts'
import { moveBase, refold, type Tell } from './past.ts'
import { sinceOf, toldSince } from './since.ts'
import { dropSpaces, dropUnnamed, isBlank, unname, writableSpace } from './spaces.ts'
import type { Entry, Origin, Told } from './state.ts'
import { dropWhere, replaceMap, type Work } from './work.ts'

/** Withdraws all that one attempt of a task emitted: in its own namespace by attempt, in those below altogether. */
export function applyRewindTask(work: Work, event: RewindTask, tell: Tell): undefined {
  const { state } = work
  const { ns, task, attempt } = originOf(event)
  const below = [...ns, taskSegment(event.node, event.task)]
  const isBelow = (origin: Origin) => isWithin(origin.ns, below)
  const emitted = ({ origin }: { origin: Origin }) =>
    isBelow(origin) || (origin.task === task && origin.attempt === attempt && sameNamespace(origin.ns, ns))
  const isStruck = (told: Told, id: string | undefined) => {
    const origin = told.type === 'closed' ? originInMeta(told.message) : originOf(told)
    if (!SAID.includes(told.type)) return isBelow(origin)
    // What its namespace has committed stays.
    const known = id === undefined ? undefined : state.settled.get(id)
    return emitted({ origin }) && !(known && isFinal(known, ns))
  }
  strike(work, isStruck, below, tell)
  dropSpaces(work, (space) => isWithin(space.ns, below))
  for (const key of ['tools', 'interrupts', 'custom'] as const) dropWhere(work, key, emitted)
  dropWhere(work, 'tasks', ({ origin }) => isBelow(origin))
  if (state.recent.some(emitted)) state.recent = state.recent.filter((entry) => !emitted(entry))
}

const SAID: readonly string[] = ['message.start', 'message', 'closed'] satisfies Told['type'][]

/** Makes the state what it is without something of what was told since the base; namespaces `below` go anyway. */
function strike(
  work: Work,
  isStruck: (told: Told, id: string | undefined) => boolean,
  below: Namespace,
  tell: Tell,
): void {
  const { state } = work
  const told = toldSince(state)
  const left: Told[] = []
  /** Messages that are told of in what goes, and in what is left. */
  const [struck, named] = [new Set<string>(), new Set<string>()]
  for (const one of told) {
    // Where an event has one of these fields, this is what it is.
    const { id: own, after, message } = one as { id?: string; after?: string; message?: Message }
    const name = message?.id ?? own
    const id = name === undefined ? undefined : resolveId(state, name)
    const isLeft = !isStruck(one, id)
    if (isLeft) left.push(one)
    if (id !== undefined) (isLeft ? named : struck).add(id)
    if (isLeft && after !== undefined) named.add(resolveId(state, after))
  }
  if (left.length === told.length) return
  const listed = [...state.spaces.values()].flatMap(({ ns, lists }) =>
    isWithin(ns, below) ? [] : Object.values(lists).flat(),
  )
  if ([...struck].some((id) => named.has(id) || state.base?.settled.has(id)) || listed.some((id) => struck.has(id))) {
    const { spaces, settled, live, aliases } = refold(state.base, left, state, tell)
    Object.assign(state, { spaces, settled, live, aliases })
  } else {
    // Nothing else was made of what goes: it can go alone, however much was told beside it.
    for (const space of state.spaces.values()) unname(work, space, [...struck])
    dropUnnamed(work, struck)
    dropWhere(work, 'spaces', (space, key) => isBlank(space) && !state.base?.spaces.has(key))
  }
  state.since = sinceOf(left)
}

/** Root state and its message lists become what the event says; a message that did not change keeps its identity. */
export function applyRewindTo(work: Work, event: RewindTo): undefined {
  const { values, lists, messages } = event.state
  const { state } = work
  const before = state.settled
  const ours = (id: string) => resolveId(state, id)
  const kept = messages.map((message) => {
    const id = ours(message.id)
    return [id, entryAt(event, before.get(id), { ...message, id })] as const
  })
  const shown = Object.entries(lists).map(([key, ids]) => [key, ids.map(ours)] as const)
  const settled = new Map(kept)
  const answered = new Set(messages.map(({ toolCallId }) => toolCallId))
  for (const key of ['spaces', 'live', 'tasks', 'interrupts'] as const) replaceMap(work, key, new Map())
  replaceMap(work, 'settled', settled)
  dropWhere(work, 'aliases', (id) => !settled.has(id))
  // What comes back after it was removed is found by its provider's id again.
  for (const [id, { message }] of kept) noteName(work, id, message.meta)
  dropWhere(work, 'tools', ({ id }) => !answered.has(id))
  dropWhere(work, 'custom', ({ toolCallId }) => toolCallId === undefined || !answered.has(toolCallId))
  const space = writableSpace(work, ROOT)
  space.values = { ...values }
  space.lists = Object.fromEntries(shown)
  space.awaited = [...new Set(shown.flatMap(([, ids]) => ids))].filter((id) => !settled.has(id))
  moveBase(work)
}

/** A message as the state that is gone back to has it. */
function entryAt(event: RewindTo, known: Entry | undefined, message: Message): Entry {
  const { status } = message
  return {
    message:
      known && sameContent(known.message, message)
        ? known.message
        : { ...message, status: status === 'cut' ? status : 'done' },
    origin: { ...originOf(event), ns: ROOT },
    step: event.step,
    held: [{ ns: ROOT }],
  }
}
