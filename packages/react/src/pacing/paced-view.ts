import { createObservers, type ThreadFacts, type ThreadStore, type ThreadView } from '@rivulet/client'
import { nextFrame } from './next-frame.ts'

/** A view of a thread that changes at most once a frame. All who read it see the same moment. */
export interface PacedView extends ThreadView {
  /** Keeps the view in step with the thread until the returned function is called. */
  readonly start: () => () => void
}

/**
 * A paced view of a thread: the first change after a pause is shown at once, the following ones together with the next
 * frame, and what a person waits for (their own message, a run's beginning and end, a failure) without delay.
 * `throttleMs` takes the place of the frame; with 0 every change is shown.
 */
export function createPacedView(thread: ThreadStore, throttleMs?: number): PacedView {
  const observers = createObservers(thread.facts)
  let shown = thread.facts
  let cancelFrame: (() => void) | undefined
  const commit = () => {
    if (shown === thread.facts) return
    shown = thread.facts
    observers.set(shown)
  }
  const wait = () => {
    cancelFrame = nextFrame(() => {
      cancelFrame = undefined
      if (shown === thread.facts) return
      wait()
      commit()
    }, throttleMs)
  }
  const onChange = () => {
    if (throttleMs === 0 || isUrgent(shown, thread.facts)) return commit()
    if (cancelFrame !== undefined) return
    wait()
    commit()
  }
  return {
    getSnapshot: observers.getSnapshot,
    subscribe: observers.subscribe,
    select: observers.select,
    start() {
      const stop = thread.subscribe(onChange)
      commit()
      return () => {
        stop()
        cancelFrame?.()
        cancelFrame = undefined
      }
    },
  }
}

/** Whether somebody waits for just this change. */
function isUrgent(shown: ThreadFacts, now: ThreadFacts): boolean {
  return (
    shown.state.runs !== now.state.runs ||
    shown.starting !== now.starting ||
    shown.outbox !== now.outbox ||
    shown.failure !== now.failure ||
    shown.threadId !== now.threadId
  )
}
