import { createObservers, type ThreadFacts, type ThreadStore, type ThreadView } from '@rivulet/client'
import { nextFrame } from './next-frame.ts'

/** A view of a thread that changes at most once a frame. All who read it see the same moment. */
export interface PacedView extends ThreadView {
  /** Keeps the view in step with the thread until the returned function is called. */
  readonly start: () => () => void
}

/** A frame that comes later than this after a change was held up by it: rendering did not fit into a frame. */
const LATE_MS = 40
/** Longest rest after a slow render in milliseconds. */
const MAX_REST_MS = 500

/**
 * A paced view of a thread: the first change after a pause is shown at once, the following ones together with the next
 * frame, and what a person waits for (their own message, a run's beginning and end, a failure) without delay. Where a
 * change takes longer to render than a frame lasts, the page rests as long as it took, so that it stays usable.
 * `throttleMs` takes the place of the frame; with 0 every change is shown.
 */
export function createPacedView(thread: ThreadStore, throttleMs?: number): PacedView {
  const observers = createObservers(thread.facts)
  let shown = thread.facts
  let committedAt = 0
  let cancelFrame: (() => void) | undefined
  const commit = () => {
    if (shown === thread.facts) return
    shown = thread.facts
    committedAt = performance.now()
    observers.set(shown)
  }
  const wait = (delayMs = throttleMs) => {
    cancelFrame = nextFrame(() => {
      cancelFrame = undefined
      const tookMs = performance.now() - committedAt
      const isRested = delayMs !== undefined || tookMs <= LATE_MS || isHidden()
      if (!isRested) return wait(Math.min(tookMs, MAX_REST_MS))
      if (shown === thread.facts) return
      wait()
      commit()
    }, delayMs)
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

/** A hidden page is brought up to date at a slow pace anyway. */
function isHidden(): boolean {
  return typeof document !== 'undefined' && document.visibilityState === 'hidden'
}

/** Whether somebody waits for just this change. */
function isUrgent(shown: ThreadFacts, now: ThreadFacts): boolean {
  return (
    shown.state.runs !== now.state.runs ||
    shown.starts !== now.starts ||
    shown.outbox !== now.outbox ||
    shown.failure !== now.failure ||
    shown.threadId !== now.threadId
  )
}
