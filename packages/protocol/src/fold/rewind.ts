import type { RewindTask, RewindTo } from '../events/event.ts'
import type { Message } from '../messages/message.ts'
import { isWithin, ROOT, sameNamespace, taskSegment } from '../namespace.ts'
import { isFinal, originInMeta, originOf, resolveId, sameContent } from './entries.ts'
import { noteName } from './messages.ts'
import { moveBase, refold, toldSince, type Tell } from './past.ts'
import { dropSpaces, writableSpace } from './spaces.ts'
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
  const isLeft = (told: Told) => {
    const origin = told.type === 'closed' ? originInMeta(told.message) : originOf(told)
    const id = 'message' in told ? told.message.id : told.type === 'message.start' && told.id
    if (!id) return !isBelow(origin)
    // What its namespace has committed stays.
    const known = state.settled.get(resolveId(state, id))
    return !emitted({ origin }) || (known !== undefined && isFinal(known, ns))
  }
  const { spaces, settled, live, aliases, base, since } = refold(
    state.base,
    toldSince(state).filter(isLeft),
    state,
    tell,
  )
  Object.assign(state, { spaces, settled, live, aliases, base, since })
  dropSpaces(work, (space) => isWithin(space.ns, below))
  for (const key of ['tools', 'interrupts', 'custom'] as const) dropWhere(work, key, emitted)
  dropWhere(work, 'tasks', ({ origin }) => isBelow(origin))
  if (state.recent.some(emitted)) state.recent = state.recent.filter((entry) => !emitted(entry))
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
