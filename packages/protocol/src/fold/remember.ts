import type { ThreadState } from './state.ts'

type Answers = Map<string, unknown>
const byState = new WeakMap<ThreadState, Answers>()
const byLineage = new WeakMap<object, Answers>()

/**
 * What a reader answers for this state, found out once. `find` gets what it answered last for this thread, to give back
 * when nothing changed: whoever compares by identity then sees a change only where there is one.
 */
export function remembered<T>(state: ThreadState, reader: string, find: (before: T | undefined) => T): T {
  const now = answersIn(byState, state)
  // A reader's name belongs to one reader, so its answers are of one type.
  if (now.has(reader)) return now.get(reader) as T
  const before = answersIn(byLineage, state.lineage ?? state)
  const answer = find(before.get(reader) as T | undefined)
  now.set(reader, answer)
  before.set(reader, answer)
  return answer
}

function answersIn<K extends object>(all: WeakMap<K, Answers>, key: K): Answers {
  let answers = all.get(key)
  if (answers === undefined) all.set(key, (answers = new Map()))
  return answers
}

/** `before` when it holds the same items in the same order, else `next`. All empty lists are one. */
export function sameItems<T>(before: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  if (next.length === 0) return NOTHING
  return before?.length === next.length && next.every((item, i) => item === before[i]) ? before : next
}

const NOTHING: readonly never[] = Object.freeze([])
