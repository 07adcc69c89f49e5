import { createObservers, type ThreadFacts, type ThreadStore, type ThreadView } from '@rivulet/client'
import { nextFrame } from './next-frame.ts'

/** A view of a thread that changes at most once a frame. All who read it see the same moment. */
export interface PacedView extends ThreadView {
  /** Keeps the view in step with the thread until the returned function is called. */
  readonly start: () => () => void
}

/** Renders that take longer than this do not fit in a frame, in milliseconds. */
const FRAME_MS = 16
/** Longest pause after a slow render in milliseconds. */
const MAX_PAUSE_MS = 500

/**
 * A paced view of a thread: the first change after a pause is shown at once, the following ones together with the next
 * frame, and what a person waits for (their own message, a run's beginning and end, a failure) without delay. Where a
 * change takes longer to render than a frame lasts, the page rests as long as it worked, so that it stays usable.
 * `throttleMs` takes the place of the frame; with 0 every change is shown.
 */
export function createPacedView(thread: ThreadStore, throttleMs?: number): PacedView {
  const observers = createObservers(thread.facts)
  let shown = thread.facts
  let pauseMs = 0
  let cancelFrame: (() => void) | undefined
  const commit = () => {
    if (shown === thread.facts) return
    shown = thread.facts
    const began = performance.now()
    observers.set(shown)
    // React renders what a store changed in a microtask that it asked for during the change: this one comes after it.
    queueMicrotask(() => {
      const workMs = performance.now() - began
      pauseMs = workMs > FRAME_MS ? Math.min(workMs, MAX_PAUSE_MS) : 0
    })
  }
  const wait = (delayMs: number | undefined) => {
    cancelFrame = nextFrame(() => {
      cancelFrame = undefined
      if (pauseMs > 0 && throttleMs === undefined) {
        const delayMs = pauseMs
        pauseMs = 0
        return wait(delayMs)
      }
      if (shown === thread.facts) return
      wait(throttleMs)
      commit()
    }, delayMs)
  }
  const onChange = () => {
    if (throttleMs === 0 || isUrgent(shown, thread.facts)) return commit()
    if (cancelFrame !== undefined) return
    wait(throttleMs)
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
    shown.starts !== now.starts ||
    shown.outbox !== now.outbox ||
    shown.failure !== now.failure ||
    shown.threadId !== now.threadId
  )
}
