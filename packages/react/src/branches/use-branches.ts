import { RivuletError, type TypedGraph } from '@rivulet/protocol'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import type { StreamHandle } from '../stream/stream.ts'
import { historyOf } from './thread-history.ts'

/** The ways a conversation took at one message. Made of the thread's history, so they are there after a reload too. */
export interface Branches {
  /** How many there are; 1 when the message was never edited or answered anew, and while that is not known. */
  readonly count: number
  /** Which of them is on the page, from 0 in the order in which they were begun. */
  readonly index: number
  /**
   * Shows another one, as it was left, to everybody who has the thread open; what is submitted next goes on from there.
   * Resolves when the thread is there. Rejects with `INVALID_INPUT` where there is no such branch, with `RUN_CONFLICT`
   * while a run is under way, with `UNSUPPORTED` where the backend cannot update a thread.
   */
  readonly select: (index: number) => Promise<void>
  /** Selects the one before; does nothing on the first. */
  readonly previous: () => Promise<void>
  /** Selects the one after; does nothing on the last. */
  readonly next: () => Promise<void>
  /** Why the thread's history could not be read. */
  readonly error: RivuletError | undefined
}

/**
 * The branches at a message: what `edit` and `regenerate` left behind. Reads the thread's history as far back as this
 * message, once for all that ask, and again when a run ends: ask for the messages that a person looks at, not for
 * thousands.
 */
export function useBranches<G extends TypedGraph>(handle: StreamHandle<G>, messageId: string): Branches {
  const { client, thread } = handle
  const history = historyOf(client, thread)
  const watch = useCallback((fn: () => void) => history.watch(messageId, fn), [history, messageId])
  const getKnown = () => history.at(messageId)
  const { fork, error } = useSyncExternalStore(watch, getKnown, getKnown)
  return useMemo(() => {
    const { leaves = [], index = 0 } = fork ?? {}
    const select = async (to: number) => {
      const checkpointId = leaves[to]
      if (checkpointId === undefined || thread.id === undefined) {
        throw new RivuletError('INVALID_INPUT', `message ${messageId} has no branch ${to}`)
      }
      if (to !== index) await client.threads.update(thread.id, {}, { checkpointId })
    }
    return {
      count: Math.max(1, leaves.length),
      index,
      error,
      select,
      previous: async () => (index > 0 ? select(index - 1) : undefined),
      next: async () => (index < leaves.length - 1 ? select(index + 1) : undefined),
    }
  }, [fork, error, client, thread, messageId])
}
