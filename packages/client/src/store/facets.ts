import type { ThreadState } from '@rivulet/protocol'
import type { ThreadFacts } from './facts.ts'

/** A part of a thread that changes as one object; what a selector reads is a set of these. */
export type Facet = keyof ThreadFacts | keyof ThreadState

/** What tells how a run goes. */
export const RUN: readonly Facet[] = ['runs', 'interrupts', 'log', 'starts', 'failure', 'connection']
/** What lists of messages are made of. */
export const LISTS: readonly Facet[] = ['spaces', 'settled', 'outbox']
/** What messages are made of. */
export const TEXT: readonly Facet[] = [...LISTS, 'live']
/** What tool calls are made of. */
export const CALLS: readonly Facet[] = [...TEXT, 'tools']

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
