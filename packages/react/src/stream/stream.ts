import type { Client, RunHandle, SubmitOptions, ThreadSnapshot, ThreadStore, ThreadView } from '@rivulet/client'
import { RivuletError, type TypedGraph, type TypesOf, type UntypedGraph } from '@rivulet/protocol'
import { foundCheckpoints } from '../branches/found-checkpoints.ts'
import { createPacedView } from '../pacing/paced-view.ts'

/**
 * What selectors take: one thread, as its page sees it. The same object as long as the page shows the same thread, so
 * it may be passed down freely.
 */
export interface StreamHandle<G extends TypedGraph = UntypedGraph> extends ThreadView<ThreadSnapshot<G>> {
  /** The backend it is kept by. */
  readonly client: Client
  /** The thread itself, not paced: for code outside of rendering. */
  readonly thread: ThreadStore<G>
}

/** What a page does with its thread. Every function is the same one for the life of the component. */
export interface StreamMethods<G extends TypedGraph = UntypedGraph> {
  /** Starts a run; see `ThreadStore.submit`. Never throws. */
  readonly submit: (input?: TypesOf<G>['input'], options?: SubmitOptions<G>) => RunHandle<G>
  /**
   * Cancels the run under way, or the one with this id, which may wait in the queue; resolves when it ended and its
   * partial answer is saved. Never rejects.
   */
  readonly stop: (run?: string) => Promise<void>
  /** Answers the thread's interrupt; with several waiting, the one with this id, and the others go on waiting. */
  readonly respond: (value: TypesOf<G>['resume'], options?: { id?: string }) => RunHandle<G>
  /** Answers several interrupts together, by their ids. */
  readonly respondAll: (answers: Readonly<Record<string, TypesOf<G>['resume']>>) => RunHandle<G>
  /** Does again what failed; see `ThreadStore.retry`. */
  readonly retry: () => RunHandle<G> | undefined
  /** Answers anew from where this message's step began. Throws `INVALID_INPUT` for a message without a checkpoint. */
  readonly regenerate: (messageId: string) => RunHandle<G>
  /**
   * Goes back to before this message and on with another input. Throws `INVALID_INPUT` for one without a checkpoint.
   */
  readonly edit: (messageId: string, input: TypesOf<G>['input']) => RunHandle<G>
}

/** A thread on a page: what is kept while the page shows it. */
export interface Stream {
  readonly handle: StreamHandle
  /** Follows the thread and keeps the view in step until the returned function is called. */
  start(): () => void
}

/** A stream over this thread. It opens nothing until it is started. */
export function createStream(client: Client, thread: ThreadStore, throttleMs: number | undefined): Stream {
  const { start, ...view } = createPacedView(thread, throttleMs)
  return {
    handle: { ...view, client, thread },
    start() {
      const stop = start()
      const unfollow = thread.follow()
      return () => {
        unfollow()
        stop()
      }
    },
  }
}

/** The methods of whatever thread `current` gives when they are called. */
export function createMethods(current: () => ThreadStore): StreamMethods {
  const checkpointOf = (messageId: string) => {
    const thread = current()
    const { meta } = thread.getSnapshot().message(messageId) ?? {}
    const checkpointId = meta?.checkpoint ?? foundCheckpoints.get(thread)?.(messageId)
    if (checkpointId !== undefined) return { checkpointId }
    throw new RivuletError('INVALID_INPUT', `message ${messageId} has no checkpoint to go back to`)
  }
  return {
    submit: (input, options) => current().submit(input, options),
    stop: (run) => current().stop(run),
    respond: (value, { id } = {}) =>
      current().submit(undefined, { resume: id === undefined ? value : { [id]: value } }),
    respondAll: (answers) => current().submit(undefined, { resume: answers }),
    retry: () => current().retry(),
    regenerate: (messageId) => current().submit(undefined, checkpointOf(messageId)),
    edit: (messageId, input) => current().submit(input, checkpointOf(messageId)),
  }
}
