import type { ThreadState } from './state.ts'

/** What a reader answered, and from what. */
export interface Answer<T> {
  readonly from: readonly unknown[]
  readonly answer: T
}

type Answers = Map<string, Answer<unknown>>
const byState = new WeakMap<ThreadState, Answers>()
const byLineage = new WeakMap<object, Answers>()

/**
 * What a reader answers for this state, found out once. Nothing is looked for while what it answers `from` is what it was
 * in the thread's state before; else `find` gets that answer, to give it back when nothing changed: whoever compares by
 * identity then sees a change only where there is one.
 */
export function remembered<T>(
  state: ThreadState,
  reader: string,
  from: readonly unknown[],
  find: (before: Answer<T> | undefined) => T,
): T {
  const now = answersIn(byState, state)
  let known = now.get(reader)
  if (known === undefined) {
    const last = answersIn(byLineage, state.lineage ?? state)
    // A reader's name belongs to one reader, so its answers are of one type.
    const before = last.get(reader) as Answer<T> | undefined
    known = before && areSame(before.from, from) ? before : { from, answer: find(before) }
    now.set(reader, known)
    last.set(reader, known)
  }
  return known.answer as T
}

function answersIn<K extends object>(all: WeakMap<K, Answers>, key: K): Answers {
  let answers = all.get(key)
  if (answers === undefined) all.set(key, (answers = new Map()))
  return answers
}

function areSame(before: readonly unknown[], next: readonly unknown[]): boolean {
  return before.length === next.length && next.every((item, i) => item === before[i])
}

/** `before` when it holds the same items in the same order, else `next`. All empty lists are one. */
export function sameItems<T>(before: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  if (next.length === 0) return NOTHING
  return before && areSame(before, next) ? before : next
}

const NOTHING: readonly never[] = Object.freeze([])
