import type { RewindTask, RewindTo } from '../events/event.ts'
import type { Message } from '../messages/message.ts'
import { isWithin, ROOT, sameNamespace, taskSegment, type Namespace } from '../namespace.ts'
import { originOf } from './entries.ts'
import { forget } from './messages.ts'
import { dropSpacesBelow } from './runs.ts'
import { spaceKey, writableSpace } from './spaces.ts'
import type { Entry, Origin } from './state.ts'
import { replaceMap, writable, type Work } from './work.ts'

/** Withdraws all that one attempt of a task emitted: in its own namespace by attempt, in those below altogether. */
export function applyRewindTask(work: Work, event: RewindTask): undefined {
  const { ns } = originOf(event)
  const below = [...ns, taskSegment(event.node, event.task)]
  const emitted = (origin: Origin) =>
    (origin.task === event.task && origin.attempt === event.attempt && sameNamespace(origin.ns, ns)) ||
    isWithin(origin.ns, below)
  withdrawMessages(work, ns, below, emitted)
  withdrawFrom(work, 'tools', emitted)
  withdrawFrom(work, 'interrupts', emitted)
  withdrawFrom(work, 'custom', emitted)
  if (work.state.recent.some((entry) => emitted(entry.origin))) {
    work.state.recent = work.state.recent.filter((entry) => !emitted(entry.origin))
  }
  for (const [id, task] of work.state.tasks) if (isWithin(task.origin.ns, below)) writable(work, 'tasks').delete(id)
}

function withdrawFrom(work: Work, key: 'tools' | 'interrupts' | 'custom', emitted: (origin: Origin) => boolean): void {
  for (const [id, item] of work.state[key]) if (emitted(item.origin)) writable(work, key).delete(id)
}

function withdrawMessages(work: Work, ns: Namespace, below: Namespace, emitted: (origin: Origin) => boolean): void {
  const space = work.state.spaces.get(spaceKey(ns))
  const belowKey = spaceKey(below)
  const inner = [...work.state.spaces].filter(([key]) => key === belowKey || key.startsWith(`${belowKey}|`))
  const candidates = new Set([
    ...(space ? [...space.pending, ...space.touched] : []),
    ...inner.flatMap(([, { lists, pending, touched }]) => [...Object.values(lists).flat(), ...pending, ...touched]),
  ])
  const gone = new Set<string>()
  for (const id of candidates) {
    const open = work.state.live.get(id)
    const entry = work.state.settled.get(id)
    const now =
      open !== undefined ? (emitted(open.origin) ? withdraw(open.base, emitted) : 'keep') : withdraw(entry, emitted)
    if (now === 'keep' || (open === undefined && now === entry)) continue
    if (now === undefined) gone.add(id)
    else {
      if (open !== undefined) writable(work, 'live').delete(id)
      writable(work, 'settled').set(id, now)
    }
  }
  dropSpacesBelow(work, (key) => key === belowKey || key.startsWith(`${belowKey}|`))
  for (const id of gone) forget(work, id)
  if (space === undefined) return
  const mine = writableSpace(work, ns)
  mine.pending = mine.pending.filter((id) => !gone.has(id))
  mine.touched = mine.touched.filter((id) => {
    const entry = work.state.settled.get(id)
    return work.state.live.has(id) || (entry !== undefined && !entry.committed)
  })
}

/** The entry without what `emitted` takes: itself, what it replaced, or nothing. */
function withdraw(entry: Entry | undefined, emitted: (origin: Origin) => boolean): Entry | undefined {
  if (entry === undefined) return undefined
  if (emitted(entry.origin) && !entry.committed) return withdraw(entry.base, emitted)
  const base = withdraw(entry.base, emitted)
  return base === entry.base ? entry : { ...entry, base }
}

/** Root state and its message lists become what the event says; a message that did not change keeps its identity. */
export function applyRewindTo(work: Work, event: RewindTo): undefined {
  const before = work.state.settled
  dropSpacesBelow(work, (key) => key !== '')
  const settled = new Map<string, Entry>()
  for (const message of event.state.messages) {
    const known = before.get(message.id)
    settled.set(message.id, {
      message:
        known && sameContent(known.message, message) ? known.message : { ...message, status: message.status ?? 'done' },
      origin: known?.origin ?? originOf(event),
      step: known?.step,
      listed: true,
      committed: true,
      transient: false,
      base: undefined,
    })
  }
  replaceMap(work, 'settled', settled)
  replaceMap(work, 'live', new Map())
  replaceMap(work, 'tasks', new Map())
  replaceMap(work, 'interrupts', new Map())
  const space = writableSpace(work, ROOT)
  space.values = { ...event.state.values }
  space.lists = { ...event.state.lists }
  space.pending = []
  space.touched = []
}

function sameContent(a: Message, b: Message): boolean {
  const key = ({ role, content, parts, toolCalls, toolCallId, name }: Message) =>
    JSON.stringify([role, content, parts, toolCalls, toolCallId, name])
  return a.content === b.content && key(a) === key(b)
}
