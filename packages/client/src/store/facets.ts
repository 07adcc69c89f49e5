import type { ThreadState } from '@rivulet/protocol'
import type { ThreadFacts } from './facts.ts'
import type { ThreadSnapshot } from './snapshot.ts'

/** A part of a thread that changes as one object; what a selector reads is a set of these. */
export type Facet = keyof ThreadFacts | keyof ThreadState

const RUN: readonly Facet[] = ['runs', 'interrupts', 'log', 'starts', 'failure', 'connection']
const LISTS: readonly Facet[] = ['spaces', 'settled', 'outbox']
const TEXT: readonly Facet[] = [...LISTS, 'live']
const CALLS: readonly Facet[] = [...TEXT, 'tools']

/** What each field of a snapshot is built from. */
const facetsOf: Readonly<Record<Exclude<keyof ThreadSnapshot, 'message'>, readonly Facet[]>> = {
  threadId: ['threadId'],
  messages: TEXT,
  values: TEXT,
  status: RUN,
  isLoading: RUN,
  error: RUN,
  interrupts: ['interrupts'],
  toolCalls: CALLS,
  activeNodes: ['tasks'],
  connection: ['connection'],
  queue: ['starts', 'outbox', 'runs'],
  state: ['state'],
  messageIds: LISTS,
  messagesWhere: TEXT,
  valuesAt: TEXT,
  toolCall: CALLS,
  progress: ['custom'],
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
      // A proxy is asked for names of any kind; one that is not in the table is built from nothing.
      const facets = facetsOf[name as keyof typeof facetsOf] as readonly Facet[] | undefined
      facets?.forEach(onFacet)
      return Reflect.get(target, name)
    },
  })
}

/** Whether what is built from this facet may read otherwise after a change. */
export function isFacetChanged(facet: Facet, before: ThreadFacts, after: ThreadFacts): boolean {
  return facetIn(before, facet) !== facetIn(after, facet)
}

function facetIn(facts: ThreadFacts, facet: Facet): unknown {
  return facet in facts ? facts[facet as keyof ThreadFacts] : facts.state[facet as keyof ThreadState]
}

/**
 * Ids under which messages may read otherwise after a change; `undefined` when that is as good as all. While messages
 * only grow, the answer is as short as the number that stream, however long the conversation is.
 */
export function changedMessages(before: ThreadFacts, after: ThreadFacts): readonly string[] | undefined {
  const [a, b] = [before.state, after.state]
  const hasOnlyStreamed =
    a.settled === b.settled && before.outbox === after.outbox && a.spaces.has('') === b.spaces.has('')
  if (!hasOnlyStreamed) return undefined
  // Few stream at any time: those that grew, began or ended.
  return [...new Set([...a.live.keys(), ...b.live.keys()])].filter((id) => a.live.get(id) !== b.live.get(id))
}
