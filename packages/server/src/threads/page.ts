import { RivuletError } from '@rivulet/protocol'
import type { Thread, ThreadPage, ThreadQuery } from './store.ts'

/** Where a page of threads begins: behind this one. */
export type Place = Pick<Thread, 'updatedAt' | 'id'>

/** The page of `threads` that `query` asks for. Throws `INVALID_INPUT` for a cursor that no page gave. */
export function pageAfter(threads: readonly Thread[], { limit, cursor }: ThreadQuery): ThreadPage {
  const after = parsePlace(cursor)
  const rest = threads.toSorted(byLastUse).filter((thread) => after === undefined || byLastUse(thread, after) > 0)
  return pageOf(rest, limit)
}

/** The first `limit` of what is left, with where the next page begins. */
export function pageOf(rest: readonly Thread[], limit: number): ThreadPage {
  const threads = rest.slice(0, limit)
  const last = threads.at(-1)
  return { threads, cursor: rest.length > limit && last !== undefined ? `${last.updatedAt}.${last.id}` : undefined }
}

/** Last used first; among those of one millisecond by id, so that the order is one. */
function byLastUse(a: Place, b: Place): number {
  if (a.updatedAt !== b.updatedAt) return b.updatedAt - a.updatedAt
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

/** Reads a cursor. Throws `INVALID_INPUT` for one that no page gave. */
export function parsePlace(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined
  const match = /^(\d{1,16})\.(.{1,256})$/.exec(cursor)
  if (match === null) throw new RivuletError('INVALID_INPUT', 'cursor is not one that a page of threads gave')
  return { updatedAt: Number(match[1]), id: match[2]! }
}

/** Whether a thread is one that was asked for. */
export function matchesThread(thread: Thread, { metadata = {}, status }: ThreadQuery): boolean {
  if (status !== undefined && thread.status !== status) return false
  return Object.entries(metadata).every(
    ([key, value]) => Object.hasOwn(thread.metadata, key) && thread.metadata[key] === value,
  )
}
