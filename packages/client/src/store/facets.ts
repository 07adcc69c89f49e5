import type { ThreadState } from '@rivulet/protocol'
import type { ThreadFacts } from './facts.ts'
import type { ThreadSnapshot } from './snapshot.ts'

/** A part of a thread that can change apart from the others; what a selector reads is a set of these. */
export type Facet =
  | 'any'
  | 'thread'
  | 'lists'
  | 'messages'
  | 'values'
  | 'run'
  | 'tools'
  | 'tasks'
  | 'custom'
  | 'interrupts'
  | 'connection'

const facetOf: Record<Exclude<keyof ThreadSnapshot, 'message'>, Facet> = {
  threadId: 'thread',
  messages: 'messages',
  values: 'values',
  status: 'run',
  isLoading: 'run',
  error: 'run',
  interrupts: 'interrupts',
  toolCalls: 'tools',
  activeNodes: 'tasks',
  connection: 'connection',
  state: 'any',
  messageIds: 'lists',
  messagesWhere: 'messages',
  valuesAt: 'values',
  toolCall: 'tools',
  progress: 'custom',
}

/** The snapshot, telling `onFacet` and, for single messages, `onMessage` what is read of it. */
export function trackReads(
  snapshot: ThreadSnapshot,
  onFacet: (facet: Facet) => void,
  onMessage: (id: string) => void,
): ThreadSnapshot {
  const message: ThreadSnapshot['message'] = (id) => {
    const known = snapshot.state.aliases.get(id)
    onMessage(id)
    if (known !== undefined) onMessage(known)
    return snapshot.message(id)
  }
  return new Proxy(snapshot, {
    get(target, name) {
      if (name === 'message') return message
      // A proxy is asked for names of any kind; one that is not in the table has no facet.
      const facet = facetOf[name as keyof typeof facetOf] as Facet | undefined
      if (facet !== undefined) onFacet(facet)
      return Reflect.get(target, name)
    },
  })
}

/** Whether a facet may read otherwise after a change. May say yes once too often, never no. */
export function isFacetChanged(facet: Facet, before: ThreadFacts, after: ThreadFacts): boolean {
  return changes[facet](before, after)
}

type IsChanged = (before: ThreadFacts, after: ThreadFacts) => boolean

const changes: Readonly<Record<Facet, IsChanged>> = {
  any: () => true,
  thread: (before, after) => before.threadId !== after.threadId,
  lists: areSettledChanged,
  messages: (before, after) => areSettledChanged(before, after) || before.state.live !== after.state.live,
  values: (before, after) =>
    areSettledChanged(before, after) || streamed(before, after).some((id) => isListed(after.state, id)),
  tools: (before, after) =>
    areSettledChanged(before, after) ||
    before.state.tools !== after.state.tools ||
    streamed(before, after).some((id) => isCalling(after.state, id)),
  tasks: ({ state: a }, { state: b }) => a.tasks !== b.tasks,
  custom: ({ state: a }, { state: b }) => a.custom !== b.custom,
  interrupts: ({ state: a }, { state: b }) => a.interrupts !== b.interrupts,
  connection: (before, after) => before.connection !== after.connection,
  run: isRunChanged,
}

function areSettledChanged({ state: a, outbox }: ThreadFacts, { state: b, outbox: now }: ThreadFacts): boolean {
  return a.spaces !== b.spaces || a.settled !== b.settled || outbox !== now
}

function isRunChanged(before: ThreadFacts, after: ThreadFacts): boolean {
  const [a, b] = [before.state, after.state]
  return (
    a.runs !== b.runs ||
    a.interrupts !== b.interrupts ||
    before.starting !== after.starting ||
    before.failure !== after.failure ||
    before.connection.phase !== after.connection.phase ||
    (a.cursor === 0) !== (b.cursor === 0) ||
    a.log !== b.log
  )
}

/** Ids of the messages that grew, began or ended among those that stream: few at any time. */
function streamed({ state: a }: ThreadFacts, { state: b }: ThreadFacts): readonly string[] {
  if (a.live === b.live) return []
  return [...new Set([...a.live.keys(), ...b.live.keys()])].filter((id) => a.live.get(id) !== b.live.get(id))
}

/** Whether the state's own lists name a message; one that streams is mostly not in them yet. */
function isListed(state: ThreadState, id: string): boolean {
  return [...state.spaces.values()].some((space) => Object.values(space.lists).some((ids) => ids.includes(id)))
}

function isCalling(state: ThreadState, id: string): boolean {
  const open = state.live.get(id)
  return open === undefined || open.toolCallId !== undefined || open.parts.some((part) => part.kind === 'tool')
}

/**
 * Ids under which messages may read otherwise after a change; `undefined` when that is as good as all. While messages
 * only grow, the answer is as short as the number that stream, however long the conversation is.
 */
export function changedMessages(before: ThreadFacts, after: ThreadFacts): readonly string[] | undefined {
  const [a, b] = [before.state, after.state]
  const hasOnlyStreamed =
    a.settled === b.settled && before.outbox === after.outbox && a.spaces.has('') === b.spaces.has('')
  return hasOnlyStreamed ? streamed(before, after) : undefined
}
